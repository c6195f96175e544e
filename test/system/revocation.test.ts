/**
 * Three servers as they run in production, one database, and keys under constant load over REST and gRPC: whatever happens
 * to a server, no request that is sent after `DELETE` has answered is let in.
 */
import { setTimeout as pause } from "node:timers/promises";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import pg from "pg";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { ApiKeyService } from "../../gen/byond/v1/api_key_pb.ts";
import { LookupService } from "../../gen/byond/v1/lookup_pb.ts";
import type { QueryableTables } from "../../src/database/database.ts";
import { queryOf } from "../../src/database/statement.ts";
import { revocationSweep } from "../../src/revocation/revocation-store.ts";
import { createMigratedDatabase } from "../support/app.ts";
import type { TestDatabase } from "../support/postgres.ts";
import { ServerProcess } from "../support/processes.ts";
import { sweepAll } from "../support/sweep-all.ts";
import { until } from "./load.ts";

const leaseMs = 2_000;
/** From sending `DELETE` to its answer: a lease and 10 % at worst, and what a busy machine adds; never two leases. */
const worstMs = 2 * leaseMs;
/** The goal is 50 ms, where the machine does nothing else. Without notifications, servers would take 350 to hear of it. */
const healthyMedianMs = 250;
const healthyRounds = 200;
const faultRounds = 10;
/** Of the faults that cost a lease each, so many keys are revoked at once: each under its own load, by its own `DELETE`. */
const keysPerFault = 2;
/** Between two requests with one key, to one server, over one protocol. */
const paceMs = 15;
/** The class of advisory locks that reads of keys wait for. */
const slowReads = 4_711;

const protocolNames = ["REST", "gRPC"] as const;
type ProtocolName = (typeof protocolNames)[number];

/** One of the three, and whoever takes its place. It has a role in the database that nobody else has. */
class Server {
  readonly role: string;
  process: ServerProcess;
  lookup: Client<typeof LookupService>;
  apiKeys: Client<typeof ApiKeyService>;

  constructor(role: string, process: ServerProcess) {
    this.role = role;
    this.process = process;
    const transport = createGrpcTransport({ baseUrl: process.url });
    this.lookup = createClient(LookupService, transport);
    this.apiKeys = createClient(ApiKeyService, transport);
  }

  /** Another process, after this one was killed. */
  async restart(): Promise<void> {
    const { process, lookup, apiKeys } = new Server(this.role, await this.process.startAnother());
    Object.assign(this, { process, lookup, apiKeys });
  }
}

let database: TestDatabase;
let admin: pg.Client;
let servers: readonly [Server, Server, Server];
let session: string;
const report: string[] = [];

