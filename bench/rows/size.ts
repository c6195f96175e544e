import { startByond } from "../byond.ts";
import { requestBytes } from "../load/http1.ts";
import { restCaller } from "../load/load.ts";
import { type Measured, median, megabytes, milliseconds, type Outcome, type Row, type Run } from "../row.ts";
import {
  captureStatements,
  createVerifyWorkspace,
  seededId,
  seedVerifications,
  startBody,
  wrongCode,
} from "../verify-workspace.ts";

const few = 1_000;
const many = 1_000_000;
/** Of each operation in a round: a thousand verifications are checked once each at most. */
const callsInRound = 50;

interface Operation {
  readonly name: string;
  readonly status: number;
  readonly request: (key: string, index: number) => string;
}

const get = (path: string) => (key: string) => requestBytes("GET", `/api/v1/${path}`, { "X-API-Key": key });
const post = (key: string, path: string, body: unknown) =>
  requestBytes("POST", `/api/v1/verify/${path}`, { "X-API-Key": key }, body);
const oneOfFew = (index: number) => seededId(1 + (index % few));

const operations: readonly Operation[] = [
  { name: "start", status: 201, request: (key, index) => post(key, "start", startBody(`size-${index}@example.com`)) },
  {
    name: "check",
    status: 200,
    request: (key, index) => post(key, "check", { verification_id: oneOfFew(index), code: wrongCode }),
  },
  { name: "get", status: 200, request: (key, index) => get(`verify/${oneOfFew(index)}`)(key) },
  { name: "list", status: 200, request: get("verifications") },
  { name: "list by status", status: 200, request: get("verifications?status=locked") },
  { name: "list by channel", status: 200, request: get("verifications?channel=whatsapp") },
  {
    name: "list by recipient",
    status: 200,
    request: get("verifications?recipient=first%40example.com"),
  },
];

/** Each operation alone, one call at a time, on both databases in turns. The row is the operation that grows most. */
async function measureMillion(run: Run): Promise<Outcome> {
  const { postgres } = run;
  const workspace = await createVerifyWorkspace(postgres);
  await captureStatements(postgres, workspace);
  const large = await postgres.copyDatabase(workspace.databaseUrl);
  await seedVerifications(postgres, workspace.databaseUrl, few, true);
  run.note(`writing ${many.toLocaleString("en")} verifications`);
  await seedVerifications(postgres, large, many, true);
  await using withFew = await startByond(workspace.databaseUrl);
  await using withMany = await startByond(large);
  let calls = 0;
  const medianOf = async (url: string, { request, status }: Operation) => {
    using caller = restCaller({
      url,
      connections: 1,
      status,
      request: () => {
        calls += 1;
        return request(workspace.key, calls);
      },
    });
    return median((await caller.run({ calls: callsInRound, seconds: run.seconds })).latencies);
  };
  const measured: { name: string; few: number; many: number; ratios: number[] }[] = [];
  for (const operation of operations) {
    const times: { few: number; many: number }[] = [];
    for (let round = 0; round <= run.rounds; round += 1) {
      times.push({ few: await medianOf(withFew.url, operation), many: await medianOf(withMany.url, operation) });
    }
    // The first warms up.
    const rounds = times.slice(1);
    const ratios = rounds.map((round) => round.many / round.few);
    const [fewMs, manyMs] = [median(rounds.map((round) => round.few)), median(rounds.map((round) => round.many))];
    measured.push({ name: operation.name, few: fewMs, many: manyMs, ratios });
    run.note(`${operation.name}: ${milliseconds.format(manyMs)} against ${milliseconds.format(fewMs)}`);
  }
  const worst = measured.reduce((most, next) => (median(next.ratios) > median(most.ratios) ? next : most));
  const list = measured.map(({ name, few, many }) => `${name} ${few.toFixed(1)} → ${many.toFixed(1)} ms`);
  return {
    kind: "measured",
    ratio: median(worst.ratios),
    least: Math.min(...worst.ratios),
    most: Math.max(...worst.ratios),
    ours: `${milliseconds.format(worst.many)} (${worst.name})`,
    theirs: milliseconds.format(worst.few),
    remarks: [`the row is the operation that grows most; all of them: ${list.join(", ")}`],
  };
}

const lookup = get("lookup?number=%2B6591234567");

/** Nine lookups to a start. Once, and not in rounds: a process has one history. */
async function measureMemory(run: Run): Promise<Measured> {
  const { databaseUrl, key } = await createVerifyWorkspace(run.postgres);
  await using byond = await startByond(databaseUrl);
  let starts = 0;
  const request = (index: number) => {
    if (index % 10 !== 0) {
      return lookup(key);
    }
    starts += 1;
    return post(key, "start", startBody(`memory-${starts}@example.com`));
  };
  const residentAfter = async (calls: number) => {
    using caller = restCaller({ url: byond.url, connections: 32, status: [200, 201], request });
    await caller.run({ calls });
    return byond.residentMb;
  };
  const early = await residentAfter(20_000);
  run.note(`${megabytes.format(early)} after 20,000 requests`);
  const late = await residentAfter(180_000);
  const ratio = late / early;
  return {
    kind: "measured",
    ratio,
    least: ratio,
    most: ratio,
    ours: megabytes.format(late),
    theirs: megabytes.format(early),
    remarks: ["one process, measured once"],
  };
}

export const sizeRows: readonly Row[] = [
  {
    name: "million",
    what: "start, check, get and lists with a million verifications, time",
    against: "with a thousand",
    now: "≤ 1.5",
    goal: "1.1",
    measure: measureMillion,
  },
  {
    name: "memory",
    what: "resident memory after 200,000 requests",
    against: "after 20,000",
    now: "≤ 1.1",
    goal: "",
    measure: measureMemory,
  },
];
