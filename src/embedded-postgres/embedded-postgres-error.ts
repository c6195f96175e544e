/**
 * The embedded PostgreSQL cannot be started. The message is written for the operator and says what to do; `cause` is the technical
 * reason, if there is one.
 */
export class EmbeddedPostgresError extends Error {
  override readonly name = "EmbeddedPostgresError";
}

/** Appends the alternative that always exists: a PostgreSQL of the operator's own. */
export function orUseDatabaseUrl(message: string): string {
  return `${message}. Alternatively set DATABASE_URL to a PostgreSQL 15 or newer of your own`;
}
