import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark" | "system";

/** The reference's name for it: every page of the server follows the choice. */
const storageKey = "colorMode";

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function readTheme(): Theme {
  const chosen = localStorage.getItem(storageKey);
  return chosen === "dark" || chosen === "light" ? chosen : "system";
}

function apply(): void {
  const theme = readTheme();
  document.documentElement.dataset.theme = theme === "system" ? (systemIsDark.matches ? "dark" : "light") : theme;
  for (const listener of listeners) {
    listener();
  }
}

/** Shows the colours that were chosen, and follows the system's, other tabs' and the switch's changes. */
export function startTheme(): void {
  apply();
  systemIsDark.addEventListener("change", apply);
  addEventListener("storage", apply);
}

export function setTheme(theme: Theme): void {
  if (theme === "system") {
    localStorage.removeItem(storageKey);
  } else {
    localStorage.setItem(storageKey, theme);
  }
  apply();
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, readTheme);
}
