import pg from "pg";
import { codeOf, isConnectionLost, isHandshakeFailure } from "./database-errors.ts";
import type { DatabaseHost } from "./database-url.ts";
import type { VerifiedTls } from "./verified-tls.ts";

/** What differs between the hosts of one URL. */
export interface HostConnection extends DatabaseHost {
  readonly ssl: false | VerifiedTls;
}

/** The connection options of a client, as far as it matters here. */
type Options = pg.ClientConfig & HostConnection & { readonly application_name: string };

/** A host answers, and cannot be written to. The code is that of PostgreSQL: such an error is not for ever. */
export class ReadOnlyHostError extends Error {
  readonly code = "25006";
  override readonly name = "ReadOnlyHostError";

  constructor({ host, port }: DatabaseHost) {
    super(`${host}:${port} is read-only`);
  }
}

const patienceMs = 2_000;
/** A search that found none is not repeated before that: every call asks for one while the database is away. */
const notAgainBeforeMs = 200;

/** Which of several hosts can be written to: the primary. It changes with a failover. */
export class Primary {
  readonly #hosts: readonly HostConnection[];
  #current: HostConnection;
  #searching: Promise<void> | undefined;
  #failedAtMs = Number.NEGATIVE_INFINITY;

  constructor(first: HostConnection, others: readonly HostConnection[]) {
    this.#hosts = [first, ...others];
    this.#current = first;
  }

  /** The host that was found last. */
  get current(): HostConnection {
    return this.#current;
  }

  /** Throws `ReadOnlyHostError` if the host that the client has reached cannot be written to. */
  async requireWritable(client: pg.Client): Promise<void> {
    const question = {
      text: "SELECT current_setting('transaction_read_only')::boolean AS is_read_only",
      query_timeout: patienceMs,
    };
    const { rows } = await client.query<{ is_read_only: boolean }>(question);
    if (rows[0]?.is_read_only !== false) {
      throw new ReadOnlyHostError(client);
    }
  }

  /** Asks all hosts at once, and takes the first that can be written to. Throws an `AggregateError` if there is none. */
  find(connection: Options): Promise<void> {
    this.#searching ??= this.#search(connection).finally(() => {
      this.#searching = undefined;
    });
    return this.#searching;
  }

  /** Whether connecting once more may help after this error: another host was found, or the same one again. */
  async isFoundAfter(error: unknown, connection: Options): Promise<boolean> {
    const isOfHost =
      error instanceof Error &&
      (isConnectionLost(error) || isHandshakeFailure(error) || /^(25006|57P0|08)/.test(codeOf(error)));
    if (!isOfHost || performance.now() - this.#failedAtMs < notAgainBeforeMs) {
      return false;
    }
    return this.find(connection).then(
      () => true,
      () => false,
    );
  }

  async #search(connection: Options): Promise<void> {
    try {
      this.#current = await Promise.any(this.#hosts.map((host) => this.#ask({ ...connection, ...host })));
    } catch (error) {
      this.#failedAtMs = performance.now();
      throw error;
    }
  }

  async #ask(connection: Options): Promise<HostConnection> {
    const client = new pg.Client({ ...connection, application_name: `${connection.application_name} search` });
    client.on("error", () => undefined);
    const { host, port, ssl } = connection;
    try {
      await client.connect();
      await this.requireWritable(client);
      return { host, port, ssl };
    } finally {
      client.end().catch(() => undefined);
    }
  }
}
