import { useSyncExternalStore } from "react";

/** Phones: below this, tables become cards and the navigation a drawer. The style sheets name the same width. */
const query = matchMedia("(max-width: 767px)");

const subscribe = (listener: () => void) => {
  query.addEventListener("change", listener);
  return () => query.removeEventListener("change", listener);
};

export function useIsNarrow(): boolean {
  return useSyncExternalStore(subscribe, () => query.matches);
}
