import type { Logger } from "../observe/log.ts";

/** Lets go of something within `withinMs`. Returns false, or a promise of it, if it gave up on something to be in time. */
type Close = (withinMs: number) => unknown;

/** Even with the time over, each gets as long as it takes to say goodbye to a peer that answers. */
const leastMs = 100;

/**
 * What a server holds, in the order in which it was built. It is let go of in reverse order and within one deadline for all
 * of it: what takes longer is left as it is, and named in the log.
 */
export class ResourceStack {
  readonly #logger: Logger;
  readonly #held: { readonly name: string; readonly close: Close }[] = [];
  #closing: Promise<void> | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** `name` is for the operator: what did not finish, if it does not. */
  add(name: string, close: Close): void {
    this.#held.push({ name, close });
  }

  /** Never rejects. Calling it again gives the same promise. */
  close(withinMs: number): Promise<void> {
    this.#closing ??= this.#closeAll(performance.now() + withinMs);
    return this.#closing;
  }

  async #closeAll(deadlineMs: number): Promise<void> {
    const unfinished: string[] = [];
    for (const { name, close } of this.#held.toReversed()) {
      const leftMs = Math.max(leastMs, deadlineMs - performance.now());
      const over = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => over.resolve(false), leftMs);
      const isFinished = await Promise.race([over.promise, this.#close(name, close, leftMs)]);
      clearTimeout(timer);
      if (!isFinished) {
        unfinished.push(name);
      }
    }
    if (unfinished.length > 0) {
      this.#logger.warn("stopped before everything was finished", { unfinished });
    }
  }

  async #close(name: string, close: Close, withinMs: number): Promise<boolean> {
    try {
      return (await close(withinMs)) !== false;
    } catch (error) {
      this.#logger.error("not closed in order", { name, error });
      return true;
    }
  }
}
