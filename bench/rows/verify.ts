import { startByond } from "../byond.ts";
import { requestBytes } from "../load/http1.ts";
import { type Caller, type LoadResult, restCaller } from "../load/load.ts";
import { hasPgbench, runPgbench, scriptOf } from "../pgbench.ts";
import {
  compare,
  compareRounds,
  leftOut,
  milliseconds,
  type Outcome,
  perSecond,
  quantile,
  type Row,
  type Run,
  throughput,
} from "../row.ts";
import {
  captureStatements,
  createVerifyWorkspace,
  outboxIsEmpty,
  seededId,
  seedVerifications,
  startBody,
  wrongCode,
} from "../verify-workspace.ts";

const connections = 16;
const warmUpCalls = 2_000;
const pgbenchMissing = "pgbench is not installed (Debian: `postgresql-contrib`)";

let recipients = 0;

/** Starts, each for a recipient of its own. */
function startCaller(url: string, key: string, headersOf: (index: number) => Record<string, string> = () => ({})) {
  return restCaller({
    url,
    connections,
    status: 201,
    request: (index) => {
      recipients += 1;
      const body = startBody(`user-${recipients}@example.com`);
      return requestBytes("POST", "/api/v1/verify/start", { "X-API-Key": key, ...headersOf(index) }, body);
    },
  });
}

const checkRequest = (key: string, number: number) =>
  requestBytes(
    "POST",
    "/api/v1/verify/check",
    { "X-API-Key": key },
    { verification_id: seededId(number), code: wrongCode },
  );

async function measureStart(run: Run): Promise<Outcome> {
  if (!(await hasPgbench())) {
    return leftOut(pgbenchMissing);
  }
  const { postgres, seconds } = run;
  const workspace = await createVerifyWorkspace(postgres);
  const { starts } = await captureStatements(postgres, workspace);
  const script = scriptOf(starts, "random(1, 1000000000000)");
  const copy = await postgres.copyDatabase(workspace.databaseUrl);
  await using byond = await startByond(workspace.databaseUrl);
  using caller = startCaller(byond.url, workspace.key);
  return await compare(
    run,
    perSecond,
    {
      warmUp: () => caller.run({ calls: warmUpCalls }),
      measure: async () => {
        const result = await caller.run({ seconds });
        await outboxIsEmpty(postgres, workspace.databaseUrl);
        return throughput(result);
      },
    },
    { measure: async () => ({ value: await runPgbench(copy, script, seconds) }) },
  );
}

/** So many that most are checked once at most. */
const checkedVerifications = 200_000;

async function measureCheck(run: Run): Promise<Outcome> {
  if (!(await hasPgbench())) {
    return leftOut(pgbenchMissing);
  }
  const { postgres, seconds } = run;
  const workspace = await createVerifyWorkspace(postgres);
  const { checks, verificationIds } = await captureStatements(postgres, workspace);
  await seedVerifications(postgres, workspace.databaseUrl, checkedVerifications, false);
  const id = "'vrf_' || lpad(CAST(:variable AS text), 22, '0')";
  const script = scriptOf(checks, `random(1, ${checkedVerifications})`, { [`'${verificationIds[0]}'`]: id });
  const copy = await postgres.copyDatabase(workspace.databaseUrl);
  await using byond = await startByond(workspace.databaseUrl);
  const random = () => 1 + Math.floor(Math.random() * checkedVerifications);
  const request = () => checkRequest(workspace.key, random());
  using caller = restCaller({ url: byond.url, connections, status: 200, request });
  return await compare(
    run,
    perSecond,
    {
      warmUp: () => caller.run({ calls: warmUpCalls }),
      measure: async () => throughput(await caller.run({ seconds })),
    },
    { measure: async () => ({ value: await runPgbench(copy, script, seconds) }) },
  );
}

async function measureOneSource(run: Run): Promise<Outcome> {
  const { postgres, seconds } = run;
  const { databaseUrl, key } = await createVerifyWorkspace(postgres);
  await using byond = await startByond(databaseUrl, { TRUSTED_PROXIES: "127.0.0.1/32" });
  const from = (address: string) => ({ "X-Forwarded-For": address });
  using one = startCaller(byond.url, key, () => from("198.51.100.1"));
  using many = startCaller(byond.url, key, (index) => from(`203.0.${Math.floor(index / 250) % 4}.${index % 250}`));
  const side = (caller: Caller) => ({
    warmUp: () => caller.run({ calls: warmUpCalls }),
    measure: async () => {
      const result = await caller.run({ seconds });
      await outboxIsEmpty(postgres, databaseUrl);
      return throughput(result);
    },
  });
  return await compare(run, perSecond, side(one), side(many));
}

/** Both sides are one server on one database: the other one without the triggers that write events. */
async function measureEvents(run: Run): Promise<Outcome> {
  const { postgres, seconds } = run;
  const { databaseUrl, key } = await createVerifyWorkspace(postgres);
  await using byond = await startByond(databaseUrl);
  using caller = startCaller(byond.url, key);
  const side = (events: "ENABLE" | "DISABLE") => ({
    warmUp: () => caller.run({ calls: warmUpCalls }),
    measure: async () => {
      const triggers = `ALTER TABLE verification ${events} TRIGGER USER; ALTER TABLE outbox ${events} TRIGGER USER`;
      await postgres.asAdministrator((client) => client.query(triggers), databaseUrl);
      const result = await caller.run({ seconds });
      await outboxIsEmpty(postgres, databaseUrl);
      return throughput(result);
    },
  });
  return await compare(run, perSecond, side("ENABLE"), side("DISABLE"));
}

