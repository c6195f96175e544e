const tokenPattern = /^[\w!#$%&'*+.^`|~-]+$/;
const valuePattern = /^[\t\x20-\x7e\x80-\xff]*$/;
const outerBlanks = /^[\t\n\r ]+|[\t\n\r ]+$/g;
const cookieName = "set-cookie";

/**
 * Headers of one request or answer: a `Headers` for what every call makes, reads and writes. The runtime's own takes four
 * microseconds to make and half of one to read. It differs in the order in which it lists: as the fields were first set, not sorted.
 */
export class HeaderFields implements Headers {
  /** Names in lower case, each before its value. There are few, so that a search takes less than a map does to make. */
  readonly #list: string[];
  /** Each `Set-Cookie` stands on a line of its own (RFC 9110 §5.3). */
  #cookies: string[] | undefined;

  /** `list`: names in lower case, each once and before its value; valid ones without blanks around them. */
  constructor(list: string[] = []) {
    this.#list = list;
  }

  get(name: string): string | null {
    const key = name.toLowerCase();
    const at = this.#find(key);
    if (at !== -1) {
      return this.#list[at + 1] ?? null;
    }
    return key === cookieName && this.#cookies !== undefined ? this.#cookies.join(", ") : null;
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  /** Throws a TypeError for a name or a value that HTTP does not have. */
  set(name: string, value: string): void {
    const key = validName(name);
    const valid = validValue(value);
    if (key === cookieName) {
      this.#cookies = [valid];
    } else {
      this.#put(this.#find(key), key, valid);
    }
  }

  /** Throws a TypeError for a name or a value that HTTP does not have. */
  append(name: string, value: string): void {
    const key = validName(name);
    const added = validValue(value);
    if (key === cookieName) {
      this.#cookies = [...(this.#cookies ?? []), added];
    } else {
      const at = this.#find(key);
      this.#put(at, key, at === -1 ? added : `${this.#list[at + 1]}, ${added}`);
    }
  }

  delete(name: string): void {
    const key = name.toLowerCase();
    const at = this.#find(key);
    if (at !== -1) {
      this.#list.splice(at, 2);
    }
    if (key === cookieName) {
      this.#cookies = undefined;
    }
  }

  getSetCookie(): string[] {
    return [...(this.#cookies ?? [])];
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void, thisArg?: unknown): void {
    for (const [name, value] of this) {
      callback.call(thisArg, value, name, this);
    }
  }

  /** Adds the fields to a list as Node takes it, where names and values alternate. */
  appendTo(list: string[]): void {
    for (const text of this.#list) {
      list.push(text);
    }
    for (const cookie of this.#cookies ?? []) {
      list.push(cookieName, cookie);
    }
  }

  /** Names in lower case, and values. */
  [Symbol.iterator](): MapIterator<[string, string]> {
    return this.entries();
  }

  /** The fields as they are now: what is deleted meanwhile comes too. */
  *entries(): MapIterator<[string, string]> {
    const all: string[] = [];
    this.appendTo(all);
    for (let index = 0; index < all.length; index += 2) {
      yield [all[index] ?? "", all[index + 1] ?? ""];
    }
  }

  *keys(): MapIterator<string> {
    for (const [name] of this) {
      yield name;
    }
  }

  *values(): MapIterator<string> {
    for (const [, value] of this) {
      yield value;
    }
  }

  /** Where the name is. -1: nowhere. */
  #find(key: string): number {
    const list = this.#list;
    for (let index = 0; index < list.length; index += 2) {
      if (list[index] === key) {
        return index;
      }
    }
    return -1;
  }

  #put(at: number, key: string, value: string): void {
    if (at === -1) {
      this.#list.push(key, value);
    } else {
      this.#list[at + 1] = value;
    }
  }
}

/** A value without the blanks around it, which are no part of it (RFC 9110 §5.5). */
export function trimFieldValue(value: string): string {
  const first = value.charCodeAt(0);
  const last = value.charCodeAt(value.length - 1);
  return first <= 0x20 || last <= 0x20 ? value.replace(outerBlanks, "") : value;
}

/** Names that were used before, in lower case. They come from the server's own code, so there are few. */
const knownNames = new Map<string, string>();
const maxKnownNames = 500;

function validName(name: string): string {
  const known = knownNames.get(name);
  if (known !== undefined) {
    return known;
  }
  if (!tokenPattern.test(name)) {
    throw new TypeError("the name of a header must be a token");
  }
  const key = name.toLowerCase();
  if (knownNames.size < maxKnownNames) {
    knownNames.set(name, key);
  }
  return key;
}

function validValue(value: string): string {
  const text = trimFieldValue(String(value));
  if (!valuePattern.test(text)) {
    throw new TypeError("the value of a header must be of characters that HTTP has");
  }
  return text;
}
