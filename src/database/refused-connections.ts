import type pg from "pg";
import type { Logger } from "../observe/log.ts";
import { isOutOfConnections } from "./database-errors.ts";

/** How long a pool goes without asking for more connections than it was given. */
const askAgainAfterMs = 10_000;

/** What a pool does when it is refused a connection. */
export class RefusedConnections {
  readonly #pool: pg.Pool;
  readonly #size: number;
  readonly #logger: Logger;
  /** Those that were made. The pool counts those that it is still making as well. */
  #made = 0;
  #askAgainAtMs = 0;
  #logged: number | undefined;

  constructor(pool: pg.Pool, logger: Logger) {
    this.#pool = pool;
    this.#size = pool.options.max;
    this.#logger = logger;
    pool.on("connect", () => {
      this.#made += 1;
    });
    pool.on("remove", () => {
      this.#made -= 1;
    });
  }

  /** To be called before a connection is taken from the pool. */
  beforeTaking(): void {
    if (this.#pool.options.max < this.#size && performance.now() >= this.#askAgainAtMs) {
      this.#pool.options.max = this.#size;
    }
  }

  /** Whether asking the pool once more may help: it then waits for one of the connections that it has. */
  mayTryAgain(error: unknown): boolean {
    const connections = this.#made || this.#pool.totalCount;
    if (!isOutOfConnections(error) || connections === 0) {
      return false;
    }
    this.#pool.options.max = connections;
    this.#askAgainAtMs = performance.now() + askAgainAfterMs;
    if (this.#made > 0 && this.#logged !== this.#made) {
      this.#logged = this.#made;
      const reason = error instanceof Error ? error.message : String(error);
      this.#logger.warn("database_connections_refused", { connections: this.#made, wanted: this.#size, reason });
    }
    return true;
  }
}