/** Both sides are one server: starts over WhatsApp, with and without text messages as a fallback. */
async function measureFallback(run: Run): Promise<Outcome> {
  const { postgres, seconds } = run;
  const { databaseUrl, key } = await createVerifyWorkspace(postgres);
  await using byond = await startByond(databaseUrl);
  const callerOf = (fields: object) =>
    restCaller({
      url: byond.url,
      connections,
      status: 201,
      request: () => {
        recipients += 1;
        const recipient = `+4915${String(recipients).padStart(9, "0")}`;
        const body = { channel: "whatsapp", recipient, ...fields };
        return requestBytes("POST", "/api/v1/verify/start", { "X-API-Key": key }, body);
      },
    });
  using withFallback = callerOf({ fallback: [{ channel: "sms" }] });
  using without = callerOf({});
  const side = (caller: Caller) => ({
    warmUp: () => caller.run({ calls: warmUpCalls }),
    measure: async () => {
      const result = await caller.run({ seconds });
      await outboxIsEmpty(postgres, databaseUrl);
      return throughput(result);
    },
  });
  return await compare(run, perSecond, side(withFallback), side(without));
}

async function measureFresh(run: Run): Promise<Outcome> {
  const { postgres, freshStarts: calls } = run;
  const workspace = await createVerifyWorkspace(postgres);
  return compareRounds(run, perSecond, async () => {
    const databaseUrl = await postgres.copyDatabase(workspace.databaseUrl);
    const measured: LoadResult[] = [];
    {
      await using byond = await startByond(databaseUrl);
      using caller = startCaller(byond.url, workspace.key);
      measured.push(await caller.run({ calls }));
      await outboxIsEmpty(postgres, databaseUrl);
      await postgres.asAdministrator((client) => client.query("ANALYZE"), databaseUrl);
      measured.push(await caller.run({ calls }));
    }
    await postgres.dropDatabase(databaseUrl);
    const [fresh, analyzed] = measured.map(throughput);
    if (fresh === undefined || analyzed === undefined) {
      throw new Error("both loads were run");
    }
    return { ours: fresh, theirs: analyzed };
  });
}

const racers = 8;
const races = 200;

/** Eight checks sent at once, again and again: all of one verification, or each of another. */
async function measureRaces(run: Run): Promise<Outcome> {
  const { postgres } = run;
  const workspace = await createVerifyWorkspace(postgres);
  await captureStatements(postgres, workspace);
  await seedVerifications(postgres, workspace.databaseUrl, (run.rounds + 1) * races * (racers + 1), false);
  await using byond = await startByond(workspace.databaseUrl);
  let used = 0;
  let numberOf = (_racer: number) => 0;
  const request = (racer: number) => checkRequest(workspace.key, numberOf(racer));
  using caller = restCaller({ url: byond.url, connections: racers, status: 200, request });
  const side = (verificationsOfRace: number) => async () => {
    const latencies: number[] = [];
    for (let race = 0; race < races; race += 1) {
      const first = used + 1;
      numberOf = (racer) => first + (racer % verificationsOfRace);
      used += verificationsOfRace;
      latencies.push(...(await caller.run({ calls: racers })).latencies);
    }
    latencies.sort((one, other) => one - other);
    return { value: quantile(latencies, 0.99) };
  };
  const [contended, uncontended] = [side(1), side(racers)];
  await contended();
  await uncontended();
  return await compare(run, milliseconds, { measure: contended }, { measure: uncontended });
}

export const verifyRows: readonly Row[] = [
  {
    name: "start",
    what: "verify start (sandbox: no message leaves)",
    against: "the same statement by `pgbench -M prepared`, 10 connections, same PostgreSQL",
    now: "≥ 0.5",
    goal: "0.8",
    measure: measureStart,
  },
  {
    name: "check",
    what: "verify check, wrong codes",
    against: "likewise",
    now: "≥ 0.6",
    goal: "0.8",
    measure: measureCheck,
  },
  {
    name: "one-source",
    what: "start, all from one source",
    against: "start from 1,000 sources",
    now: "≥ 0.9",
    goal: "1",
    measure: measureOneSource,
  },
  {
    name: "events",
    what: "start, with the events of starts and messages",
    against: "the same without them",
    now: "≥ 0.9",
    goal: "0.95",
    measure: measureEvents,
  },
  {
    name: "fallback",
    what: "start with a fallback, which the message makes unnecessary",
    against: "start without one",
    now: "≥ 0.9",
    goal: "0.95",
    measure: measureFallback,
  },
  {
    name: "fresh",
    what: "start, fresh database, first 20,000",
    against: "the next after `ANALYZE`",
    now: "≥ 0.9",
    goal: "1",
    measure: measureFresh,
  },
  {
    name: "races",
    what: "8 checks racing on one row, p99",
    against: "8 checks of 8 rows, p99",
    now: "≤ 4",
    goal: "",
    measure: measureRaces,
  },
];
