import { useState } from "react";

export interface Submit<Arguments extends readonly unknown[]> {
  /** Runs the work, unless it runs already. Never rejects: see `error`. */
  readonly submit: (...args: Arguments) => Promise<void>;
  readonly isPending: boolean;
  /** What the work threw last. */
  readonly error: unknown;
  readonly reset: () => void;
}

/** Work that a person starts by a button: whether it runs, and what went wrong. */
export function useSubmit<Arguments extends readonly unknown[]>(
  work: (...args: Arguments) => Promise<unknown>,
): Submit<Arguments> {
  const [isPending, setPending] = useState(false);
  const [error, setError] = useState<unknown>();
  return {
    isPending,
    error,
    reset: () => setError(undefined),
    async submit(...args) {
      if (isPending) {
        return;
      }
      setPending(true);
      setError(undefined);
      try {
        await work(...args);
      } catch (thrown) {
        setError(thrown);
      } finally {
        setPending(false);
      }
    },
  };
}
