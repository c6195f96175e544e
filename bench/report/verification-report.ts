/**
 * Reports of a million verifications in 90 days, and what counting costs. `npm run bench -- verification-report`. The verifications are written as
 * the trigger of `event` would have counted them; what it costs is measured with events, in turns with the trigger and without.
 */
import pg from "pg";
import { mintKey, startByond } from "../byond.ts";
import type { Simulation } from "../row.ts";

const verificationCount = 1_000_000;
const days = 90;

/** Two thirds are text messages; countries and keys are used as unevenly as they are. */
const fill = `
  INSERT INTO verification_slot
  SELECT
    $1, 'live', minutes, date_bin(minutes * interval '1 minute', started_at, 'epoch') AS slot, channel, country, provider, key_id,
    count(*), count(*), count(*) * 95 / 100, nullif(count(*) * 80 / 100, 0), nullif(count(*) * 20 / 100, 0), NULL, NULL, NULL,
    nullif(count(*) * 5 / 100, 0), count(*) * 700, NULL, NULL, NULL, NULL, NULL, nullif(count(*) * 20 / 100, 0), nullif(count(*) * 30 / 100, 0),
    nullif(count(*) * 15 / 100, 0), nullif(count(*) * 10 / 100, 0), nullif(count(*) * 4 / 100, 0), nullif(count(*) / 100, 0), NULL, NULL, NULL
  FROM (
    SELECT
      byond_now() - random() * interval '${days} days' AS started_at, channel,
      CASE WHEN channel <> 'email' THEN chr(65 + (power(random(), 3) * 8)::int) || chr(65 + (power(random(), 3) * 8)::int) ELSE '' END AS country,
      channel || CASE WHEN random() < 0.05 THEN '-2' ELSE '-1' END AS provider,
      'key_0VMbSkAz7b2a6e0h8jQx' || (power(random(), 2) * 3)::int AS key_id
    FROM generate_series(1, ${verificationCount}), LATERAL (
      SELECT (ARRAY['sms', 'sms', 'sms', 'sms', 'whatsapp', 'email'])[1 + floor(random() * 6)] AS channel WHERE generate_series IS NOT NULL
    ) AS chosen
  ) AS verifications, unnest(ARRAY[15, 360]) AS minutes
  GROUP BY minutes, slot, channel, country, provider, key_id
  ORDER BY slot`;

const from = new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

const asked: readonly (readonly [string, string])[] = [
  ["all of them", ""],
  ["days of Asia/Kolkata", "group_by=day&time_zone=Asia/Kolkata"],
  ["channels and providers", "group_by=channel&group_by=provider"],
  ["countries", "group_by=country"],
  ["days of Asia/Kathmandu and channels", "group_by=day&group_by=channel&time_zone=Asia/Kathmandu"],
  ["days and countries", "group_by=day&group_by=country"],
  ["days of America/New_York and countries", "group_by=day&group_by=country&time_zone=America/New_York"],
  ["countries, providers and keys", "group_by=country&group_by=provider&group_by=api_key"],
  ["days of one country", "group_by=day&countries=AA"],
];

