import type { PostgresConnection } from "./connection.ts";
import { codeOf } from "./database-errors.ts";

/** The first connection was not made. The message says why, and what to set; it holds no password. */
export class DatabaseConnectionError extends Error {
  override readonly name = "DatabaseConnectionError";
  /** The setting that leads to it. */
  readonly setting: string;
  /** The SQLSTATEs, or Node's codes: of several hosts, those of each. */
  readonly codes: readonly string[];

  constructor(cause: unknown, { ssl, connectionTimeoutMillis, setting }: PostgresConnection) {
    const errors = errorsOf(cause);
    const message = errors.map((error) => error.message).join("; ");
    const hints: readonly (readonly [boolean, RegExp, string])[] = [
      [true, /getaddrinfo/, "Its host name cannot be resolved"],
      [true, /database ".*" does not exist/s, "Create it with CREATE DATABASE"],
      [
        true,
        /too many (clients|connections)|connection slots are reserved/,
        "All its connections are in use: see max_connections, and the limits of the role and of the database",
      ],
      [true, /client password must be a/, "The server requires a password, and the URL has none"],
      [true, /timeout expired|due to connection timeout/, `No answer for ${connectionTimeoutMillis / 1000} seconds`],
      [ssl === false, /no encryption/, "The server may require encryption: set sslmode"],
      [ssl !== false, /does not support SSL/, "It has no encryption: enable it there, or set sslmode=disable"],
      [ssl !== false, /SSL alert number/, "The server refused the certificate in sslcert"],
      [
        ssl !== false,
        /does not match certificate/,
        "sslmode=verify-full requires a certificate for the name of the host",
      ],
      [
        ssl !== false,
        /self-signed certificate|unable to (verify|get)|certificate signature failure/,
        "No authority in sslrootcert has signed the server's certificate",
      ],
    ];
    const hint = hints.find(([applies, pattern]) => applies && pattern.test(message))?.[2];
    super(hint === undefined ? message : `${message}. ${hint}.`, { cause });
    this.setting = setting;
    this.codes = errors.map(codeOf);
  }
}

/** A name with several addresses, and several hosts, fail with one error for each of them, and no message of its own. */
function errorsOf(error: unknown): readonly Error[] {
  if (error instanceof AggregateError) {
    return error.errors.flatMap(errorsOf);
  }
  return [error instanceof Error ? error : new Error(String(error))];
}
