import type { Mode } from "../../access/caller.ts";
import type { Awaitable } from "../../awaitable.ts";
import type { Queryable } from "../../database/database.ts";
import type { GuardReason } from "../../errors.ts";
import type { Screening, Send } from "./define-send-step.ts";

/** A send that the guard refused. */
export interface RefusedSend {
  readonly workspaceId: string;
  readonly mode: Mode;
  readonly screening: Screening;
  readonly reason: GuardReason;
}

/** Judges sends. `app.ts` hands it to `verifyCapability`, together with its steps. */
export interface SendGuard {
  /**
   * Judges a send by the settings that this server knows. Undefined: such sends are not judged. A promise: the workspace's hook is being asked, which
   * a transaction must not wait for (`withoutWaiting`).
   */
  screen(send: Send): Awaitable<Screening | undefined>;
  /** Whether the workspace has a hook, as far as this server knows. */
  hasHook(workspaceId: string): boolean;
  /** Reads the settings of a workspace again. */
  refresh(database: Queryable, workspaceId: string): Promise<void>;
  /** Records a refused send: not in the transaction of the send, which is rolled back. */
  record(refused: RefusedSend): Promise<void>;
}

/** Rolls back a transaction in which a hook would have been waited for. */
class HookIsAsked extends Error {
  readonly send: string;
  readonly screening: Promise<Screening | undefined>;

  constructor(send: string, screening: Promise<Screening | undefined>) {
    super("a hook is asked outside of the transaction");
    this.send = send;
    this.screening = screening;
  }
}

/**
 * Runs work that has a transaction, in which no hook is waited for: where the guard would ask one, the work is rolled back, and runs again when the
 * answer is there.
 */
export async function withoutWaiting<T>(
  guard: SendGuard | undefined,
  work: (guard: SendGuard | undefined) => Promise<T>,
): Promise<T> {
  if (guard === undefined) {
    return work(undefined);
  }
  const known = new Map<string, Screening | undefined>();
  const answered: SendGuard = {
    screen(send) {
      const key = `${send.verificationId} ${send.channel} ${send.recipient.exact}`;
      if (known.has(key)) {
        return known.get(key);
      }
      const screening = guard.screen(send);
      if (screening instanceof Promise) {
        // It is awaited after the rollback.
        screening.catch(() => undefined);
        throw new HookIsAsked(key, screening);
      }
      return screening;
    },
    hasHook: (workspaceId) => guard.hasHook(workspaceId),
    refresh(database, workspaceId) {
      known.clear();
      return guard.refresh(database, workspaceId);
    },
    record: (refused) => guard.record(refused),
  };
  for (;;) {
    try {
      return await work(answered);
    } catch (error) {
      if (!(error instanceof HookIsAsked)) {
        throw error;
      }
      known.set(error.send, await error.screening);
    }
  }
}
