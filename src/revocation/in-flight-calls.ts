import { AppError } from "../errors.ts";
import type { Logger } from "../observe/log.ts";
import type { AppliedRevocations, RevocationBasis } from "./applied-revocations.ts";

/** A call under way. */
export interface TrackedCall {
  /** To be called when the call is over, however it ended. */
  done(): void;
}

/** Gets the `invalid_api_key` that the call ends with. */
export type Abort = (reason: AppError) => void;

/** The calls under way, so that those of a revoked credential can be ended. */
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
   * Remembers a call until it is done, and calls `abort`, once, if one of the subjects is revoked: before it returns if
   * that happened since the caller was looked up. A revocation that this server was away for, and that is swept by now,
   * ends no call: what has effects has to ask in its own statement whether the credential still holds.
   */
  track(basis: RevocationBasis, abort: Abort): TrackedCall {
    if (this.#applied.wasRevoked(basis)) {
      this.#end(abort);
      return { done: () => undefined };
    }
    // Of its own, so that one function may serve several calls.
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
        new AppError("invalid_api_key", "The credential was revoked while the call was under way.", {
          isTokenInvalid: true,
        }),
      );
    } catch (error) {
      // One call's failure must not keep the revocation from being applied to the others.
      this.#logger.error("a revoked call could not be aborted", { error });
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
