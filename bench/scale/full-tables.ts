import { setTimeout as wait } from "node:timers/promises";
import { mintKey, startByond } from "../byond.ts";
import type { Postgres } from "../databases.ts";
import { MessageProvider } from "../guard/message-provider.ts";
import { PostgresMeter, type Use } from "./postgres-meter.ts";
import { isSettled, VerificationLoad } from "./verification-load.ts";

const templates = 1_000;
/** How many there are when the load begins. */
export const fullCount = 200_000;
const count = 3_000;

/** What the WAL has besides the rows: the pages that are changed for the first time after a checkpoint, in tables that are full. */
export interface FullTablesCost {
  readonly count: number;
  readonly use: Use;
  /** Of a table or index, where more than one in a hundred verifications wrote a page. */
  readonly relations: readonly PageWrites[];
}

export interface PageWrites {
  readonly name: string;
  readonly pages: number;
  readonly bytes: number;
}

export async function measureFullTables(postgres: Postgres, note: (text: string) => void): Promise<FullTablesCost> {
  const databaseUrl = await postgres.createDatabase();
  await using provider = await MessageProvider.open();
  await using byond = await startByond(databaseUrl, provider.environment);
  const key = await mintKey(byond.url, databaseUrl, "live", ["*"]);
  return await postgres.asAdministrator(async (client) => {
    const meter = new PostgresMeter(postgres, client);
    await meter.prepare();
    const load = new VerificationLoad(byond, key, provider);
    await load.check(await load.start(templates), true);
    await isSettled(client);
    note(`full tables: writes ${fullCount.toLocaleString("en")} verifications`);
    await client.query("SET session_replication_role = replica");
    for (const statement of copies) {
      await client.query(statement);
    }
    await client.query("VACUUM ANALYZE");
    await client.query("CHECKPOINT");
    await wait(1_000);
    note("full tables: load");
    const { lsn } = await meter.read();
    const use = await meter.measure(async () => {
      const started = await load.start(count);
      await isSettled(client);
      await load.check(started, true);
      await isSettled(client);
    });
    const written = await meter.pagesWritten(lsn);
    const { rows } = await client.query(
      "SELECT relname AS name, pg_relation_size(oid)::float8 AS bytes FROM pg_class WHERE relname = ANY ($1)",
      [[...written.keys()]],
    );
    const relations = rows
      .map(({ name, bytes }) => ({ name, bytes, pages: written.get(name) ?? 0 }))
      .filter(({ pages }) => pages > count / 100)
      .sort((one, other) => other.pages - one.pages);
    return { count, use, relations };
  }, databaseUrl);
}

/** As long as an index that the server makes, and as random. */
const random = (column: string, seed: string) =>
  `substr(translate(encode(sha256((${seed})::text::bytea), 'base64'), '+/=', '-_'), 1, length(${column}))`;
const copied = (column: string) => `substr(${column}, 1, 4) || lpad((number * ${templates} + place)::text, 22, '0')`;
const copiesOf = (table: string) =>
  `(SELECT *, dense_rank() OVER (ORDER BY ${table === "verification" ? "id" : "subject_id"}) AS place FROM ${table}) AS template,
    generate_series(1, ${fullCount / templates}) AS number`;

/** What has been there for the days before: ids and times in their order, what is computed from a recipient in none. */
const copies: readonly string[] = [
  copyOf("verification", {
    id: copied("id"),
    recipient_index: random("recipient_index", `number * ${templates} + place`),
    created_at: "created_at - number * interval '3 hours'",
    expires_at: "expires_at - number * interval '3 hours'",
  }),
  copyOf("outbox", {
    id: copied("id"),
    subject_id: copied("subject_id"),
    created_at: "created_at - number * interval '3 hours'",
  }),
  copyOf("delivery_attempt", { subject_id: copied("subject_id"), outbox_id: copied("outbox_id") }),
  copyOf("event", {
    position: "-(number * 1000000 - position)",
    id: "substr(id, 1, 4) || lpad((number * 1000000 - position)::text, 22, '0')",
    subject_id: copied("subject_id"),
    created_at: "created_at - number * interval '3 hours'",
  }),
  // A recipient's limits are kept for hours, not for days.
  `INSERT INTO throttle (workspace_id, key, tat)
    SELECT workspace_id, regexp_replace(key, '[^:]*$', '') || ${random("regexp_replace(key, '^.*:', '')", "number::text || key")}, tat
    FROM throttle, generate_series(1, ${fullCount / templates / 10}) AS number WHERE length(key) > 20`,
];

function copyOf(table: string, own: Readonly<Record<string, string>>): string {
  const values = JSON.stringify(own).replaceAll("'", "''");
  // The columns are known to the database only.
  return `DO $do$
    DECLARE columns text; expressions text; own jsonb := '${values}';
    BEGIN
      SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum), string_agg(coalesce(own->>attname, quote_ident(attname)), ', ' ORDER BY attnum)
      INTO columns, expressions FROM pg_attribute WHERE attrelid = '${table}'::regclass AND attnum > 0 AND NOT attisdropped;
      EXECUTE 'INSERT INTO ${table} (' || columns || ') SELECT ' || expressions || $from$ FROM ${copiesOf(table)} $from$;
    END $do$`;
}