beforeAll(async () => {
  database = await createMigratedDatabase();
  admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  const start = async (number: number) => {
    const url = new URL(database.url);
    const role = `${url.pathname.slice(1)}_server_${number}`;
    const owner = admin.escapeIdentifier(decodeURIComponent(url.username));
    await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'of the tests' IN ROLE ${owner}`);
    Object.assign(url, { username: role, password: "of the tests" });
    return new Server(role, await ServerProcess.start({ databaseUrl: url.href }));
  };
  // The roles by one client, one after the other.
  servers = [await start(1), await start(2), await start(3)];
  ({ session } = await servers[0].process.signUp());
});

afterEach(() => {
  // A test that failed may have left one halted.
  for (const { process } of servers) {
    process.thaw();
  }
});

afterAll(async () => {
  console.log(report.join("\n"));
  await Promise.all(servers.map(({ process }) => process.kill()));
  await admin.query(servers.map(({ role }) => `DROP ROLE ${role}`).join("; "));
  await admin.end();
  await database.drop();
});

type Outcome = "let in" | "refused" | "no answer";

interface Call {
  readonly server: Server;
  readonly protocol: ProtocolName;
  readonly sentAtMs: number;
  readonly outcome: Outcome;
}

/** A key of its own, under constant load on every server until `finish`. */
class Round {
  readonly id: string;
  readonly #key: string;
  readonly #calls: Call[] = [];
  readonly #loops: Promise<void>[] = [];
  #afterwards: Promise<Call>[] = [];
  #answeredAtMs = Number.POSITIVE_INFINITY;
  #isEnding = false;

  private constructor(id: string, key: string) {
    this.id = id;
    this.#key = key;
  }

  /** Makes a key, and calls every one of `known` with it until it is known there. */
  static async begin(known: readonly Server[] = servers): Promise<Round> {
    const { body } = await servers[0].process.rest("POST", "/api-keys", { session, body: { name: "to be revoked" } });
    const round = new Round(body.id, body.key);
    const first = await Promise.all(known.flatMap((server) => protocolNames.map((name) => round.#call(server, name))));
    expect(new Set(first.map(({ outcome }) => outcome))).toEqual(new Set(["let in"]));
    for (const server of servers) {
      round.#loops.push(...protocolNames.map((protocol) => round.#keepCalling(server, protocol)));
    }
    return round;
  }

  /**
   * Revokes the key, and at the moment of the answer calls every server over either protocol. Returns how long the answer
   * took. Throws if there is none.
   */
  async revoke(on: Server, protocol: ProtocolName): Promise<number> {
    const sentAtMs = performance.now();
    if (protocol === "REST") {
      const { status } = await on.process.rest("DELETE", `/api-keys/${this.id}`, { session });
      expect(status).toBe(200);
    } else {
      await on.apiKeys.revokeApiKey({ id: this.id }, { headers: { authorization: `Bearer ${session}` } });
    }
    this.#answeredAtMs = performance.now();
    this.callEverywhere();
    return this.#answeredAtMs - sentAtMs;
  }

  /** Calls every server over either protocol, without waiting for the answers. */
  callEverywhere(): void {
    this.#afterwards.push(...servers.flatMap((server) => protocolNames.map((name) => this.#call(server, name))));
  }

  /** Ends the load with a last call to every server, and returns the calls that were sent after `DELETE` had answered. */
  async finish(): Promise<Call[]> {
    expect(this.#answeredAtMs).toBeLessThan(Number.POSITIVE_INFINITY);
    this.#isEnding = true;
    await Promise.all([...this.#loops, ...this.#afterwards]);
    const late = this.#calls.filter(({ sentAtMs }) => sentAtMs > this.#answeredAtMs);
    expect(late.length).toBeGreaterThanOrEqual(2 * servers.length * protocolNames.length);
    expect(late.filter(({ outcome }) => outcome === "let in").map(({ protocol }) => protocol)).toEqual([]);
    return late;
  }

  async #keepCalling(server: Server, protocol: ProtocolName): Promise<void> {
    for (let isLast = false; !isLast; ) {
      await pause(paceMs);
      isLast = this.#isEnding;
      await this.#call(server, protocol);
    }
  }

  async #call(server: Server, protocol: ProtocolName): Promise<Call> {
    const sentAtMs = performance.now();
    const outcome = protocol === "REST" ? await this.#callRest(server) : await this.#callGrpc(server);
    const call = { server, protocol, sentAtMs, outcome };
    this.#calls.push(call);
    return call;
  }

  async #callRest(server: Server): Promise<Outcome> {
    const answer = await server.process
      .rest("GET", "/lookup?number=%2B6591234567", { key: this.#key })
      .catch(() => undefined);
    if (answer !== undefined && answer.status < 300) {
      return "let in";
    }
    return answer?.status === 401 ? "refused" : "no answer";
  }

  async #callGrpc(server: Server): Promise<Outcome> {
    try {
      await server.lookup.lookupNumber({ number: "+6591234567" }, { headers: { "x-api-key": this.#key } });
      return "let in";
    } catch (error) {
      return ConnectError.from(error).code === Code.Unauthenticated ? "refused" : "no answer";
    }
  }
}

/** Collects what a kind of round came to, and prints it. */
class Tally {
  readonly #durationsMs: number[] = [];
  #lateCalls = 0;

  note(durationMs: number, late: readonly Call[]): void {
    this.#durationsMs.push(durationMs);
    this.#lateCalls += late.length;
  }

  get medianMs(): number {
    return this.#durationsMs.toSorted((a, b) => a - b)[Math.floor(this.#durationsMs.length / 2)] ?? Number.NaN;
  }

  get maxMs(): number {
    return Math.max(...this.#durationsMs);
  }

  print(kind: string): void {
    const times = `DELETE took ${this.medianMs.toFixed(0)} ms (median), ${this.maxMs.toFixed(0)} ms (max)`;
    report.push(`revocation, ${kind}: ${this.#durationsMs.length} rounds, ${times}, ${this.#lateCalls} calls after it`);
  }
}

const serverAt = (index: number): Server => servers[index % 3] ?? servers[0];
const protocolOf = (index: number): ProtocolName => (index % 2 === 0 ? "REST" : "gRPC");

/** `faultRounds` rounds, several at a time. `strike` gets the three servers in another order each time. */
async function roundsWithFault(
  kind: string,
  strike: (rounds: readonly Round[], roles: { revoking: Server; other: Server; struck: Server }) => Promise<number[]>,
): Promise<void> {
  const tally = new Tally();
  for (let fault = 0; fault < faultRounds / keysPerFault; fault += 1) {
    const rounds = await Promise.all(Array.from({ length: keysPerFault }, () => Round.begin()));
    const roles = { revoking: serverAt(fault), other: serverAt(fault + 1), struck: serverAt(fault + 2) };
    const durationsMs = await strike(rounds, roles);
    for (const [index, round] of rounds.entries()) {
      tally.note(durationsMs[index] ?? Number.NaN, await round.finish());
    }
  }
  tally.print(kind);
  expect(tally.maxMs).toBeLessThan(worstMs);
}

const revokeAll = (rounds: readonly Round[], on: Server): Promise<number[]> =>
  Promise.all(rounds.map((round, index) => round.revoke(on, protocolOf(index))));

test("200 times with all servers healthy", { timeout: 120_000 }, async () => {
  const tally = new Tally();
  for (let index = 0; index < healthyRounds; index += 1) {
    const round = await Round.begin();
    const durationMs = await round.revoke(serverAt(index), protocolOf(index));
    const late = await round.finish();
    expect(new Set(late.map(({ outcome }) => outcome))).toEqual(new Set(["refused"]));
    tally.note(durationMs, late);
  }
  tally.print("all well");
  expect(tally.medianMs).toBeLessThan(healthyMedianMs);
});

test("with a server paused during the revocation: requests that reached its socket meanwhile are refused too", async () => {
  await roundsWithFault("one paused", async (rounds, { revoking, struck }) => {
    struck.process.freeze();
    const durationsMs = await revokeAll(rounds, revoking);
    await sweep();
    struck.process.thaw();
    for (const round of rounds) {
      round.callEverywhere();
    }
    return durationsMs;
  });
});

test("with a server killed and restarted", { timeout: 120_000 }, async () => {
  let strikes = 0;
  await roundsWithFault("one killed", async (rounds, { revoking, struck }) => {
    strikes += 1;
    // Before the revocation is sent, and while it is on its way.
    const killed = strikes % 2 === 0 ? await struck.process.kill() : undefined;
    const revoked = revokeAll(rounds, revoking);
    expect((killed ?? (await struck.process.kill())).signal).toBe("SIGKILL");
    await struck.restart();
    const durationsMs = await revoked;
    for (const round of rounds) {
      round.callEverywhere();
    }
    return durationsMs;
  });
});

test("with a server's database connections cut, once or repeatedly until the answer", async () => {
  let strikes = 0;
  await roundsWithFault("connections cut", async (rounds, { revoking, struck }) => {
    strikes += 1;
    const isOnce = strikes % 2 === 0;
    let isRevoked = false;
    const cutting = (async () => {
      do {
        await cutConnections(struck);
      } while (!isOnce && !isRevoked);
    })();
    const durationsMs = await revokeAll(rounds, revoking);
    isRevoked = true;
    await cutting;
    return durationsMs;
  });
});

test("with a server cut off from the database until after the answer", async () => {
  await roundsWithFault("cut off", async (rounds, { revoking, struck }) => {
    await admin.query(`ALTER ROLE ${struck.role} CONNECTION LIMIT 0`);
    await cutConnections(struck);
    const durationsMs = await revokeAll(rounds, revoking);
    await sweep();
    await admin.query(`ALTER ROLE ${struck.role} CONNECTION LIMIT -1`);
    await until(
      "the server reaches the database again",
      20_000,
      async () => (await struck.process.readiness()) === 200,
    );
    for (const round of rounds) {
      round.callEverywhere();
    }
    return durationsMs;
  });
});

test("with the revoking server killed while it waits, and the DELETE repeated on another", {
  timeout: 120_000,
}, async () => {
  await roundsWithFault("revoking server killed", async (rounds, { revoking, other, struck }) => {
    // It has to wait for this one.
    struck.process.freeze();
    const unanswered = Promise.allSettled(rounds.map((round, index) => round.revoke(revoking, protocolOf(index))));
    const subjects = rounds.map(({ id }) => `key:${id}`);
    const isCommitted = async () =>
      (await admin.query("SELECT FROM revocation WHERE subject = ANY($1)", [subjects])).rowCount === rounds.length;
    await until("the revocations are committed", 10_000, isCommitted);
    await revoking.process.kill();
    expect((await unanswered).map(({ status }) => status)).toEqual(rounds.map(() => "rejected"));
    const restarted = revoking.restart();
    const durationsMs = await revokeAll(rounds, other);
    struck.process.thaw();
    await restarted;
    for (const round of rounds) {
      round.callEverywhere();
    }
    return durationsMs;
  });
});

test("with a slow cache fill in progress that read the key before it was revoked", async () => {
  // The clock is read last: what the statement answers with is what was true when it began.
  await admin.query(`
    CREATE OR REPLACE FUNCTION byond_now() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$ BEGIN
      IF current_query() LIKE '%FROM api_key_secret%' THEN
        PERFORM pg_advisory_xact_lock_shared(${slowReads}, hashtext(session_user));
      END IF;
      RETURN clock_timestamp();
    END $$`);
  const isReading = async () =>
    (
      await admin.query("SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = $1 AND NOT granted", [
        slowReads,
      ])
    ).rowCount === 1;
  const tally = new Tally();
  for (let index = 0; index < faultRounds; index += 1) {
    const [revoking, slow, other] = [serverAt(index), serverAt(index + 1), serverAt(index + 2)];
    await admin.query("SELECT pg_advisory_lock($1, hashtext($2))", [slowReads, slow.role]);
    const round = await Round.begin([revoking, other]);
    await until("the key is being read", 10_000, isReading);
    const durationMs = await round.revoke(revoking, protocolOf(index));
    expect(await isReading()).toBe(true);
    await admin.query("SELECT pg_advisory_unlock($1, hashtext($2))", [slowReads, slow.role]);
    const late = await round.finish();
    expect(new Set(late.map(({ outcome }) => outcome))).toEqual(new Set(["refused"]));
    tally.note(durationMs, late);
  }
  tally.print("slow fill");
  expect(tally.maxMs).toBeLessThan(worstMs);
});

/** What servers do once a minute: a server that nobody waits for any more does not find what it missed. */
async function sweep(): Promise<void> {
  const session: QueryableTables = {
    async run(statement, values) {
      const bound = statement.bind(values);
      return bound.rowsOf(await admin.query<unknown[]>(queryOf(bound)));
    },
    query: () => Promise.reject(new Error("a sweep runs statements")),
  };
  await sweepAll(revocationSweep({ database: { transaction: (work) => work(session) } }));
}

async function cutConnections(server: Server): Promise<void> {
  await admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", [server.role]);
}
