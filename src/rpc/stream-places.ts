import { AppError } from "../errors.ts";

/** Limits the streams that one workspace has open on this server: it must not use up the connections of all others. */
export class StreamPlaces {
  readonly #what: string;
  readonly #maxPerWorkspace: number;
  readonly #taken = new Map<string, number>();

  /** `what`: the streams, in the words of the error. */
  constructor(what: string, maxPerWorkspace: number) {
    this.#what = what;
    this.#maxPerWorkspace = maxPerWorkspace;
  }

  /** Takes a place until it is disposed of. Throws `rate_limited` if the workspace has none left. */
  enter(workspaceId: string): Disposable {
    const taken = this.#taken.get(workspaceId) ?? 0;
    if (taken >= this.#maxPerWorkspace) {
      throw new AppError(
        "rate_limited",
        `Too many ${this.#what} of this workspace are open. Close one, or try again later.`,
        {
          retryAfterSeconds: 60,
        },
      );
    }
    this.#taken.set(workspaceId, taken + 1);
    return { [Symbol.dispose]: () => this.#leave(workspaceId) };
  }

  #leave(workspaceId: string): void {
    const left = (this.#taken.get(workspaceId) ?? 1) - 1;
    if (left === 0) {
      this.#taken.delete(workspaceId);
    } else {
      this.#taken.set(workspaceId, left);
    }
  }
}
