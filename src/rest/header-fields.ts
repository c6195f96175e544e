const tokenPattern = /^[\w!#$%&'*+.^`|~-]+$/;
const valuePattern = /^[\t\x20-\x7e\x80-\xff]*$/;
const outerBlanks = /^[\t\n\r ]+|[\t\n\r ]+$/g;
const cookieName = "set-cookie";

/**
 * Headers of one request or answer: a `Headers` for what every call makes, reads and writes. The runtime's own takes four
 * microseconds to make and half of one to read. It differs in the order in which it lists: as the fields were first set, not sorted.
 */
export class HeaderFields implements Headers {
  /** By name in lower case. Made for the first field: most calls have no trailers. */
  #fields: Map<string, string> | undefined;
  /** Each `Set-Cookie` stands on a line of its own (RFC 9110 §5.3). */
  #cookies: string[] | undefined;

  /** `fields`: by name in lower case, of valid names and values without blanks around them. */
  constructor(fields?: Map<string, string>) {
    this.#fields = fields;
  }

  get(name: string): string | null {
    const key = name.toLowerCase();
    return this.#fields?.get(key) ?? (key === cookieName ? (this.#cookies?.join(", ") ?? null) : null);
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  /** Throws a TypeError for a name or a value that HTTP does not have. */
  set(name: string, value: string): void {
    const key = validName(name);
    if (key === cookieName) {
      this.#cookies = [validValue(value)];
    } else {
      this.#own().set(key, validValue(value));
    }
  }

  /** Throws a TypeError for a name or a value that HTTP does not have. */
  append(name: string, value: string): void {
    const key = validName(name);
    const added = validValue(value);
    if (key === cookieName) {
      this.#cookies = [...(this.#cookies ?? []), added];
    } else {
      const present = this.#fields?.get(key);
      this.#own().set(key, present === undefined ? added : `${present}, ${added}`);
    }
  }

  delete(name: string): void {
    const key = name.toLowerCase();
    this.#fields?.delete(key);
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
    this.#fields?.forEach((value, name) => {
      list.push(name, value);
    });
    for (const cookie of this.#cookies ?? []) {
      list.push(cookieName, cookie);
    }
  }

  /** Names in lower case, and values. */
  [Symbol.iterator](): MapIterator<[string, string]> {
    return this.entries();
  }

  entries(): MapIterator<[string, string]> {
    return this.#cookies === undefined ? this.#own().entries() : this.#withCookies(this.#cookies);
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

  *#withCookies(cookies: readonly string[]): MapIterator<[string, string]> {
    yield* this.#own();
    for (const cookie of cookies) {
      yield [cookieName, cookie];
    }
  }

  #own(): Map<string, string> {
    this.#fields ??= new Map();
    return this.#fields;
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
