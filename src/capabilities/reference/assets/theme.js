// Runs before anything is drawn: the colours that were chosen here before or, without a choice, those of the system. The
// name of the setting and of the classes are Scalar's, so that every page follows its switch.
const root = document.documentElement;

function show(isDark) {
  root.classList.toggle("dark-mode", isDark);
  root.classList.toggle("light-mode", !isDark);
}

const chosen = localStorage.getItem("colorMode");
show(chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches));

document.addEventListener("DOMContentLoaded", () => {
  const { body } = document;
  const follow = () => {
    if (body.classList.contains("dark-mode") !== body.classList.contains("light-mode")) {
      show(body.classList.contains("dark-mode"));
    }
  };
  new MutationObserver(follow).observe(body, { attributeFilter: ["class"] });
});
