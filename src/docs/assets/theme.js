// Runs before anything is drawn: the colours that were chosen here before or, without a choice, those of the system. The
// name of the setting and of the class are Scalar's, so that every page follows its switch.
const chosen = localStorage.getItem("colorMode");
const isDark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
document.documentElement.classList.add(isDark ? "dark-mode" : "light-mode");
