import pg from "pg";
import { connectionFor, type PostgresConnection } from "./connection.ts";
import { DatabaseConnectionError } from "./connection-error.ts";
import type { Primary } from "./primary.ts";

/** A client beside the pool, to be connected by `connect`. With several hosts, it is of the one that was found last. */
export function newClient(
  purpose: string,
  connection: PostgresConnection,
  options: Pick<pg.ClientConfig, "query_timeout" | "connectionTimeoutMillis">,
): pg.Client {
  const client = new pg.Client({ ...connectionFor(purpose, connection), ...options });
  // Without a listener, a lost connection would end the process; the statements fail by themselves then.
  client.on("error", () => undefined);
  return client;
}

/**
 * Connects a client of this connection, or closes it. With several hosts, it throws where the one is reached that cannot be written to, and
 * looks for the one that can, so that the next client finds it.
 */
export async function connect(client: pg.Client, connection: PostgresConnection): Promise<void> {
  const { primary } = connection;
  try {
    await client.connect();
    await primary?.requireWritable(client);
  } catch (error) {
    // What the client refuses, such as a way to authenticate, leaves the socket open. Not awaited: the server may not answer.
    client.end().catch(() => undefined);
    void primary?.isFoundAfter(error, connection);
    throw error;
  }
}

/** With several hosts, the first connection leads to the one that can be written to. Throws `DatabaseConnectionError` if none can. */
export async function findPrimary(connection: PostgresConnection): Promise<void> {
  try {
    await connection.primary?.find(connection);
  } catch (error) {
    throw new DatabaseConnectionError(error, connection);
  }
}

/** How long the answer to a statement may take. A pooler keeps a client waiting that has no session for it. */
export const patienceMs = 10_000;

/** Works on a connection of its own, whose statements have ten seconds by default. Throws `DatabaseConnectionError` if there is none. */
export async function withClient<T>(
  purpose: string,
  connection: PostgresConnection,
  work: (client: pg.Client) => Promise<T>,
  options: Pick<pg.ClientConfig, "query_timeout"> = { query_timeout: patienceMs },
): Promise<T> {
  await findPrimary(connection);
  const client = newClient(purpose, connection, options);
  try {
    await connect(client, connection);
  } catch (error) {
    throw new DatabaseConnectionError(error, connection);
  }
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The class of a pool's clients. The pool copies its options once, and the primary may change. */
export function clientOf(connection: PostgresConnection): typeof pg.Client {
  const { primary } = connection;
  if (primary === undefined) {
    return pg.Client;
  }
  const found: Primary = primary;
  return class extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      // The pool hides the password from what lists properties.
      super({ ...config, password: config?.password, ...found.current });
    }
  };
}
