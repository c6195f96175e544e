import type { Message } from "@bufbuild/protobuf";

/** What came of waiting for the next message. */
export type Turn =
  | { readonly kind: "message"; readonly message: Message }
  | { readonly kind: "end" }
  | { readonly kind: "failed"; readonly error: unknown }
  /** Nothing yet. */
  | { readonly kind: "idle" };

const idle: Turn = { kind: "idle" };

/**
 * Reads messages one by one, with a limit to how long it waits for one. A message that was waited for in vain is not asked for twice,
 * and waiting again leaves nothing behind at its promise, however often it is done (`Promise.race` would). When the signal aborts, the
 * messages end, and reading fails with its reason.
 */
export class MessageReader {
  readonly #iterator: AsyncIterator<Message>;
  readonly #signal: AbortSignal;
  #isAsked = false;
  #answer: Turn | undefined;
  #isWaitOver = false;
  #wake: () => void = () => undefined;

  constructor(messages: AsyncIterable<Message>, signal: AbortSignal) {
    this.#iterator = messages[Symbol.asyncIterator]();
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#abort(), { once: true });
  }

  /** Waits for the next message, `idleMs` at the longest if it is given. Never rejects. */
  async next(idleMs?: number): Promise<Turn> {
    if (!this.#isAsked) {
      this.#isAsked = true;
      this.#iterator.next().then(
        (next) => this.#settle(next.done === true ? { kind: "end" } : { kind: "message", message: next.value }),
        (error: unknown) => this.#settle({ kind: "failed", error }),
      );
      if (this.#signal.aborted) {
        this.#abort();
      }
    }
    if (this.#answer === undefined && !this.#isWaitOver) {
      await this.#wait(idleMs);
    }
    this.#isWaitOver = false;
    const answer = this.#answer;
    if (answer?.kind === "message") {
      this.#answer = undefined;
      this.#isAsked = false;
    }
    return answer ?? idle;
  }

  /** Ends the wait for the next message, or the next one if none is waited for now: it is `idle`. */
  stopWaiting(): void {
    this.#isWaitOver = true;
    this.#wake();
  }

  #wait(idleMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = idleMs === undefined ? undefined : setTimeout(resolve, idleMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #settle(answer: Turn): void {
    // What aborted is final.
    if (!this.#signal.aborted) {
      this.#answer = answer;
      this.#wake();
    }
  }

  #abort(): void {
    this.#answer = { kind: "failed", error: this.#signal.reason };
    this.#wake();
    this.#endQuietly();
  }

  /** Ends the messages; an error of that has no reader any more. */
  async #endQuietly(): Promise<void> {
    try {
      await this.#iterator.return?.();
    } catch {}
  }
}
