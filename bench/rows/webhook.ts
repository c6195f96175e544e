import { setTimeout as wait } from "node:timers/promises";
import { mintKey, startByond } from "../byond.ts";
import type { Postgres } from "../databases.ts";
import { Http1Connection, requestBytes } from "../load/http1.ts";
import { compareRounds, milliseconds, type Outcome, quantile, type Row, type Run } from "../row.ts";
import { callApi, startBody } from "../verify-workspace.ts";
import { openWebhookReceiver } from "../webhook-receiver.ts";

/** Starts a second: one at a time, so that each event has a server that is at rest; and so many that events share a numbering. */
const [lowRate, highRate] = [5, 50];
/** A rate is kept for longer than other rows are measured: there has to be a 95th percentile. */
const secondsFactor = 3;
const warmUpStarts = 300;

interface Bench {
  readonly postgres: Postgres;
  readonly databaseUrl: string;
  readonly url: string;
  readonly key: string;
  readonly arrivals: ReadonlyMap<string, number>;
}

let recipients = 0;

/** Starts verifications when they are due, and answers how long their events took, in milliseconds, ascending. */
async function measureDelays(bench: Bench, perSecond: number, starts: number): Promise<number[]> {
  const idle: Http1Connection[] = [];
  const start = async () => {
    const connection = idle.pop() ?? (await Http1Connection.open(bench.url));
    recipients += 1;
    const body = startBody(`webhook-${recipients}@example.com`);
    const answer = await connection.send(
      requestBytes("POST", "/api/v1/verify/start", { "X-API-Key": bench.key }, body),
    );
    if (answer.status !== 201) {
      throw new Error(`expected 201, and got:\n${answer.text}`);
    }
    idle.push(connection);
    return /"verification_id":"(\w+)"/.exec(answer.text)?.[1] ?? "";
  };
  const running: Promise<string>[] = [];
  const startedMs = performance.now();
  while (running.length < starts) {
    const due = ((performance.now() - startedMs) / 1_000) * perSecond;
    while (running.length < Math.min(due, starts)) {
      running.push(start());
    }
    await wait(1);
  }
  const ids = await Promise.all(running);
  for (const connection of idle) {
    connection.close();
  }
  while (ids.some((id) => !bench.arrivals.has(id))) {
    await wait(5);
  }
  const createdAtMs = await readCreationTimes(bench, ids);
  return ids
    .map((id) => (bench.arrivals.get(id) ?? Number.NaN) - (createdAtMs.get(id) ?? Number.NaN))
    .sort((one, other) => one - other);
}

/** The time of the statement that wrote the verification and its event, just before it was committed: whole milliseconds. */
async function readCreationTimes({ postgres, databaseUrl }: Bench, ids: readonly string[]) {
  const { rows } = await postgres.asAdministrator(
    (client) => client.query("SELECT id, created_at FROM verification WHERE id = ANY ($1)", [ids]),
    databaseUrl,
  );
  return new Map<string, number>(rows.map(({ id, created_at: createdAt }) => [id, createdAt.getTime()]));
}

async function measure(run: Run): Promise<Outcome> {
  const { postgres } = run;
  await using receiver = await openWebhookReceiver();
  const databaseUrl = await postgres.createDatabase();
  await using byond = await startByond(databaseUrl, receiver.environment);
  const key = await mintKey(byond.url, databaseUrl, "test", ["*"]);
  await callApi(byond.url, key, "/webhooks", { url: receiver.url, events: ["verification.started"] });
  const bench: Bench = { postgres, databaseUrl, url: byond.url, key, arrivals: receiver.arrivals };
  const seconds = run.seconds * secondsFactor;
  const low: number[] = [];
  const high: number[] = [];
  await measureDelays(bench, highRate, warmUpStarts);
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  const outcome = await compareRounds(run, milliseconds, async () => {
    const atHigh = await measureDelays(bench, highRate, highRate * seconds);
    const atLow = await measureDelays(bench, lowRate, lowRate * seconds);
    high.push(...atHigh);
    low.push(...atLow);
    return { ours: { value: quantile(atHigh, 0.5) }, theirs: { value: quantile(atLow, 0.5) } };
  });
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    ...outcome,
    busy: (user + system) / 1_000 / (performance.now() - startedMs),
    remarks: [describe(lowRate, low), describe(highRate, high)],
  };
}

function describe(perSecond: number, delays: readonly number[]): string {
  const sorted = [...delays].sort((one, other) => one - other);
  const [median, p95, longest] = [0.5, 0.95, 1].map((share) => milliseconds.format(quantile(sorted, share)));
  return `${sorted.length} events, ${perSecond} starts a second: median ${median}, p95 ${p95}, longest ${longest}`;
}

export const webhookRows: readonly Row[] = [
  {
    name: "webhook",
    what: `start to the event's request at a webhook, ${highRate} starts a second, median`,
    against: `${lowRate} starts a second`,
    now: "≤ 4",
    goal: "≤ 2",
    measure,
  },
];
