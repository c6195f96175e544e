/** Sends generated requests to both servers, and collects where their answers differ. */
import { isDeepStrictEqual } from "node:util";
import type { DescMethodUnary } from "@bufbuild/protobuf";
import { Random } from "../../support/random.ts";
import { deliberateDifferences, findDifference } from "./deliberate-differences.ts";
import { Connections, type Outcome } from "./exchange.ts";
import { type Fault, type GeneratedRequest, generateRequest } from "./generated-request.ts";
import { openTwoServers, unaryRpcs } from "./two-servers.ts";

export interface Comparison {
  /** Differences that nobody wanted: at most the first few. */
  readonly unexplained: readonly object[];
  /** How many answers were the same. */
  readonly same: number;
  /** How many answers were messages, the same on both sides. */
  readonly succeeded: number;
  /** How often each deliberate difference was seen, by its name. */
  readonly deliberate: ReadonlyMap<string, number>;
  /** How many requests had each fault. */
  readonly faults: ReadonlyMap<Fault, number>;
}

const inFlight = 16;
const maxReported = 5;

/** Compares the answers to `count` requests. Equal seeds make equal requests. */
export async function compareAnswers(count: number, seed: number): Promise<Comparison> {
  const random = new Random(seed);
  const [first, ...others] = unaryRpcs;
  if (first === undefined) {
    throw new TypeError("there are no RPCs");
  }
  const rpcs: readonly [DescMethodUnary, ...DescMethodUnary[]] = [first, ...others];
  await using servers = await openTwoServers();
  using ours = new Connections(servers.ours);
  using connects = new Connections(servers.connects);
  const unexplained: object[] = [];
  const deliberate = new Map(deliberateDifferences.map(({ name }) => [name, 0]));
  const faults = new Map<Fault, number>();
  let same = 0;
  let succeeded = 0;

  const compare = async (request: GeneratedRequest): Promise<void> => {
    const [ourAnswer, theirAnswer] = await Promise.all([
      ours.send(request, request.headers),
      connects.send(request, request.canonicalHeaders),
    ]);
    for (const fault of request.faults) {
      faults.set(fault, (faults.get(fault) ?? 0) + 1);
    }
    if (isDeepStrictEqual(ourAnswer, theirAnswer)) {
      same += 1;
      succeeded += ourAnswer.code === "ok" ? 1 : 0;
      return;
    }
    const difference = findDifference(request, ourAnswer, theirAnswer);
    if (difference !== undefined) {
      deliberate.set(difference.name, (deliberate.get(difference.name) ?? 0) + 1);
    } else if (unexplained.length < maxReported) {
      unexplained.push(report(request, ourAnswer, theirAnswer));
    }
  };

  for (let sent = 0; sent < count; sent += inFlight) {
    const batch = Array.from({ length: Math.min(inFlight, count - sent) }, () => generateRequest(random, rpcs));
    await Promise.all(batch.map(compare));
  }
  return { unexplained, same, succeeded, deliberate, faults };
}

/** A request that can be read, and repeated. */
function report(request: GeneratedRequest, ours: Outcome, connects: Outcome): object {
  const { rpc, httpVersion, method, target, headers, body, faults } = request;
  return {
    rpc: rpc.name,
    request: `HTTP/${httpVersion} ${method} ${target}`,
    headers,
    body: body && Buffer.from(body).toString("latin1"),
    faults: [...faults],
    ours,
    connects,
  };
}
