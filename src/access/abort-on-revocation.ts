import type { Message } from "@bufbuild/protobuf";
import { createContextKey, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { withinTime } from "../database/call-deadline.ts";
import { CredentialChanged } from "../database/database-errors.ts";
import type { RevocationBasis } from "../revocation/applied-revocations.ts";
import type { RevocationService } from "../revocation/revocation-service.ts";

type Request = Parameters<Parameters<Interceptor>[0]>[0];

export interface InFlightOptions {
  readonly revocation: Pick<RevocationService, "track" | "catchUp">;
  /** The revocation subjects that the caller's admission depends on. Undefined: the call took no credential. */
  readonly basisOf: (request: Request) => RevocationBasis | undefined;
  /** Lets a call in once more, with its caller as it is now, or throws what a new request would get. */
  readonly reauthorize: (request: Request) => Promise<RevocationBasis | undefined>;
}

const watchedCallKey = createContextKey<WatchedCall | undefined>(undefined, { description: "watched call" });

/**
 * Lets a call be answered although it revokes its own credential, as signing out everywhere does. The implementation calls it
 * inside the transaction, once nobody else can revoke the credential any more before that is committed.
 */
export function exemptFromRevocation(context: Pick<HandlerContext, "values">): void {
  context.values.get(watchedCallKey)?.stop();
}

/**
 * Ends calls under way whose credential is revoked. When a subject that a call rests on is revoked, the call is let in once
 * more, or not: a key that was only renamed, or whose old secret has a grace, does not lose what it is doing. A call that is
 * refused ends at once with what a new request would get, and its signal is aborted; none is answered in between.
 */
export function createInFlightInterceptor(options: InFlightOptions): Interceptor {
  return (next) => async (request) => {
    const basis = options.basisOf(request);
    if (basis === undefined) {
      return next(request);
    }
    const call = new WatchedCall(options.revocation.track, () => options.reauthorize(request));
    request.contextValues.set(watchedCallKey, call);
    call.watch(basis);
    const signal = AbortSignal.any([request.signal, call.signal]);
    let isStreaming = false;
    try {
      // Revoked while the body was read: nothing is begun any more.
      await call.settled();
      const response = await repeatIfChanged(options, request, () => call.unlessRefused(next({ ...request, signal })));
      if (!response.stream) {
        return response;
      }
      isStreaming = true;
      request.signal.addEventListener("abort", () => call.stop(), { once: true });
      return { ...response, message: watchStream(call, response.message) };
    } finally {
      if (!isStreaming) {
        call.stop();
      }
    }
  };
}

/** A key that is changed all the time does not keep a call from its end. */
const maxTries = 3;

/**
 * Runs `work`. If the key's rights changed first (the work was rolled back), admits the call again and retries.
 */
async function repeatIfChanged<T>(options: InFlightOptions, request: Request, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CredentialChanged) || tries === maxTries) {
        throw error;
      }
      // What is remembered of the key may be from before the change.
      await withinTime(options.revocation.catchUp());
      await options.reauthorize(request);
    }
  }
}

async function* watchStream(call: WatchedCall, messages: AsyncIterable<Message>): AsyncIterable<Message> {
  const iterator = messages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await call.unlessRefused(iterator.next());
      if (next.done === true) {
        return;
      }
      yield next.value;
    }
  } finally {
    call.stop();
    // Not awaited: an iterator that waits for its next message ends by the signal.
    iterator.return?.().catch(() => undefined);
  }
}

/** One call, from when it was let in until it is over. */
class WatchedCall {
  readonly #track: RevocationService["track"];
  readonly #reauthorize: () => Promise<RevocationBasis | undefined>;
  readonly #aborting = new AbortController();
  readonly #refused = Promise.withResolvers<never>();
  /** Settles when it is known whether the call may go on. Undefined: it may. */
  #readmission: Promise<void> | undefined;
  #stopTracking: () => void = () => undefined;
  #isStopped = false;

  constructor(track: RevocationService["track"], reauthorize: () => Promise<RevocationBasis | undefined>) {
    this.#track = track;
    this.#reauthorize = reauthorize;
    // Nobody may be waiting when it is rejected.
    this.#refused.promise.catch(() => undefined);
  }

  /** Aborts when the call is refused. */
  get signal(): AbortSignal {
    return this.#aborting.signal;
  }

  watch(basis: RevocationBasis): void {
    const tracked = this.#track(basis, () => {
      this.#readmission = this.#admitAgain();
    });
    this.#stopTracking = () => tracked.done();
    if (this.#isStopped) {
      tracked.done();
    }
  }

  /** Resolves once it is known that the call may go on. Throws what it is refused with. */
  async settled(): Promise<void> {
    for (let waited: Promise<void> | undefined; waited !== this.#readmission; ) {
      waited = this.#readmission;
      await waited;
    }
    if (this.#aborting.signal.aborted) {
      throw this.#aborting.signal.reason;
    }
  }

  /** What the work comes to, or throws; but if the call is refused before that, it throws what it is refused with. */
  async unlessRefused<T>(work: Promise<T>): Promise<T> {
    try {
      return await Promise.race([work, this.#refused.promise]);
    } finally {
      await this.settled();
    }
  }

  /** Ends the watch. Whatever is revoked from here on, the call goes on. */
  stop(): void {
    this.#isStopped = true;
    this.#readmission = undefined;
    this.#stopTracking();
  }

  async #admitAgain(): Promise<void> {
    try {
      const basis = await this.#reauthorize();
      if (basis !== undefined && !this.#isStopped) {
        this.watch(basis);
      }
    } catch (error) {
      if (!this.#isStopped) {
        this.#aborting.abort(error);
        this.#refused.reject(error);
      }
    }
  }
}
