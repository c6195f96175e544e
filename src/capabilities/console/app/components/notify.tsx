import { useSyncExternalStore } from "react";

const shownMs = 5_000;

interface Toast {
  readonly id: number;
  readonly text: string;
}

let toasts: readonly Toast[] = [];
let count = 0;
const listeners = new Set<() => void>();

function change(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) {
    listener();
  }
}

/** Says for five seconds that something was done: "Key revoked". Not for errors, which stay where they arose. */
export function notify(text: string): void {
  count += 1;
  const toast = { id: count, text };
  change([...toasts, toast]);
  setTimeout(() => change(toasts.filter((other) => other !== toast)), shownMs);
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** Where `notify` shows its texts. Of the shell. */
export function Notifications() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div className="notifications" role="status" aria-live="polite" data-react-aria-top-layer="true">
      {shown.map(({ id, text }) => (
        <p key={id} className="notification">
          {text}
        </p>
      ))}
    </div>
  );
}
