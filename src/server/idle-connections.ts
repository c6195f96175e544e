import { limitKeyOf } from "./client-address.ts";

export interface IdleLimits {
  readonly maxIdle: number;
  /** From one IPv4 address, or one IPv6 /64. */
  readonly maxIdlePerSource: number;
  readonly maxIdleMs: number;
}

/** The protocol of a connection reports here whether it is idle. It starts idle. */
export interface Activity {
  /** A request is in progress. */
  busy(): void;
  /** No request is in progress. `end` is called once if that lasts too long, or if too many connections are idle. */
  idle(end: () => void): void;
  /** The connection is closed. */
  closed(): void;
}

interface Connection {
  readonly source: string;
  end: () => void;
  idleSinceMs: number;
}

const agesCheckedEveryMs = 1_000;

/**
 * Limits the connections without a request in progress. When too many are idle, of one source or in total, the one that has
 * been idle longest is closed: whoever hoards connections loses their own first, and connections in use stay.
 */
export class IdleConnections {
  readonly #limits: IdleLimits;
  /** Ordered: the longest idle first. So is the set of each source. */
  readonly #idle = new Set<Connection>();
  readonly #idleBySource = new Map<string, Set<Connection>>();
  readonly #timer: NodeJS.Timeout;

  constructor(limits: IdleLimits) {
    this.#limits = limits;
    this.#timer = setInterval(() => this.#endOld(), Math.min(agesCheckedEveryMs, limits.maxIdleMs)).unref();
  }

  /** Adds a connection from an address. `end` as in {@link Activity.idle}. */
  add(remoteAddress: string | undefined, end: () => void): Activity {
    const connection: Connection = { source: limitKeyOf(remoteAddress), end, idleSinceMs: 0 };
    let isOpen = true;
    this.#insert(connection);
    return {
      busy: () => this.#remove(connection),
      idle: (nextEnd) => {
        if (isOpen) {
          this.#remove(connection);
          connection.end = nextEnd;
          this.#insert(connection);
        }
      },
      closed: () => {
        isOpen = false;
        this.#remove(connection);
      },
    };
  }

  dispose(): void {
    clearInterval(this.#timer);
  }

  #insert(connection: Connection): void {
    const { source } = connection;
    const ofSource = this.#idleBySource.get(source) ?? new Set();
    this.#idleBySource.set(source, ofSource);
    connection.idleSinceMs = performance.now();
    ofSource.add(connection);
    this.#idle.add(connection);
    if (ofSource.size > this.#limits.maxIdlePerSource) this.#endFirst(ofSource);
    if (this.#idle.size > this.#limits.maxIdle) this.#endFirst(this.#idle);
  }

  #remove(connection: Connection): void {
    if (!this.#idle.delete(connection)) return;
    const ofSource = this.#idleBySource.get(connection.source);
    ofSource?.delete(connection);
    if (ofSource?.size === 0) this.#idleBySource.delete(connection.source);
  }

  #endFirst(connections: Iterable<Connection>): void {
    for (const connection of connections) {
      this.#remove(connection);
      connection.end();
      return;
    }
  }

  #endOld(): void {
    const latestMs = performance.now() - this.#limits.maxIdleMs;
    for (const connection of this.#idle) {
      if (connection.idleSinceMs > latestMs) return;
      this.#endFirst([connection]);
    }
  }
}
