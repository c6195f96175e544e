interface Entry<Key, Value> {
  readonly key: Key;
  value: Value;
  newer: Entry<Key, Value> | undefined;
  older: Entry<Key, Value> | undefined;
}

/**
 * A map of at most `maxEntries`. Beyond that, the least recently used entry is removed.
 *
 * The order is a list of its own. To delete an entry of a `Map` and set it again, as is often done, makes a small map copy itself
 * every few reads, and old copies keep alive what was young when they were made.
 */
export class LruMap<Key, Value extends object> {
  readonly #maxEntries: number;
  readonly #entries = new Map<Key, Entry<Key, Value>>();
  #newest: Entry<Key, Value> | undefined;
  #oldest: Entry<Key, Value> | undefined;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      return undefined;
    }
    if (entry !== this.#newest) {
      this.#unlink(entry);
      this.#linkAsNewest(entry);
    }
    return entry.value;
  }

  set(key: Key, value: Value): void {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.value = value;
      this.#unlink(known);
      this.#linkAsNewest(known);
      return;
    }
    const entry: Entry<Key, Value> = { key, value, newer: undefined, older: undefined };
    this.#entries.set(key, entry);
    this.#linkAsNewest(entry);
    if (this.#entries.size > this.#maxEntries && this.#oldest !== undefined) {
      this.delete(this.#oldest.key);
    }
  }

  delete(key: Key): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      this.#entries.delete(key);
      this.#unlink(entry);
    }
  }

  #linkAsNewest(entry: Entry<Key, Value>): void {
    entry.newer = undefined;
    entry.older = this.#newest;
    if (this.#newest === undefined) {
      this.#oldest = entry;
    } else {
      this.#newest.newer = entry;
    }
    this.#newest = entry;
  }

  #unlink({ newer, older }: Entry<Key, Value>): void {
    if (newer === undefined) {
      this.#newest = older;
    } else {
      newer.older = older;
    }
    if (older === undefined) {
      this.#oldest = newer;
    } else {
      older.newer = newer;
    }
  }
}
