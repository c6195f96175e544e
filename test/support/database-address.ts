import { connectionOf, type PostgresConnection } from "../../src/database/connection.ts";
import { type DatabaseAddress, parseDatabaseUrl } from "../../src/database/database-url.ts";

/** Parses a `DATABASE_URL`. Throws if the server would refuse it. */
export function addressOf(url: string): DatabaseAddress {
  const problems: string[] = [];
  const address = parseDatabaseUrl(url, problems);
  if (problems.length > 0) {
    throw new Error(problems.join("\n"));
  }
  return address;
}

/** The connection settings that the server derives from a `DATABASE_URL`. */
export function connectionTo(url: string): Promise<PostgresConnection> {
  return connectionOf(addressOf(url));
}
