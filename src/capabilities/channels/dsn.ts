/**
 * The address and credentials of a provider, as `SMS_URL` and `VOICE_URL` list them: `scheme://user:password@host:port/path?name=value`.
 * User and password may stand before an empty host (`twilio://SID:TOKEN@?from=+15550100`), which `URL` refuses. Everything is
 * percent-encoded; a `+` is a plus sign, as telephone numbers have it.
 */
export interface Dsn {
  readonly scheme: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Empty if there is none. */
  readonly host: string;
  readonly port: number | undefined;
  readonly path: string;
  readonly parameters: DsnParameters;
  /** The text itself without those of these parameters that it has. It holds the secrets. */
  withoutParameters(names: readonly string[]): string;
}

const form = /^([a-z][a-z0-9+.-]*):\/\/(?:([^@/?#]*)@)?([^@/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/i;
const authority = /^(\[[0-9a-f:.]+\]|[^:[\]]*)(?::(\d{1,5}))?$/i;

/** Throws a `TypeError` that names what is wrong and never a part of the text. */
export function parseDsn(text: string): Dsn {
  const match = form.exec(text);
  if (match === null || match.slice(4).some((part) => part?.includes("@"))) {
    throw new TypeError(
      'it must be scheme://user:password@host?name=value, with special characters percent-encoded: "@" is %40, "/" is %2F, "," is %2C',
    );
  }
  const [, scheme = "", credentials, place = "", path = "", query = ""] = match;
  const [, host, port] = authority.exec(place) ?? [];
  if (host === undefined || Number(port) === 0 || Number(port ?? 1) > 65_535) {
    throw new TypeError("its host or port is not valid");
  }
  const [user, ...passwords] = credentials?.split(":") ?? [];
  if (passwords.length > 1) {
    throw new TypeError('its user and password must have ":" percent-encoded as %3A');
  }
  return {
    scheme: scheme.toLowerCase(),
    user: user === undefined ? undefined : decode(user),
    password: passwords[0] === undefined ? undefined : decode(passwords[0]),
    host: host.replace(/^\[|\]$/g, ""),
    port: port === undefined ? undefined : Number(port),
    path,
    parameters: new DsnParameters(query),
    withoutParameters(names) {
      const kept = query.split("&").filter((pair) => !names.includes(pair.split("=")[0] ?? ""));
      return text.split("?")[0] + (query === "" || kept.length === 0 ? "" : `?${kept.join("&")}`);
    },
  };
}

/** The parameters of a DSN. Each is taken once; what is left over is not known to anybody. */
export class DsnParameters {
  readonly #values = new Map<string, string>();
  readonly #taken = new Set<string>();

  constructor(query: string) {
    for (const pair of query === "" ? [] : query.split("&")) {
      const [name = "", ...rest] = pair.split("=");
      if (this.#values.has(name)) {
        throw new TypeError("it has a parameter twice");
      }
      this.#values.set(name, decode(rest.join("=")));
    }
  }

  /** The value of a parameter. Undefined if it is missing or empty. */
  take(name: string): string | undefined {
    this.#taken.add(name);
    return this.#values.get(name) || undefined;
  }

  /** As `take`, where the value must have a form: `described` says which, such as "digits". */
  takeForm(name: string, pattern: RegExp, described: string): string | undefined {
    const value = this.take(name);
    if (value !== undefined && !pattern.test(value)) {
      throw new TypeError(`its parameter ${name} must be ${described}`);
    }
    return value;
  }

  /** As `take`, of a whole number. */
  takeInteger(name: string, { min, max }: { readonly min: number; readonly max: number }): number | undefined {
    const value = this.take(name);
    if (value !== undefined && (!/^\d{1,9}$/.test(value) || Number(value) < min || Number(value) > max)) {
      throw new TypeError(`its parameter ${name} must be a whole number between ${min} and ${max}`);
    }
    return value === undefined ? undefined : Number(value);
  }

  /** Takes the parameters whose names begin with `prefix`, by the rest of their names. */
  takeAll(prefix: string): ReadonlyMap<string, string> {
    const found = [...this.#values].filter(([name]) => name.startsWith(prefix));
    for (const [name] of found) {
      this.#taken.add(name);
    }
    return new Map(found.map(([name, value]) => [name.slice(prefix.length), value]));
  }

  /** Throws a `TypeError` if there are parameters that nobody took. It names only what looks like a name. */
  refuseOthers(): void {
    const [other] = [...this.#values.keys()].filter((name) => !this.#taken.has(name));
    if (other !== undefined) {
      const named = /^[a-z][a-z_]{0,24}(\.[A-Z]{2})?$/.test(other)
        ? `the unknown parameter "${other}"`
        : "an unknown parameter";
      throw new TypeError(`it has ${named}; known are ${[...this.#taken].join(", ")}`);
    }
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TypeError("it is not percent-encoded correctly");
  }
}
