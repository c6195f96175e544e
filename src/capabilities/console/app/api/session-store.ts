/**
 * Whether somebody is signed in, as far as this page knows: the cookie itself cannot be read by scripts.
 *
 *   unknown ──GetMe──▶ signed-in ──refused, and not refreshed──▶ expired ──sign in──▶ signed-in
 *      │                   │                                        │
 *      └─────refused───────┴──────────── signed-out ◀───── cancel ──┘
 *
 * While it is `expired`, the sign-in form is shown over the page, and the refused calls wait for it.
 */
export type SessionState = "unknown" | "signed-in" | "expired" | "signed-out";

let state: SessionState = "unknown";
const listeners = new Set<() => void>();
let waiting: { readonly resolve: () => void; readonly reject: (reason: unknown) => void }[] = [];

function change(next: SessionState): void {
  state = next;
  for (const listener of listeners) {
    listener();
  }
}

export const sessionStore = {
  get: (): SessionState => state,

  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },

  /** Somebody is signed in: calls that wait for it go on. */
  signedIn(): void {
    const resumed = waiting;
    waiting = [];
    change("signed-in");
    for (const { resolve } of resumed) {
      resolve();
    }
  },

  /** Nobody is: calls that wait fail with the reason. */
  signedOut(reason: unknown = new Error("signed out")): void {
    const failed = waiting;
    waiting = [];
    change("signed-out");
    for (const { reject } of failed) {
      reject(reason);
    }
  },

  /** A call was refused. Resolves when somebody has signed in again; rejects with the reason if nobody was, or does. */
  async waitForSignIn(reason: unknown): Promise<void> {
    if (state !== "signed-in" && state !== "expired") {
      change("signed-out");
      throw reason;
    }
    change("expired");
    await new Promise<void>((resolve, reject) => {
      waiting.push({ resolve, reject: () => reject(reason) });
    });
  },
};
