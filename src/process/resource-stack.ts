import type { Logger } from "../observe/log.ts";

/** Closes a resource within `withinMs`. Returns false, or a promise of it, if something was left unfinished to be in time. */
type Close = (withinMs: number) => unknown;

/** Each resource gets at least this, even after the deadline: enough to close a connection whose peer answers. */
const leastMs = 100;

/**
 * The resources of a server, in the order in which they were opened. They are closed in reverse order, within one deadline for
 * all of them. A resource that takes longer is abandoned, and the log names it.
 */
export class ResourceStack {
  readonly #logger: Logger;
  readonly #held: { readonly name: string; readonly close: Close }[] = [];
  #closing: Promise<void> | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** `name` is what the log calls the resource. */
  add(name: string, close: Close): void {
    this.#held.push({ name, close });
  }

  /** Never rejects. A second call returns the same promise. */
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
      this.#logger.warn("stop_incomplete", { unfinished });
    }
  }

  async #close(name: string, close: Close, withinMs: number): Promise<boolean> {
    try {
      return (await close(withinMs)) !== false;
    } catch (error) {
      this.#logger.error("close_failed", { name, error });
      return true;
    }
  }
}
