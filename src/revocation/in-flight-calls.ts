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
 * They are one list, whose links are in the calls themselves: to begin and to end a call writes a few fields, whatever its subjects.
 * A revocation looks at all of them; there are many calls for each of those.
 *
 * States of a call:
 *
 * - **tracked**: in the list.
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
  /** Before the first call of the list. */
  readonly #start = new ListedCall([], () => undefined);
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
    const call = new ListedCall(basis.subjects, abort);
    if (this.#applied.wasRevoked(basis)) {
      this.#end(call);
    } else {
      call.insertAfter(this.#start);
    }
    return call;
  }

  #revoke(subject: string): void {
    const concerned: ListedCall[] = [];
    for (let call = this.#start.next; call !== undefined; call = call.next) {
      if (call.subjects.includes(subject)) {
        concerned.push(call);
      }
    }
    // The oldest first. Calls that begin while these are ended were admitted after the revocation.
    for (const call of concerned.reverse()) {
      if (call.isListed) {
        this.#end(call);
      }
    }
  }

  #end(call: ListedCall): void {
    call.done();
    this.#aborted += 1;
    try {
      call.abort(
        new AppError("invalid_api_key", "The credential was revoked during the call.", {
          isTokenInvalid: true,
        }),
      );
    } catch (error) {
      // If one call cannot be aborted, the others still have to be.
      this.#logger.error("abort_failed", { error });
    }
  }
}

/** A call, and its place in the list. */
class ListedCall implements TrackedCall {
  readonly subjects: readonly string[];
  readonly abort: Abort;
  next: ListedCall | undefined = undefined;
  #previous: ListedCall | undefined = undefined;

  constructor(subjects: readonly string[], abort: Abort) {
    this.subjects = subjects;
    this.abort = abort;
  }

  get isListed(): boolean {
    return this.#previous !== undefined;
  }

  insertAfter(previous: ListedCall): void {
    this.#previous = previous;
    this.next = previous.next;
    if (this.next !== undefined) {
      this.next.#previous = this;
    }
    previous.next = this;
  }

  /** Takes it out of the list, if it is there. */
  done(): void {
    if (this.#previous === undefined) {
      return;
    }
    this.#previous.next = this.next;
    if (this.next !== undefined) {
      this.next.#previous = this.#previous;
    }
    // A call that is over holds no other one, which would hold the next.
    this.#previous = undefined;
    this.next = undefined;
  }
}