export const verificationReport: Simulation = {
  name: "verification-report",
  title: "Reports of a million verifications",
  async run(postgres, note) {
    const databaseUrl = await postgres.createDatabase();
    await using byond = await startByond(databaseUrl);
    const key = await mintKey(byond.url, databaseUrl);
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    try {
      const { rows: workspaces } = await client.query(
        "SELECT id FROM workspace WHERE id NOT LIKE 'ws_byond%' ORDER BY created_at DESC LIMIT 1",
      );
      note("fills the table");
      const { rowCount } = await client.query(fill, [workspaces[0].id]);
      await client.query("VACUUM ANALYZE verification_slot");
      const { rows: sizes } = await client.query(
        "SELECT pg_size_pretty(pg_total_relation_size('verification_slot')) AS size",
      );
      const lines = [
        `${verificationCount.toLocaleString("en")} verifications in ${days} days: ${rowCount?.toLocaleString("en")} rows, ${sizes[0].size}.`,
        "",
        "| grouped by | groups | JSON, ms | CSV, ms | size, KB |",
        "|---|---|---|---|---|",
      ];
      const beforeMb = byond.residentMb;
      for (const [title, query] of asked) {
        note(title);
        const url = `${byond.url}/api/v1/reports/verifications?from=${from}&${query}`;
        const json = await medianOf(3, url, { "X-API-Key": key });
        const csv = await medianOf(3, url, { "X-API-Key": key, Accept: "text/csv" });
        const { groups } = JSON.parse(json.text);
        lines.push(
          `| ${title} | ${groups.length} | ${json.ms} | ${csv.ms} | ${Math.round(json.text.length / 1_024)} |`,
        );
      }
      return [
        ...lines,
        "",
        `The server has ${Math.round(byond.residentMb)} MB of memory, and had ${Math.round(beforeMb)} before.`,
        "",
        ...(await costOfCounting(client, note)),
      ].join("\n");
    } finally {
      await client.end();
    }
  },
};

async function medianOf(count: number, url: string, headers: Readonly<Record<string, string>>) {
  const times: number[] = [];
  let text = "";
  for (let index = 0; index < count; index++) {
    const startedMs = performance.now();
    const answer = await fetch(url, { headers });
    text = await answer.text();
    times.push(performance.now() - startedMs);
    if (answer.status !== 200) {
      throw new Error(`${url} answered ${answer.status}: ${text}`);
    }
  }
  return { ms: Math.round(times.sort((one, other) => one - other)[Math.floor(count / 2)] ?? 0), text };
}

const eventCount = 999;

/** Events of verifications that are started, delivered and approved, of as many workspaces. */
const pend = `
  INSERT INTO event_pending (workspace_id, mode, type, subject_id, created_at, snapshot)
  SELECT 'ws_' || i % $1, 'live', 'verification.' || type, 'vrf_' || $2 || '_' || i, byond_now(), jsonb_build_object(
    'at', byond_now(), 'channel', 'sms', 'status', CASE type WHEN 'approved' THEN type ELSE 'pending' END, 'createdAt', byond_now() - interval '9 seconds',
    'country', chr(65 + i % 5) || 'A', 'keyId', 'key_0VMbSkAz7b2a6e0h8jQx9L', 'provider', CASE WHEN type <> 'started' THEN 'twilio' END,
    'sent', type <> 'started'
  )
  FROM unnest(ARRAY['started', 'delivered', 'approved']) WITH ORDINALITY AS step (type, place), generate_series(1, ${eventCount / 3}) AS i
  ORDER BY place, i`;

/** Milliseconds that a transaction takes to give 999 events their positions, with and without counting them. */
async function costOfCounting(client: pg.Client, note: (text: string) => void): Promise<string[]> {
  await client.query("ALTER TABLE event DISABLE TRIGGER USER");
  const lines = ["| events | workspaces | numbering, ms | with counting, ms |", "|---|---|---|---|"];
  for (const workspaces of [1, 100]) {
    const [off, on]: [number[], number[]] = [[], []];
    for (let round = 0; round < 20; round++) {
      note(`${workspaces} workspaces, round ${round}`);
      for (const [times, change] of [
        [off, "DISABLE"],
        [on, "ENABLE"],
      ] as const) {
        await client.query(`ALTER TABLE event ${change} TRIGGER report_verifications`);
        await client.query("BEGIN");
        await client.query(pend, [workspaces, `${workspaces}_${round}_${change}`]);
        const startedMs = performance.now();
        await client.query("SELECT number_events(0, 1000)");
        times.push(performance.now() - startedMs);
        await client.query("COMMIT");
      }
    }
    const median = (times: number[]) => (times.sort((one, other) => one - other)[times.length / 2] ?? 0).toFixed(1);
    lines.push(`| ${eventCount} | ${workspaces} | ${median(off)} | ${median(on)} |`);
  }
  await client.query("ALTER TABLE event ENABLE TRIGGER USER");
  return lines;
}
