import { AppError } from "../errors.ts";
import type { Logger } from "../observe/log.ts";
import type { AppliedRevocations, RevocationBasis } from "./applied-revocations.ts";

/** A call that is tracked. */
export interface TrackedCall {
  /** Call it when the call has ended, however it ended. */
  done(): void;
}

/** Ends a call with this error, `invalid_api_key`. */
export type Abort = (reason: AppError) => void;

/**
 * The calls that are running, so that those of a revoked credential can be ended.
 *
 * States of a call:
 *
 * - **tracked**: known under each of its subjects.
 * - **aborted**: `abort` was called. Final.
 * - **done**: it ended by itself. Final.
 *
 * Transitions:
 *
 * - `track`: → tracked; or → aborted at once, if one of its subjects was revoked since the caller was looked up.
 * - tracked → aborted: a revocation of one of its subjects is applied.
 * - tracked → done: `done` is called. After an abort, `done` does nothing.
 */
export class InFlightCalls {
  readonly #applied: AppliedRevocations;
  readonly #logger: Logger;
  readonly #calls = new Map<string, Set<Abort>>();
  #aborted = 0;

  constructor(applied: AppliedRevocations, logger: Logger) {
    this.#applied = applied;
    this.#logger = logger;
    applied.onApplied((subject) => this.#revoke(subject));
  }

  /** How many calls were ended by a revocation. */
  get aborted(): number {
    return this.#aborted;
  }

  /**
   * Tracks a call until it is done, and calls `abort`, once, if one of the subjects is revoked; before it returns, if one was
   * revoked since the caller was looked up. A revocation that was swept while this server had no connection ends no call:
   * statements with effects check by themselves whether the credential still holds (`requireCredential`).
   */
  track(basis: RevocationBasis, abort: Abort): TrackedCall {
    if (this.#applied.wasRevoked(basis)) {
      this.#end(abort);
      return { done: () => undefined };
    }
    // A function of its own for each call: the same `abort` may be passed for several.
    const ownAbort: Abort = (reason) => {
      forget();
      abort(reason);
    };
    const forget = () => {
      for (const subject of basis.subjects) {
        this.#forget(subject, ownAbort);
      }
    };
    for (const subject of basis.subjects) {
      this.#callsOf(subject).add(ownAbort);
    }
    return { done: forget };
  }

  #revoke(subject: string): void {
    for (const abort of [...(this.#calls.get(subject) ?? [])]) {
      this.#end(abort);
    }
  }

  #end(abort: Abort): void {
    this.#aborted += 1;
    try {
      abort(
        new AppError("invalid_api_key", "The credential was revoked during the call.", {
          isTokenInvalid: true,
        }),
      );
    } catch (error) {
      // If one call cannot be aborted, the others still have to be.
      this.#logger.error("abort_failed", { error });
    }
  }

  #callsOf(subject: string): Set<Abort> {
    const known = this.#calls.get(subject);
    if (known !== undefined) {
      return known;
    }
    const calls = new Set<Abort>();
    this.#calls.set(subject, calls);
    return calls;
  }

  #forget(subject: string, abort: Abort): void {
    const calls = this.#calls.get(subject);
    if (calls?.delete(abort) && calls.size === 0) {
      this.#calls.delete(subject);
    }
  }
}
