/**
 * More calls than the server can serve: `npx node bench/overload.ts` loads it with parts and multiples of what it can do, and prints what was served, how soon, and
 * what was refused. Then it prints what a refusal costs. `--main <path>` measures the `src/main.ts` of another checkout. How to read it: docs/performance.md.
 *
 * The load is open: calls begin when they are due, whether or not others were answered. Eight calls of ten are lookups, one is a start, one is a check.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startByond } from "./byond.ts";
import { Postgres } from "./databases.ts";
import { Http1Connection, requestBytes } from "./load/http1.ts";
import { restCaller } from "./load/load.ts";
import { root, Server } from "./processes.ts";
import { quantile } from "./row.ts";
import { createVerifyWorkspace, seededId, seedVerifications, startBody, wrongCode } from "./verify-workspace.ts";

const { values } = parseArgs({
  options: { main: { type: "string" }, seconds: { type: "string", default: "10" } },
});
const seconds = Number(values.seconds);
const seeded = 200_000;
/** Later answers are of no use to whoever waits for them. */
const usefulMs = 1_000;
/** As many as keep the server busy while others of them wait for the database. */
const closedConnections = 64;
/** Calls that wait at the same time. Further ones are given up at once, as by a client that has no more connections. */
const maxConnections = 2_000;

type Kind = "lookup" | "start" | "check";
const kinds: readonly Kind[] = ["lookup", "start", "check"];
const kindOf = (index: number): Kind => (index % 10 === 3 ? "start" : index % 10 === 7 ? "check" : "lookup");

let calls = 0;
function requestOf(kind: Kind, key: string): string {
  calls += 1;
  const headers = { "X-API-Key": key };
  switch (kind) {
    case "lookup":
      return requestBytes("GET", "/api/v1/lookup?number=%2B6591234567", headers);
    case "start":
      return requestBytes("POST", "/api/v1/verify/start", headers, startBody(`overload-${calls}@example.com`));
    case "check": {
      const check = { verification_id: seededId(1 + (calls % seeded)), code: wrongCode };
      return requestBytes("POST", "/api/v1/verify/check", headers, check);
    }
  }
}

interface Tally {
  sent: number;
  served: number;
  refused: number;
  readonly latencies: number[];
}

/** Also answers how late calls began, in milliseconds: what the load itself was late is no delay of the server's. */
async function loadOpenly(
  url: string,
  key: string,
  perSecond: number,
): Promise<{ readonly tallies: Record<Kind, Tally>; readonly lateMs: readonly number[] }> {
  const lateMs: number[] = [];
  const tallies = { lookup: newTally(), start: newTally(), check: newTally() };
  const idle: Http1Connection[] = [];
  let open = 0;
  const call = async (kind: Kind) => {
    const tally = tallies[kind];
    tally.sent += 1;
    const startedMs = performance.now();
    let connection = idle.pop();
    if (connection === undefined) {
      if (open === maxConnections) {
        return;
      }
      open += 1;
      connection = await Http1Connection.open(url);
    }
    const { status } = await connection.send(requestOf(kind, key));
    const ms = performance.now() - startedMs;
    idle.push(connection);
    if (status === 503) {
      tally.refused += 1;
    } else if (status < 300) {
      tally.latencies.push(ms);
      tally.served += ms <= usefulMs ? 1 : 0;
    }
  };
  const running: Promise<void>[] = [];
  const startedMs = performance.now();
  for (let index = 0; index < perSecond * seconds; ) {
    const nowMs = performance.now() - startedMs;
    const due = (nowMs / 1_000) * perSecond;
    for (; index < due; index += 1) {
      lateMs.push(nowMs - (index / perSecond) * 1_000);
      running.push(call(kindOf(index)).catch(() => undefined));
    }
    await wait(2);
  }
  await Promise.race([Promise.all(running), wait(10_000)]);
  for (const connection of idle) {
    connection.close();
  }
  return { tallies, lateMs: lateMs.sort((one, other) => one - other) };
}

function newTally(): Tally {
  return { sent: 0, served: 0, refused: 0, latencies: [] };
}

/** In microseconds, of all threads. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(" ");
  return (Number(fields[13]) + Number(fields[14])) * 10_000;
}

function childOf(script: string): number {
  return Number(
    execFileSync("pgrep", ["-P", String(process.pid), "-f", script])
      .toString()
      .trim()
      .split("\n")[0],
  );
}

await using postgres = await Postgres.start();
const workspace = await createVerifyWorkspace(postgres);
{
  // A verification to copy.
  await using byond = await startByond(workspace.databaseUrl);
  using caller = restCaller({
    url: byond.url,
    connections: 1,
    status: 201,
    request: () => requestOf("start", workspace.key),
  });
  await caller.run({ calls: 1 });
}
await seedVerifications(postgres, workspace.databaseUrl, seeded, false);
await using byond = await startByond(workspace.databaseUrl, {}, values.main);
using closed = restCaller({
  url: byond.url,
  connections: closedConnections,
  status: [200, 201],
  request: (index) => requestOf(kindOf(index), workspace.key),
});
await closed.run({ calls: 20_000 });
const capacity = Math.round((await closed.run({ seconds })).perSecond);
console.log(`capacity, ${closedConnections} connections: ${capacity} calls a second\n`);
console.log(
  "| load | served | lookups refused | starts refused | checks refused | checks p50 | checks p99 | load late p99 |",
);
console.log("|---|---|---|---|---|---|---|---|");
for (const load of [0.8, 1, 1.5, 2]) {
  const { tallies, lateMs } = await loadOpenly(byond.url, workspace.key, capacity * load);
  const served = kinds.reduce((sum, kind) => sum + tallies[kind].served, 0) / seconds;
  const shares = kinds.map((kind) => `${Math.round((100 * tallies[kind].refused) / tallies[kind].sent)} %`);
  const checks = tallies.check.latencies.sort((one, other) => one - other);
  const times = [0.5, 0.99].map((share) => `${Math.round(quantile(checks, share))} ms`);
  const late = `${Math.round(quantile(lateMs, 0.99))} ms`;
  console.log(`| ${load} | ${Math.round(served)}/s | ${[...shares, ...times, late].join(" | ")} |`);
  await wait(5_000);
}

if (values.main === undefined) {
  await using refusing = await Server.start({
    command: [process.execPath, join(root, "bench/refusing-server.ts")],
    environment: {},
  });
  const cost = async (url: string, script: string, kind: Kind, count: number) => {
    const status = script === "main.ts" ? [200, 201] : 503;
    using caller = restCaller({ url, connections: 16, status, request: () => requestOf(kind, workspace.key) });
    await caller.run({ calls: count / 4 });
    const pid = childOf(script);
    const before = cpuOf(pid);
    await caller.run({ calls: count });
    return (cpuOf(pid) - before) / count;
  };
  for (const kind of ["lookup", "start"] as const) {
    const served = await cost(byond.url, "main.ts", kind, 5_000);
    const refused = await cost(refusing.url, "refusing-server.ts", kind, 20_000);
    console.log(
      `\na ${kind}: ${served.toFixed(0)} µs of the server's CPU, refused ${refused.toFixed(0)} µs (${(refused / served).toFixed(2)})`,
    );
  }
}
