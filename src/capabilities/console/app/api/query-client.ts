import { QueryClient } from "@tanstack/react-query";
import { toHouseError } from "./house-error.ts";

const maxRetries = 2;
const transient = new Set(["offline", "unavailable"]);

/** Answers are shown at once from what was known, and asked for again when the window gets the focus. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (failures, error) => failures < maxRetries && transient.has(toHouseError(error).code),
    },
    mutations: { retry: false },
  },
});
