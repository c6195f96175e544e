import type { Message } from "@bufbuild/protobuf";
import { withSignal } from "@byond/rest/interceptor-chain";
import { createContextKey, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import type { Awaitable } from "../awaitable.ts";
import type { Clock } from "../clock.ts";
import { withDeadline, withinTime, withoutDeadline } from "../database/call-deadline.ts";
import { CredentialChanged } from "../database/database-errors.ts";
import type { RevocationBasis } from "../revocation/applied-revocations.ts";
import type { TrackedCall } from "../revocation/in-flight-calls.ts";
import type { RevocationService } from "../revocation/revocation-service.ts";

type Next = Parameters<Interceptor>[0];
type Request = Parameters<Next>[0];
type Response = Awaited<ReturnType<Next>>;

export interface InFlightOptions {
  readonly revocation: Pick<RevocationService, "track" | "catchUp">;
  /** The revocation subjects that the caller's admission depends on. Undefined: the call took no credential. */
  readonly basisOf: (request: Request) => RevocationBasis | undefined;
  /** Admits a call again, with its caller as it is now. Throws the error that a new request would get. */
  readonly reauthorize: (request: Request) => Promise<RevocationBasis | undefined>;
  readonly clock: Pick<Clock, "monotonicMs">;
}

/**
 * How long a stream may go on without being admitted again. A credential that expires is not revoked: its streams end with their
 * first message after that time.
 */
const readmittedAfterMs = 10_000;

const watchedCallKey = createContextKey<WatchedCall | undefined>(undefined, { description: "watched call" });

/**
 * Lets a call finish although it revokes its own credential, as signing out everywhere does. The implementation calls it inside
 * the transaction, when nobody else can revoke the credential before the commit.
 */
export function exemptFromRevocation(context: Pick<HandlerContext, "values">): void {
  context.values.get(watchedCallKey)?.stop();
}

/**
 * Does what only a call that is answered may have done, such as charging it. Throws the refusal, and does nothing, if the credential was revoked.
 * From then on the call is not refused: it gets its answer, of a stream its next message, whatever is revoked after that. Work that commits something ends it with
 * `require_credential`, so that the database decides whether a revocation came first; if it fails, the call can be refused again.
 *
 *     return withAnswer(context, () => {
 *       usage.note(caller);
 *       return answer;
 *     });
 */
export function withAnswer<T>({ values }: Pick<HandlerContext, "values">, work: () => Awaitable<T>): Awaitable<T> {
  const call = values.get(watchedCallKey);
  return call === undefined ? work() : call.repeatIfChanged(() => call.answerWith(work));
}

/**
 * Ends calls in progress whose credential is revoked. When a subject of a call's basis is revoked, the call is admitted again
 * or refused: a key that was only renamed, or whose old secret is still valid for a while, keeps its calls. A refused call ends
 * at once with the error of a new request, and its signal aborts. No call is answered while this is being decided. A stream is admitted
 * again now and then, since credentials also expire.
 */
export function createInFlightInterceptor(options: InFlightOptions): Interceptor {
  return (next) => (request) => {
    const basis = options.basisOf(request);
    return basis === undefined ? next(request) : callWhileAllowed(options, request, basis, next);
  };
}

/** A key that changes all the time cannot keep a call going for ever. */
const maxTries = 3;

async function callWhileAllowed(
  options: InFlightOptions,
  request: Request,
  basis: RevocationBasis,
  next: Next,
): Promise<Response> {
  const call = new WatchedCall(options, request);
  request.contextValues.set(watchedCallKey, call);
  call.watch(basis);
  const watched = withSignal(request, () => AbortSignal.any([request.signal, call.signal]));
  let isStreaming = false;
  try {
    // If it was revoked while the body was read, the implementation does not start.
    if (call.isInQuestion) {
      await call.settled();
    }
    const response = await call.repeatIfChanged(() => call.unlessRefused(next(watched)));
    if (call.isInQuestion) {
      await call.settled();
    }
    if (!response.stream) {
      return response;
    }
    isStreaming = true;
    request.signal.addEventListener("abort", () => call.stop(), { once: true });
    return { ...response, message: watchStream(call, response.message, options.clock) };
  } finally {
    if (!isStreaming) {
      call.stop();
    }
  }
}

async function* watchStream(
  call: WatchedCall,
  messages: AsyncIterable<Message>,
  clock: Pick<Clock, "monotonicMs">,
): AsyncIterable<Message> {
  const iterator = messages[Symbol.asyncIterator]();
  let readmitAtMs = clock.monotonicMs() + readmittedAfterMs;
  try {
    for (;;) {
      const next = await call.unlessRefused(iterator.next());
      if (call.isInQuestion) {
        await call.settled();
      }
      if (next.done === true) {
        return;
      }
      if (!call.isAnswerDue && clock.monotonicMs() >= readmitAtMs) {
        await call.readmit();
        readmitAtMs = clock.monotonicMs() + readmittedAfterMs;
      }
      call.answered();
      yield next.value;
    }
  } catch (error) {
    if (call.isInQuestion) {
      await call.settled();
    }
    throw error;
  } finally {
    call.stop();
    // Not awaited: an iterator that waits for a message only ends when the signal aborts.
    iterator.return?.().catch(() => undefined);
  }
}

/**
 * A call in progress. Its states:
 * - allowed → deciding, when a subject of its basis is revoked;
 * - deciding → allowed, with a new basis, or → refused, when `signal` aborts, but not before an answer that is due;
 * - any → stopped, when the call is over or exempt: revocations no longer matter.
 */
class WatchedCall {
  readonly #options: Pick<InFlightOptions, "revocation" | "reauthorize">;
  readonly #request: Request;
  /** Undefined: nobody has asked for the signal. */
  #aborting: AbortController | undefined;
  /** Settles when it is decided whether the call may go on. Undefined: it may. */
  #reauthorization: Promise<void> | undefined;
  #tracked: TrackedCall | undefined;
  #isStopped = false;
  #refusal: { readonly error: unknown } | undefined;
  /** Rejects what waits for work of the call. */
  #reject: ((error: unknown) => void) | undefined;
  /** What only an answered call does is being done, or was done, and the answer was not given yet. */
  #isAnswerDue = false;
  /** A refusal waits for it: resolved when the answer that is due was given, or could not be. */
  #answerGiven: PromiseWithResolvers<void> | undefined;

  constructor(options: Pick<InFlightOptions, "revocation" | "reauthorize">, request: Request) {
    this.#options = options;
    this.#request = request;
  }

  /** Aborts when the call is refused. */
  get signal(): AbortSignal {
    if (this.#aborting === undefined) {
      this.#aborting = new AbortController();
      if (this.#refusal !== undefined) {
        this.#aborting.abort(this.#refusal.error);
      }
    }
    return this.#aborting.signal;
  }

  watch(basis: RevocationBasis): void {
    const before = this.#tracked;
    this.#tracked = this.#options.revocation.track(basis, this.#question);
    before?.done();
    if (this.#isStopped) {
      this.#tracked.done();
    }
  }

  /** Admits the call again, although nothing was revoked. Throws the refusal. */
  async readmit(): Promise<void> {
    if (!this.#isStopped) {
      this.#reauthorization = this.#decide();
      await this.settled();
    }
  }

  /**
   * Whether a subject of its basis was revoked before its answer was due. False for nearly every call: there is nothing to wait for.
   */
  get isInQuestion(): boolean {
    return !this.#isAnswerDue && (this.#reauthorization !== undefined || this.#refusal !== undefined);
  }

  get isAnswerDue(): boolean {
    return this.#isAnswerDue;
  }

  /** As `withAnswer`. */
  answerWith<T>(work: () => Awaitable<T>): Awaitable<T> {
    return this.isInQuestion ? this.settled().then(() => this.#answerNow(work)) : this.#answerNow(work);
  }

  #answerNow<T>(work: () => Awaitable<T>): Awaitable<T> {
    this.#isAnswerDue = true;
    try {
      const done = work();
      return done instanceof Promise
        ? done.catch((error) => {
            this.answered();
            throw error;
          })
        : done;
    } catch (error) {
      this.answered();
      throw error;
    }
  }

  /** The answer that was due was given, or will not be. A refusal that waits for that goes on. */
  answered(): void {
    this.#isAnswerDue = false;
    this.#answerGiven?.resolve();
    this.#answerGiven = undefined;
  }

  /** Admits the call again, and repeats the work, if the key's rights changed before its effect, which was rolled back. Throws the refusal. */
  repeatIfChanged<T>(work: () => Awaitable<T>, tries = 1): Awaitable<T> {
    const done = work();
    return done instanceof Promise ? done.catch((error) => this.#repeat(error, work, tries)) : done;
  }

  async #repeat<T>(error: unknown, work: () => Awaitable<T>, tries: number): Promise<T> {
    if (this.isInQuestion) {
      await this.settled();
    }
    if (!(error instanceof CredentialChanged) || tries === maxTries) {
      throw error;
    }
    // The cached key may be from before the change.
    await withinTime(this.#options.revocation.catchUp());
    await this.#options.reauthorize(this.#request);
    return this.repeatIfChanged(work, tries + 1);
  }

  /** Waits until it is decided whether the call may go on. Throws the refusal. */
  async settled(): Promise<void> {
    for (let waited: Promise<void> | undefined; waited !== this.#reauthorization; ) {
      waited = this.#reauthorization;
      await waited;
    }
    if (this.#refusal !== undefined) {
      throw this.#refusal.error;
    }
  }

  /**
   * Settles as `work` does, or rejects with the refusal as soon as the call is refused. The call may be in question when it settles:
   * nothing may be answered before that is `settled`. There is one work at a time: races with a promise that lives as long as the call
   * would leave their reactions there, 384 bytes for each message of a stream.
   */
  unlessRefused<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      if (this.#refusal !== undefined) {
        reject(this.#refusal.error);
      }
      work.then(resolve, reject);
    });
  }

  /** Stops watching: later revocations do not end the call. */
  stop(): void {
    this.#isStopped = true;
    this.#reauthorization = undefined;
    this.#tracked?.done();
    this.answered();
  }

  readonly #question = (): void => {
    this.#reauthorization = this.#decide();
  };

  async #decide(): Promise<void> {
    try {
      // A stream has long used up the time of its call.
      const basis = await withoutDeadline(() => withDeadline(async () => this.#options.reauthorize(this.#request)));
      if (basis !== undefined && !this.#isStopped) {
        this.watch(basis);
      }
    } catch (error) {
      if (this.#isAnswerDue) {
        this.#answerGiven ??= Promise.withResolvers();
        await this.#answerGiven.promise;
      }
      if (!this.#isStopped) {
        this.#refusal = { error };
        this.#aborting?.abort(error);
        this.#reject?.(error);
      }
    }
  }
}
