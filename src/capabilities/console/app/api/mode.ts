import { useSearch } from "wouter";

/** The two modes of a workspace, which share no data. */
export type ModeName = "live" | "test";

/** The mode that the address names: `?mode=test`; without it, live. */
export function modeOf(search: string): ModeName {
  return new URLSearchParams(search).get("mode") === "test" ? "test" : "live";
}

/** The mode of what is shown. */
export function useMode(): ModeName {
  return modeOf(useSearch());
}
