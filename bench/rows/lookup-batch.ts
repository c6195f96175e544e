import { mintKey, startByond } from "../byond.ts";
import { requestBytes } from "../load/http1.ts";
import { type Caller, type LoadResult, restCaller } from "../load/load.ts";
import {
  compare,
  compareRounds,
  type Outcome,
  perSecond,
  type Reading,
  type Row,
  type Run,
  throughput,
} from "../row.ts";

const numbersPerBatch = 1_000;
const connections = 32;
const warmUpCalls = 5_000;
const warmUpBatches = 40;

/** Numbers of many countries, each another one: nothing is known from the one before. */
const plans = ["+659", "+1415", "+447", "+49151", "+23480", "+6281", "+9198", "+5511", "+336", "+8190"];
const numbers = Array.from({ length: numbersPerBatch }, (_, index) => ({
  number: `${plans[index % plans.length]}${String(1_000_000 + ((index * 7_919) % 9_000_000))}`,
}));

const singles = (url: string, key: string, count = connections): Caller =>
  restCaller({
    url,
    connections: count,
    status: 200,
    request: (index) =>
      requestBytes(
        "GET",
        `/api/v1/lookup?number=${encodeURIComponent(numbers[index % numbers.length]?.number ?? "")}`,
        { "X-API-Key": key },
      ),
  });

const batches = (url: string, key: string): Caller => {
  const request = requestBytes("POST", "/api/v1/lookup/batch", { "X-API-Key": key }, { numbers });
  return restCaller({ url, connections: 2, status: 200, request: () => request });
};

/** Numbers a second in batches, against calls with one number. */
async function compareThroughput(run: Run): Promise<Outcome> {
  const databaseUrl = await run.postgres.createDatabase();
  await using byond = await startByond(databaseUrl);
  const key = await mintKey(byond.url, databaseUrl);
  using batched = batches(byond.url, key);
  using single = singles(byond.url, key);
  const perNumber = (result: LoadResult): Reading => {
    const { value, ...rest } = throughput(result);
    return { ...rest, value: value * numbersPerBatch };
  };
  return await compare(
    run,
    perSecond,
    {
      warmUp: () => batched.run({ calls: warmUpBatches }),
      measure: async () => perNumber(await batched.run({ seconds: run.seconds })),
    },
    {
      warmUp: () => single.run({ calls: warmUpCalls }),
      measure: async () => throughput(await single.run({ seconds: run.seconds })),
    },
  );
}

const p99 = ({ latencies }: LoadResult): number => latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN;
const milliseconds = { format: (value: number) => `${value.toFixed(2)} ms` };

/** The p99 of single calls while batches are looked up without a pause, against that of single calls alone. */
async function compareDelay(run: Run, count: number): Promise<Outcome> {
  const databaseUrl = await run.postgres.createDatabase();
  await using byond = await startByond(databaseUrl);
  const key = await mintKey(byond.url, databaseUrl);
  using batched = batches(byond.url, key);
  using single = singles(byond.url, key, count);
  await batched.run({ calls: warmUpBatches });
  await single.run({ calls: warmUpCalls });
  const alone = async (): Promise<Reading> => {
    const result = await single.run({ seconds: run.seconds });
    return { value: p99(result), busy: result.busy };
  };
  let batchesBeside = 0;
  const beside = async (): Promise<Reading> => {
    const [result, { calls }] = await Promise.all([
      single.run({ seconds: run.seconds }),
      batched.run({ seconds: run.seconds }),
    ]);
    batchesBeside += calls;
    return { value: p99(result), busy: result.busy };
  };
  const outcome = await compareRounds(run, milliseconds, async (round) => {
    const isOursFirst = round % 2 === 0;
    const first = await (isOursFirst ? beside : alone)();
    const second = await (isOursFirst ? alone : beside)();
    return isOursFirst ? { ours: first, theirs: second } : { ours: second, theirs: first };
  });
  const perSecondBeside = (batchesBeside * numbersPerBatch) / (run.rounds * run.seconds);
  return {
    ...outcome,
    remarks: [`${Math.round(perSecondBeside)} numbers a second were looked up in batches meanwhile.`],
  };
}

export const lookupBatchRows: readonly Row[] = [
  {
    name: "batch",
    what: "numbers a second in batches of 1,000, over REST",
    against: "one call a number",
    now: "≥ 5",
    goal: "",
    measure: compareThroughput,
  },
  {
    name: "batch-beside",
    what: `p99 of single lookups on ${connections} connections, beside two clients with batches of 1,000`,
    against: "without them",
    now: "≤ 2",
    goal: "",
    measure: (run) => compareDelay(run, connections),
  },
  {
    name: "batch-beside-few",
    what: "the same with 4 connections",
    against: "without them",
    now: "≤ 2",
    goal: "",
    measure: (run) => compareDelay(run, 4),
  },
];
