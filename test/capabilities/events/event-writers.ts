import pg from "pg";

/** An account whose events a test writes by itself. */
export interface EventOwner {
  readonly workspaceId: string;
  readonly mode: "live" | "test";
  readonly keyId: string;
}

/** Writes events as capabilities do, in transactions of its own: those of a key that exists, in the form of its first event. */
export class EventWriter implements AsyncDisposable {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async open(databaseUrl: string): Promise<EventWriter> {
    const client = new pg.Client({ connectionString: databaseUrl });
    client.on("error", () => undefined);
    await client.connect();
    return new EventWriter(client);
  }

  /** Commits some events, after a while with the transaction open. Nobody is told of them. */
  async write({ workspaceId, mode, keyId }: EventOwner, count: number, openSeconds = 0): Promise<void> {
    await this.#client.query("BEGIN");
    await this.#client.query(
      `INSERT INTO event_pending (workspace_id, mode, type, subject_id, created_at, snapshot)
       SELECT $1, $2, CASE number % 2 WHEN 0 THEN 'api_key.updated' ELSE 'api_key.rotated' END, $3, byond_now(), snapshot
       FROM (SELECT snapshot FROM event WHERE subject_id = $3 ORDER BY position LIMIT 1) AS first, generate_series(1, $4::int) AS number`,
      [workspaceId, mode, keyId, count],
    );
    await this.#client.query("SELECT pg_sleep($1)", [openSeconds]);
    await this.#client.query("COMMIT");
  }

  /** Gives positions to what is committed, as servers do within a second. */
  async number(): Promise<void> {
    await this.#client.query("SELECT number_events(0, 1000)");
  }

  /** The ids of all events of an owner, in order. */
  async ids({ workspaceId, mode }: EventOwner): Promise<string[]> {
    const { rows } = await this.#client.query<{ id: string }>(
      "SELECT id FROM event WHERE workspace_id = $1 AND mode = $2 ORDER BY position",
      [workspaceId, mode],
    );
    return rows.map(({ id }) => id);
  }

  async run(text: string, values: unknown[] = []): Promise<void> {
    await this.#client.query(text, values);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }
}
