import type { Awaitable } from "../awaitable.ts";
import { LruMap } from "../lru-map.ts";
import type { AppliedRevocations, RevocationBasis } from "./applied-revocations.ts";

/** What the database says of a credential. */
export interface Loaded<T> {
  readonly record: T;
  /** The subjects that the record depends on besides that of its key, such as its workspace. */
  readonly subjects: readonly string[];
}

/** A record, and what its being true rests on. */
export interface Found<T> extends RevocationBasis {
  readonly record: T;
}

export interface CacheOptions<T> {
  /** Reads one credential from the database, in one statement. Undefined: there is none. */
  readonly load: (key: string) => Promise<Loaded<T> | undefined>;
  /** The subject of a key: everything that is cached under the key depends on it, absence included. */
  readonly subjectOf: (key: string) => string;
  /** Credentials remembered at most. */
  readonly maxEntries: number;
  /** Keys without a credential remembered at most. Default: `maxEntries`. */
  readonly maxAbsent?: number;
}

export interface CacheCounters {
  hits: number;
  misses: number;
  /** Reads for requests that came while there was no lease. */
  readsWithoutLease: number;
  /** Reads that were repeated because of a revocation in between. */
  repeatedReads: number;
}

interface Entry<T> {
  readonly record: T | undefined;
  readonly subjects: readonly string[];
  asOf: number;
}

interface Dependencies {
  readonly lease: { isValid(): boolean };
  readonly applied: AppliedRevocations;
  readonly counters: CacheCounters;
}

/**
 * Credentials by key. With a valid lease they are read once and remembered until one of their subjects is revoked; without a
 * lease, every request reads the database. Either way no answer is older than the last revocation that was answered before
 * the request was sent.
 *
 * Absence is remembered too. Code that creates a credential under a key that may have been presented before has to revoke the
 * subject of the key. Random keys cannot have been presented before.
 */
export class CredentialCache<T> {
  readonly #deps: Dependencies;
  readonly #options: CacheOptions<T>;
  readonly #present: LruMap<string, Entry<T>>;
  readonly #absent: LruMap<string, Entry<T>>;
  readonly #fills = new Map<string, Promise<Entry<T>>>();

  constructor(deps: Dependencies, options: CacheOptions<T>) {
    this.#deps = deps;
    this.#options = options;
    this.#present = new LruMap(options.maxEntries);
    this.#absent = new LruMap(options.maxAbsent ?? options.maxEntries);
  }

  /** How many keys are remembered, absent ones included. */
  get size(): number {
    return this.#present.size + this.#absent.size;
  }

  /**
   * The credential of a key, or undefined if there is none. Throws what `load` throws: `unavailable` if the database is needed
   * and cannot be reached.
   */
  get(key: string): Awaitable<Found<T> | undefined> {
    const { lease, counters } = this.#deps;
    if (!lease.isValid()) {
      counters.readsWithoutLease += 1;
      return this.#read(key).then(found);
    }
    const remembered = this.#remembered(key);
    if (remembered !== undefined) {
      counters.hits += 1;
      return found(remembered);
    }
    counters.misses += 1;
    return (this.#fills.get(key) ?? this.#startFill(key)).then(found);
  }

  #remembered(key: string): Entry<T> | undefined {
    const { applied } = this.#deps;
    const entry = this.#present.get(key) ?? this.#absent.get(key);
    if (entry === undefined || !applied.isCurrent(entry)) {
      return undefined;
    }
    entry.asOf = applied.position;
    return entry;
  }

  #startFill(key: string): Promise<Entry<T>> {
    const fill = this.#fill(key);
    this.#fills.set(key, fill);
    return fill;
  }

  /** Reads until no subject was revoked during the read. Each further read needs one more revocation of one of the subjects. */
  async #fill(key: string): Promise<Entry<T>> {
    const { applied, counters } = this.#deps;
    try {
      for (;;) {
        const entry = await this.#read(key);
        if (applied.isCurrent(entry)) {
          this.#remember(key, entry);
          return entry;
        }
        counters.repeatedReads += 1;
      }
    } finally {
      this.#fills.delete(key);
    }
  }

  async #read(key: string): Promise<Entry<T>> {
    const { load, subjectOf } = this.#options;
    // Noted before the read: a revocation that is applied later may be missing from what was read.
    const asOf = this.#deps.applied.position;
    const loaded = await load(key);
    return { record: loaded?.record, subjects: [subjectOf(key), ...(loaded?.subjects ?? [])], asOf };
  }

  #remember(key: string, entry: Entry<T>): void {
    const [into, outOf] = entry.record === undefined ? [this.#absent, this.#present] : [this.#present, this.#absent];
    outOf.delete(key);
    into.set(key, entry);
  }
}

function found<T>(entry: Entry<T>): Found<T> | undefined {
  return entry.record === undefined ? undefined : { record: entry.record, subjects: entry.subjects, asOf: entry.asOf };
}
