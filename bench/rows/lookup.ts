import { create, toBinary } from "@bufbuild/protobuf";
import { LookupNumberRequestSchema } from "../../gen/byond/v1/lookup_pb.ts";
import { mintKey, startByond } from "../byond.ts";
import { requestBytes } from "../load/http1.ts";
import { grpcCall } from "../load/http2.ts";
import { type Caller, grpcCaller, restCaller } from "../load/load.ts";
import { startGoPeer, startPeer } from "../peers.ts";
import { root, Server } from "../processes.ts";
import { compare, leftOut, type Outcome, perSecond, type Row, type Run, type Side, throughput } from "../row.ts";

const number = "+6591234567";
const restTarget = `/api/v1/lookup?number=${encodeURIComponent(number)}`;
const rpcPath = "/byond.v1.LookupService/LookupNumber";
const message = toBinary(LookupNumberRequestSchema, create(LookupNumberRequestSchema, { number }));
/** Of the form of a key, and none: its tag is not ours. */
const forgedKey = `pk_live_${"a".repeat(12)}.${"b".repeat(38)}`;

const connections = 32;
/** As many calls at a time, on connections as gRPC's clients share them. */
const grpcConnections = 4;
/** Until the code that they run is compiled. */
const warmUpCalls = 5_000;

const rest = (url: string, key: string, status = 200) =>
  restCaller({ url, connections, status, request: constant(requestBytes("GET", restTarget, { "X-API-Key": key })) });

const connectJson = (url: string, key: string) =>
  restCaller({
    url,
    connections,
    status: 200,
    request: constant(requestBytes("POST", rpcPath, { "X-API-Key": key, "Connect-Protocol-Version": "1" }, { number })),
  });

const grpc = (url: string, key: string) =>
  grpcCaller(url, grpcConnections, connections / grpcConnections, grpcCall(rpcPath, { "x-api-key": key }, message));

function constant<T>(value: T): () => T {
  return () => value;
}

function loaded(run: Run, caller: Caller): Side {
  return {
    warmUp: () => caller.run({ calls: warmUpCalls }),
    measure: async () => throughput(await caller.run({ seconds: run.seconds })),
  };
}

type OpenCaller = (url: string, key: string) => Caller;

/** Compares calls of Byond with those of another server, or with others of Byond's own where there is none. */
async function compareWith(
  run: Run,
  ours: OpenCaller,
  theirs: OpenCaller,
  startPeerWith?: (key: string) => Promise<Server | undefined>,
) {
  const databaseUrl = await run.postgres.createDatabase();
  await using byond = await startByond(databaseUrl);
  const key = await mintKey(byond.url, databaseUrl);
  await using peer = await startPeerWith?.(key);
  if (startPeerWith !== undefined && peer === undefined) {
    return leftOut("Go is not installed");
  }
  using ourCaller = ours(byond.url, key);
  using theirCaller = theirs(peer?.url ?? byond.url, key);
  // Not before its end are they disposed of.
  return await compare(run, perSecond, loaded(run, ourCaller), loaded(run, theirCaller));
}

/** Two processes on the port against one. Also: how much CPU a call costs, which says what more cores would give. */
async function compareWorkers(run: Run): Promise<Outcome> {
  const databaseUrl = await run.postgres.createDatabase();
  await using two = await startByond(databaseUrl, { WORKERS: "2" });
  await using one = await startByond(databaseUrl);
  const key = await mintKey(one.url, databaseUrl);
  using callTwo = rest(two.url, key);
  using callOne = rest(one.url, key);
  const spent = new Map<Server, { calls: number; cpuMs: number }>();
  const measured = (server: Server, caller: Caller): Side => ({
    // Twice as many: each of two processes compiles its code.
    warmUp: () => caller.run({ calls: warmUpCalls * 2 }),
    async measure() {
      const before = server.cpuMs;
      const result = await caller.run({ seconds: run.seconds });
      const { calls = 0, cpuMs = 0 } = spent.get(server) ?? {};
      spent.set(server, { calls: calls + result.calls, cpuMs: cpuMs + server.cpuMs - before });
      return throughput(result);
    },
  });
  const outcome = await compare(run, perSecond, measured(two, callTwo), measured(one, callOne));
  const perCall = (server: Server) => {
    const { calls, cpuMs } = spent.get(server) ?? { calls: 0, cpuMs: 0 };
    return `${((cpuMs * 1_000) / calls).toFixed(0)} µs`;
  };
  const remark = `CPU of all processes of the server: ${perCall(two)} a call with two workers, ${perCall(one)} with one. \
The load takes a core of its own: the ratio can approach 2 on three cores and more, and not on two.`;
  return { ...outcome, remarks: [remark] };
}

export const lookupRows: readonly Row[] = [
  {
    name: "lookup",
    what: "authenticated REST lookup, all features on",
    against: "bare `node:http`, the same lookup, no authentication",
    now: "≥ 0.6",
    goal: "0.85",
    measure: (run) => compareWith(run, rest, rest, () => startPeer("node-http")),
  },
  {
    name: "lookup-fastify",
    what: "the same",
    against: "Fastify 5, schemas, the same lookup, SHA-256 of the key in a `Map`",
    now: "≥ 0.9",
    goal: "1.1",
    measure: (run) => compareWith(run, rest, rest, (key) => startPeer("fastify", { API_KEY: key })),
  },
  {
    name: "grpc",
    what: "gRPC lookup, authenticated",
    against: "`@grpc/grpc-js` server, the same lookup, no authentication",
    now: "≥ 0.8",
    goal: "1.2",
    measure: (run) => compareWith(run, grpc, grpc, () => startPeer("grpc-js")),
  },
  {
    name: "connect-json",
    what: "Connect JSON lookup",
    against: "our own REST lookup",
    now: "≥ 0.8",
    goal: "1",
    measure: (run) => compareWith(run, connectJson, rest),
  },
  {
    name: "features",
    what: "REST lookup with authentication, quota, headers and log",
    against: "the same port and transcoder without them",
    now: "≥ 0.85",
    goal: "0.95",
    measure: (run) =>
      compareWith(run, rest, rest, () =>
        Server.start({ command: [process.execPath, `${root}/bench/lookup-without-features.ts`], environment: {} }),
      ),
  },
  {
    name: "go-rest",
    what: "authenticated REST lookup, one core",
    against: "vanguard-go, `GOMAXPROCS=1`",
    now: "≥ 0.8",
    goal: "1.2",
    measure: (run) => compareWith(run, rest, rest, (key) => startGoPeer({ API_KEY: key })),
  },
  {
    name: "go-grpc",
    what: "gRPC lookup, one core",
    against: "connect-go, likewise",
    now: "≥ 0.7",
    goal: "1",
    measure: (run) => compareWith(run, grpc, grpc, (key) => startGoPeer({ API_KEY: key })),
  },
  {
    name: "workers",
    what: "authenticated REST lookup, `WORKERS=2`",
    against: "`WORKERS=1`, load from outside",
    now: "≥ 1.6",
    goal: "1.8",
    measure: compareWorkers,
  },
  {
    name: "forged",
    what: "forged key, 401",
    against: "authenticated lookup",
    now: "≥ 2",
    goal: "",
    measure: (run) => compareWith(run, (url) => rest(url, forgedKey, 401), rest),
  },
];
