import type { Message } from "@bufbuild/protobuf";
import { withSignal } from "@byond/rest/interceptor-chain";
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
  /** Admits a call again, with its caller as it is now. Throws the error that a new request would get. */
  readonly reauthorize: (request: Request) => Promise<RevocationBasis | undefined>;
}

const watchedCallKey = createContextKey<WatchedCall | undefined>(undefined, { description: "watched call" });

/**
 * Lets a call finish although it revokes its own credential, as signing out everywhere does. The implementation calls it inside
 * the transaction, when nobody else can revoke the credential before the commit.
 */
export function exemptFromRevocation(context: Pick<HandlerContext, "values">): void {
  context.values.get(watchedCallKey)?.stop();
}

/**
 * Ends calls in progress whose credential is revoked. When a subject of a call's basis is revoked, the call is admitted again
 * or refused: a key that was only renamed, or whose old secret is still valid for a while, keeps its calls. A refused call ends
 * at once with the error of a new request, and its signal aborts. No call is answered while this is being decided.
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
    const watched = withSignal(request, () => AbortSignal.any([request.signal, call.signal]));
    let isStreaming = false;
    try {
      // If it was revoked while the body was read, the implementation does not start.
      if (call.isInQuestion) {
        await call.settled();
      }
      const response = await repeatIfChanged(options, request, () => call.rejectIfRefused(next(watched)));
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

/** A key that changes all the time cannot keep a call going for ever. */
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
      // The cached key may be from before the change.
      await withinTime(options.revocation.catchUp());
      await options.reauthorize(request);
    }
  }
}

async function* watchStream(call: WatchedCall, messages: AsyncIterable<Message>): AsyncIterable<Message> {
  const iterator = messages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await call.rejectIfRefused(iterator.next());
      if (next.done === true) {
        return;
      }
      yield next.value;
    }
  } finally {
    call.stop();
    // Not awaited: an iterator that waits for a message only ends when the signal aborts.
    iterator.return?.().catch(() => undefined);
  }
}

/**
 * A call in progress. Its states:
 * - allowed → deciding, when a subject of its basis is revoked;
 * - deciding → allowed, with a new basis, or → refused, when `signal` aborts;
 * - any → stopped, when the call is over or exempt: revocations no longer matter.
 */
class WatchedCall {
  readonly #track: RevocationService["track"];
  readonly #reauthorize: () => Promise<RevocationBasis | undefined>;
  readonly #aborting = new AbortController();
  /** Ends the wait for the work that is in progress. */
  #endWait: (refusal: unknown) => void = () => undefined;
  /** Settles when it is decided whether the call may go on. Undefined: it may. */
  #reauthorization: Promise<void> | undefined;
  #stopTracking: () => void = () => undefined;
  #isStopped = false;
  #isRefused = false;

  constructor(track: RevocationService["track"], reauthorize: () => Promise<RevocationBasis | undefined>) {
    this.#track = track;
    this.#reauthorize = reauthorize;
  }

  /** Aborts when the call is refused. */
  get signal(): AbortSignal {
    return this.#aborting.signal;
  }

  watch(basis: RevocationBasis): void {
    const tracked = this.#track(basis, () => {
      this.#reauthorization = this.#decide();
    });
    this.#stopTracking = () => tracked.done();
    if (this.#isStopped) {
      tracked.done();
    }
  }

  /** Whether a subject of its basis was revoked. False for nearly every call: there is nothing to wait for. */
  get isInQuestion(): boolean {
    return this.#reauthorization !== undefined || this.#isRefused;
  }

  /** Waits until it is decided whether the call may go on. Throws the refusal. */
  async settled(): Promise<void> {
    for (let waited: Promise<void> | undefined; waited !== this.#reauthorization; ) {
      waited = this.#reauthorization;
      await waited;
    }
    if (this.#aborting.signal.aborted) {
      throw this.#aborting.signal.reason;
    }
  }

  /** Returns the result of `work`. Throws the refusal if the call is refused before `work` is done. */
  async rejectIfRefused<T>(work: Promise<T>): Promise<T> {
    try {
      return await this.#unlessRefused(work);
    } finally {
      if (this.isInQuestion) {
        await this.settled();
      }
    }
  }

  /**
   * Settles as `work` does, or rejects when the call is refused. Each race with a promise that lives as long as the call would leave
   * its reactions there, 384 bytes for each message of a stream. There is one work at a time.
   */
  #unlessRefused<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#endWait = reject;
      work.then(resolve, reject);
      if (this.#isRefused) {
        reject(this.#aborting.signal.reason);
      }
    });
  }

  /** Stops watching: later revocations do not end the call. */
  stop(): void {
    this.#isStopped = true;
    this.#reauthorization = undefined;
    this.#stopTracking();
  }

  async #decide(): Promise<void> {
    try {
      const basis = await this.#reauthorize();
      if (basis !== undefined && !this.#isStopped) {
        this.watch(basis);
      }
    } catch (error) {
      if (!this.#isStopped) {
        this.#isRefused = true;
        this.#aborting.abort(error);
        this.#endWait(error);
      }
    }
  }
}
