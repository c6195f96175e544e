/** What was typed and answered, by user and operation, while the tab is open. It is not put into the address: there are recipients in it. */
import { useSyncExternalStore } from "react";
import type { DraftMessage } from "./draft.ts";
import type { Answer } from "./send-call.ts";

export interface Trial {
  readonly draft: DraftMessage;
  readonly idempotencyKey: string;
  /** For operations that take a key or a session. */
  readonly caller: "key" | "session";
  readonly answer?: Answer | undefined;
  /** What the last call threw. */
  readonly error?: unknown;
}

const untouched: Trial = { draft: {}, idempotencyKey: "", caller: "key" };
const trials = new Map<string, Trial>();
const listeners = new Set<() => void>();

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

function keyOf(userId: string, methodName: string): string {
  return `${userId}/${methodName}`;
}

export function changeTrial(userId: string, methodName: string, change: Partial<Trial>): void {
  const key = keyOf(userId, methodName);
  trials.set(key, { ...(trials.get(key) ?? untouched), ...change });
  for (const listener of listeners) {
    listener();
  }
}

export function useTrial(userId: string, methodName: string): Trial {
  return useSyncExternalStore(subscribe, () => trials.get(keyOf(userId, methodName)) ?? untouched);
}
