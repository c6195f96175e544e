import type pg from "pg";
import { inSpan, type SpanAttributes } from "../observe/active-span.ts";
import type { BoundStatement } from "./statement.ts";

/** What the spans of all statements of a client have: where its database is. */
function databaseAttributes({ host, port, database = "" }: pg.Client): SpanAttributes {
  return {
    "db.system.name": "postgresql",
    "db.namespace": database,
    ...(host.startsWith("/") ? { "server.address": host } : { "server.address": host, "server.port": port }),
  };
}

/**
 * Runs a statement as a span of the call that it belongs to, named after it (database spans, `db.query.summary`). The span has neither its
 * text nor its values, nor what PostgreSQL says of an error, which quotes rows.
 */
export async function inStatementSpan<T>(
  client: pg.Client,
  { name, text }: Pick<BoundStatement<unknown>, "name" | "text">,
  work: () => Promise<T>,
): Promise<T> {
  // One that Kysely wrote has no name. Its first word is SELECT, INSERT and so on.
  const summary = name ?? /^\w+/.exec(text)?.[0].toUpperCase() ?? "statement";
  return inSpan(
    {
      name: summary,
      kind: "client",
      attributes: { ...databaseAttributes(client), "db.query.summary": summary },
      errorType: sqlStateOf,
    },
    work,
  );
}

/** The SQLSTATE, or the code of the socket's error. */
function sqlStateOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string" && /^\w{1,40}$/.test(error.code)) {
    return error.code;
  }
  return error instanceof Error ? error.name : "_OTHER";
}
