import type { PostgresConnection } from "./connection.ts";

/** The first connection was not made. The message says why, and what to set; it holds no password. */
export class DatabaseConnectionError extends Error {
  override readonly name = "DatabaseConnectionError";

  constructor(cause: unknown, { ssl, connectionTimeoutMillis }: PostgresConnection) {
    const message = messagesOf(cause);
    const hints: readonly (readonly [boolean, RegExp, string])[] = [
      [true, /getaddrinfo/, "The name of its host is not known"],
      [true, /database ".*" does not exist/s, "CREATE DATABASE makes it"],
      [
        true,
        /too many (clients|connections)|connection slots are reserved/,
        "All its connections are taken: see max_connections, and the limits of the role and of the database",
      ],
      [true, /client password must be a/, "The server asks for a password, and the URL has none"],
      [true, /timeout expired|due to connection timeout/, `No answer for ${connectionTimeoutMillis / 1000} seconds`],
      [ssl === false, /no encryption/, "The server may take encrypted connections only: sslmode"],
      [ssl !== false, /does not support SSL/, "Only sslmode=disable does without"],
      [ssl !== false, /SSL alert number/, "The server refuses sslcert"],
      [ssl !== false, /does not match certificate/, "sslmode=verify-full asks for the name of the host"],
      [
        ssl !== false,
        /self-signed certificate|unable to (verify|get)|certificate signature failure/,
        "No authority of sslrootcert has signed the server's certificate",
      ],
    ];
    const hint = hints.find(([applies, pattern]) => applies && pattern.test(message))?.[2];
    super(hint === undefined ? message : `${message}. ${hint}.`, { cause });
  }
}

/** A name with several addresses fails with one error for each of them, and no message of its own. */
function messagesOf(error: unknown): string {
  if (error instanceof AggregateError) {
    return error.errors.map(messagesOf).join("; ");
  }
  return error instanceof Error ? error.message : String(error);
}
