import { connectionOf, type PostgresConnection } from "../../src/database/connection.ts";
import { type DatabaseAddress, parseDatabaseUrl } from "../../src/database/database-url.ts";

/** What `DATABASE_URL` means. Throws if the server would refuse it. */
export function addressOf(url: string): DatabaseAddress {
  const problems: string[] = [];
  const address = parseDatabaseUrl(url, problems);
  if (problems.length > 0) {
    throw new Error(problems.join("\n"));
  }
  return address;
}

/** What clients of the server are given for `DATABASE_URL`. */
export function connectionTo(url: string): Promise<PostgresConnection> {
  return connectionOf(addressOf(url));
}
