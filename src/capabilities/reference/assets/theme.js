// Runs before anything is drawn: the colours that were chosen in the console. Without a choice, the page has those of the system, by CSS.
const chosen = storedColorMode();
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

function show() {
  const isDark = chosen === "dark" || (chosen !== "light" && systemIsDark.matches);
  document.documentElement.classList.toggle("dark-mode", isDark);
  document.documentElement.classList.toggle("light-mode", !isDark);
}

show();
systemIsDark.addEventListener("change", show);

/** The browser may refuse to say. */
function storedColorMode() {
  try {
    return localStorage.getItem("colorMode");
  } catch {
    return null;
  }
}
