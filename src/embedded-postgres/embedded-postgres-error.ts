/**
 * PostgreSQL could not be brought along. The message is written for the person who runs the server and says what to do;
 * `cause` carries the technical reason where there is one.
 */
export class EmbeddedPostgresError extends Error {
  override readonly name = "EmbeddedPostgresError";
}

/** Ends a message with the way out that always exists: a PostgreSQL of the user's own. */
export function orUseDatabaseUrl(message: string): string {
  return `${message}. Alternatively set DATABASE_URL to a PostgreSQL 15 or newer of your own`;
}
