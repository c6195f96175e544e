/**
 * What partitions by time would change. `npm run bench -- partitions`. The two tables with the most that is kept are there twice, as they are and in 30
 * partitions of a day each, with the same rows: `event` by its position, `verification` by its id, which begins with the time.
 */
import type pg from "pg";
import { mintKey, startByond } from "../byond.ts";
import { Postgres } from "../databases.ts";
import { MessageProvider } from "../guard/message-provider.ts";
import type { Simulation } from "../row.ts";
import { kilobytes } from "./cost-tables.ts";
import { type Partitioned, partitioned } from "./partitioned-tables.ts";
import { meterSettings, PostgresMeter, type Use } from "./postgres-meter.ts";
import { isSettled, VerificationLoad } from "./verification-load.ts";

const verificationCount = 200;
const calls = 1_000;
const rowsOfInsert = 100;

interface Side {
  readonly insert: Use;
  readonly reads: readonly { readonly name: string; readonly microseconds: number; readonly locks: number }[];
  readonly removal: Use;
  readonly vacuum: Use | undefined;
  readonly megabytes: number;
}

export const partitions: Simulation = {
  name: "partitions",
  title: "Partitions of a day",
  async run(_, note) {
    await using postgres = await Postgres.start("partitions", meterSettings);
    const databaseUrl = await postgres.createDatabase();
    {
      await using provider = await MessageProvider.open();
      await using byond = await startByond(databaseUrl, provider.environment);
      const load = new VerificationLoad(byond, await mintKey(byond.url, databaseUrl, "live", ["*"]), provider);
      await load.check(await load.start(verificationCount), true);
      await postgres.asAdministrator(isSettled, databaseUrl);
    }
    return await postgres.asAdministrator(async (client) => {
      const meter = new PostgresMeter(postgres, client);
      await meter.prepare();
      const parts: string[] = [];
      for (const table of partitioned) {
        parts.push(await compareTables(client, meter, table, (text) => note(`${table.name}: ${text}`)));
      }
      return parts.join("\n\n");
    }, databaseUrl);
  },
};

async function compareTables(
  client: pg.Client,
  meter: PostgresMeter,
  table: Partitioned,
  note: (text: string) => void,
): Promise<string> {
  note("writes the rows");
  for (const statement of table.create) {
    await client.query(statement);
  }
  await client.query("VACUUM ANALYZE");
  await client.query("SET enable_seqscan = off; SET enable_bitmapscan = off; SET plan_cache_mode = force_generic_plan");
  await client.query("SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off");
  const sides: Side[] = [];
  for (const name of [`${table.name}_whole`, `${table.name}_parted`]) {
    note(name);
    sides.push(await measureSide(client, meter, table, name));
  }
  const [whole, parted] = sides;
  return whole === undefined || parted === undefined ? "" : describe(table, whole, parted);
}

async function measureSide(client: pg.Client, meter: PostgresMeter, table: Partitioned, name: string): Promise<Side> {
  const { rows: sizes } = await client.query(
    `SELECT sum(pg_total_relation_size(relid))::float8 AS bytes
      FROM (SELECT relid FROM pg_partition_tree($1) UNION SELECT $1::regclass) AS part`,
    [name],
  );
  const { rows: named } = await client.query(
    `SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS columns FROM pg_attribute
      WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`,
    [table.name],
  );
  const columns: string = named[0].columns;
  await client.query("CHECKPOINT");
  const insert = await meter.measure(async () => {
    for (let first = 0; first < table.rowsOfDay; first += rowsOfInsert) {
      await client.query({
        name: `insert_${name}`,
        text: `INSERT INTO ${name} SELECT ${columns} FROM ${table.name}_next WHERE row >= $1 AND row < $2`,
        values: [first, first + rowsOfInsert],
      });
    }
  });
  const reads: Side["reads"][number][] = [];
  for (const read of table.statements) {
    const query = { name: `${read.name} ${name}`, text: read.text.replaceAll("TABLE", name) };
    const samples = await client.query(table.samples);
    const run = (index: number) =>
      client.query({ ...query, values: [...read.values(samples.rows[index % samples.rows.length])] });
    await run(0);
    const use = await meter.measure(async () => {
      for (let index = 0; index < calls; index += 1) {
        await run(index);
      }
    });
    await client.query("BEGIN");
    await run(1);
    const { rows } = await client.query(
      "SELECT count(*)::integer AS locks FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND relation <> 'pg_locks'::regclass",
    );
    await client.query("COMMIT");
    reads.push({ name: read.name, microseconds: (use.cpuMs / calls) * 1_000, locks: rows[0].locks });
  }
  await client.query("VACUUM");
  await client.query("CHECKPOINT");
  const isWhole = name.endsWith("_whole");
  const removal = await meter.measure(async () => {
    if (!isWhole) {
      await client.query(`DROP TABLE ${name}_1`);
      return;
    }
    for (let swept = 1; swept > 0; ) {
      swept = (await client.query(table.sweep.replaceAll("TABLE", name))).rowCount ?? 0;
    }
  });
  const vacuum = isWhole ? await meter.measure(() => client.query(`VACUUM ${name}`)) : undefined;
  return { insert, reads, removal, vacuum, megabytes: sizes[0].bytes / 1e6 };
}

function describe(table: Partitioned, whole: Side, parted: Side): string {
  const wal = ({ walBytes, pageBytes }: Use) => walBytes + pageBytes;
  const row = (use: Use) =>
    `${((use.cpuMs / table.rowsOfDay) * 1_000).toFixed(0)} µs, ${kilobytes(wal(use) / table.rowsOfDay)} KB`;
  const once = (use: Use | undefined) =>
    use === undefined ? "nothing" : `${use.cpuMs.toFixed(0)} ms, ${(wal(use) / 1e6).toFixed(2)} MB`;
  return [
    `### \`${table.name}\`: ${table.rows.toLocaleString("en")} rows`,
    "",
    "| | one table | 30 partitions |",
    "|---|---|---|",
    `| size, MB | ${whole.megabytes.toFixed(0)} | ${parted.megabytes.toFixed(0)} |`,
    `| a row that is written: CPU, WAL | ${row(whole.insert)} | ${row(parted.insert)} |`,
    ...whole.reads.map((read, index) => {
      const other = parted.reads[index];
      return `| ${read.name}: CPU, relations locked | ${read.microseconds.toFixed(0)} µs, ${read.locks} | ${other?.microseconds.toFixed(0)} µs, ${other?.locks} |`;
    }),
    `| the oldest day goes (${table.rowsOfDay.toLocaleString("en")} rows): CPU, WAL | ${once(whole.removal)} | ${once(parted.removal)} |`,
    `| then VACUUM | ${once(whole.vacuum)} | ${once(parted.vacuum)} |`,
  ].join("\n");
}
