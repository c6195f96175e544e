import { randomBytes } from "node:crypto";

/**
 * Small state of this server that all its processes share, and that is gone when it stops. The database is the place for everything else:
 * other servers do not see this.
 */
export interface SharedState {
  /** 32 random bytes in base64url, the same in every process. */
  secret(name: string): Promise<string>;
  /** True for the first who claims the name, in whichever process, and false ever after. */
  claim(name: string): Promise<boolean>;
  /** Adds an entry, unless the list has one with this id. Of more than `capacity` entries the oldest is dropped. */
  add(list: SharedList, id: string, entry: SharedEntry): Promise<void>;
  /** The entries, newest first: of one group, or all of them. */
  read(list: SharedList, group?: string): Promise<readonly string[]>;
}

export interface SharedList {
  readonly name: string;
  readonly capacity: number;
}

export interface SharedEntry {
  readonly group: string;
  readonly text: string;
}

/** The state, in the memory of the process that has it. */
export class LocalState implements SharedState {
  readonly #secrets = new Map<string, string>();
  readonly #claimed = new Set<string>();
  readonly #lists = new Map<string, readonly (SharedEntry & { readonly id: string })[]>();

  async secret(name: string): Promise<string> {
    const secret = this.#secrets.get(name) ?? randomBytes(32).toString("base64url");
    this.#secrets.set(name, secret);
    return secret;
  }

  async claim(name: string): Promise<boolean> {
    const isFirst = !this.#claimed.has(name);
    this.#claimed.add(name);
    return isFirst;
  }

  async add({ name, capacity }: SharedList, id: string, entry: SharedEntry): Promise<void> {
    const entries = this.#lists.get(name) ?? [];
    if (!entries.some((present) => present.id === id)) {
      this.#lists.set(name, [{ id, ...entry }, ...entries].slice(0, capacity));
    }
  }

  async read({ name }: SharedList, group?: string): Promise<readonly string[]> {
    const entries = this.#lists.get(name) ?? [];
    return entries.filter((entry) => group === undefined || entry.group === group).map(({ text }) => text);
  }
}
