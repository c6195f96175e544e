import { isIP } from "node:net";
import { resolve } from "node:path";

/** Where the data is kept. */
export type DatabaseConfig =
  /** A PostgreSQL that is brought along and lives and dies with the process. */
  | { readonly kind: "embedded"; readonly dataDir: string }
  /** One that somebody else runs. */
  | { readonly kind: "external"; readonly url: string };

export interface Config {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Paths of PEM files. Undefined: no TLS. */
  readonly tls: { readonly certPath: string; readonly keyPath: string } | undefined;
  /** The address that clients know the server by, without a slash at the end. Undefined: the address it listens on. */
  readonly publicUrl: string | undefined;
  readonly database: DatabaseConfig;
  /** The current secret first. Undefined: the embedded mode keeps one of its own. */
  readonly secrets: readonly string[] | undefined;
  readonly signUp: "open" | "closed";
  /** Whether messages that do not leave the server can be read at `/dev/inbox`: only where nobody else can ask. */
  readonly localInbox: boolean;
  readonly smtp: { readonly url: string; readonly from: string } | undefined;
}

/** The environment cannot be used. Lists every problem, one a line. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";

  constructor(problems: readonly string[]) {
    super(`The configuration cannot be used:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the environment into a frozen configuration. Throws one `ConfigError` that lists every problem. */
export function parseConfig(environment: Environment): Config {
  const problems: string[] = [];
  // An empty variable is an unset one: that is how compose files and unit files switch a setting off.
  const read = (name: string) => environment[name]?.trim() || undefined;

  const host = read("HOST") ?? "127.0.0.1";
  const databaseUrl = readUrl(read, "DATABASE_URL", ["postgres:", "postgresql:"], problems);
  const embedded = databaseUrl === undefined;
  const config: Config = {
    host,
    port: readInteger(read, "PORT", { default: 8080, min: 0, max: 65_535 }, problems),
    tls: readTls(read, problems),
    publicUrl: readUrl(read, "PUBLIC_URL", ["http:", "https:"], problems)?.replace(/\/+$/, ""),
    database: embedded
      ? { kind: "embedded", dataDir: resolve(read("DATA_DIR") ?? ".byond") }
      : { kind: "external", url: databaseUrl },
    secrets: readSecrets(read, embedded, problems),
    signUp: readChoice(
      read,
      "SIGN_UP",
      ["open", "closed"],
      embedded && isLoopbackHost(host) ? "open" : "closed",
      problems,
    ),
    localInbox: embedded && isLoopbackHost(host),
    smtp: readSmtp(read, problems),
  };
  if (problems.length > 0) {
    throw new ConfigError(problems);
  }
  return Object.freeze(config);
}

/** Whether only this machine can reach a server that listens on `host`. */
export function isLoopbackHost(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

type Read = (name: string) => string | undefined;

function readInteger(
  read: Read,
  name: string,
  range: { readonly default: number; readonly min: number; readonly max: number },
  problems: string[],
): number {
  const text = read(name);
  if (text === undefined) {
    return range.default;
  }
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < range.min || value > range.max) {
    problems.push(`${name} must be a whole number between ${range.min} and ${range.max}, not "${text}"`);
  }
  return value;
}

function readChoice<const T extends string>(
  read: Read,
  name: string,
  choices: readonly T[],
  fallback: T,
  problems: string[],
): T {
  const text = read(name) ?? fallback;
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) {
    problems.push(`${name} must be one of: ${choices.join(", ")}, not "${text}"`);
  }
  return choice ?? fallback;
}

function readUrl(read: Read, name: string, protocols: readonly string[], problems: string[]): string | undefined {
  const text = read(name);
  // The value may hold a password: a problem names the variable, never its content.
  if (text !== undefined && !(URL.canParse(text) && protocols.includes(new URL(text).protocol))) {
    problems.push(
      `${name} must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`,
    );
  }
  return text;
}

function readTls(read: Read, problems: string[]): Config["tls"] {
  const certPath = read("TLS_CERT");
  const keyPath = read("TLS_KEY");
  if (certPath !== undefined && keyPath !== undefined) {
    return { certPath: resolve(certPath), keyPath: resolve(keyPath) };
  }
  if (certPath !== undefined || keyPath !== undefined) {
    problems.push("TLS_CERT and TLS_KEY go together: set both, or neither");
  }
  return undefined;
}

function readSecrets(read: Read, embedded: boolean, problems: string[]): readonly string[] | undefined {
  const text = read("BYOND_SECRET");
  if (text === undefined) {
    if (!embedded) {
      problems.push("BYOND_SECRET is required with DATABASE_URL: 32 random bytes or more (openssl rand -base64 32)");
    }
    return undefined;
  }
  const secrets = text.split(",").map((secret) => secret.trim());
  if (secrets.some((secret) => Buffer.byteLength(secret) < 32)) {
    problems.push("BYOND_SECRET must be 32 bytes or longer, each one of a comma-separated list");
  }
  if (new Set(secrets).size < secrets.length) {
    problems.push("BYOND_SECRET lists a secret twice");
  }
  return secrets;
}

function readSmtp(read: Read, problems: string[]): Config["smtp"] {
  const url = readUrl(read, "SMTP_URL", ["smtp:", "smtps:"], problems);
  const from = read("MAIL_FROM");
  if (url === undefined) {
    return undefined;
  }
  if (from === undefined) {
    problems.push(
      'MAIL_FROM is required with SMTP_URL: the sender of the mails, such as "Acme <no-reply@acme.example>"',
    );
    return undefined;
  }
  return { url, from };
}
