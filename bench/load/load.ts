import { type Answer, Http1Connection } from "./http1.ts";
import { type GrpcCall, Http2Connection } from "./http2.ts";

/** What a load came to. */
export interface LoadResult {
  readonly calls: number;
  readonly perSecond: number;
  /** In milliseconds, ascending. */
  readonly latencies: readonly number[];
  /** The part of one core that this process took: near 1, the load and not the server may be what was measured. */
  readonly busy: number;
}

/** How long a load goes on: until one of the two is reached. */
export interface Extent {
  readonly seconds?: number;
  readonly calls?: number;
}

type Call = (index: number) => Promise<void>;

/** Has every caller make calls one after the other until the time is over, or the calls are made. */
async function runCalls(
  callers: readonly Call[],
  { seconds = Infinity, calls = Infinity }: Extent,
): Promise<LoadResult> {
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  const endMs = startedMs + seconds * 1_000;
  const latencies: number[] = [];
  let next = 0;
  const run = async (call: Call) => {
    for (let nowMs = startedMs; next < calls && nowMs < endMs; ) {
      const index = next;
      next += 1;
      const sentMs = performance.now();
      await call(index);
      nowMs = performance.now();
      latencies.push(nowMs - sentMs);
    }
  };
  await Promise.all(callers.map(run));
  const elapsedMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    calls: latencies.length,
    perSecond: (latencies.length / elapsedMs) * 1_000,
    latencies: latencies.sort((one, other) => one - other),
    busy: (user + system) / 1_000 / elapsedMs,
  };
}

export interface RestLoad {
  readonly url: string;
  readonly connections: number;
  readonly request: (index: number) => string;
  /** What every answer has to have. Another one ends the load. */
  readonly status: number | readonly number[];
  readonly onAnswer?: (answer: Answer, index: number) => void;
}

/** Connections that are kept for several loads. Dispose of them. */
export interface Caller extends Disposable {
  run(extent: Extent): Promise<LoadResult>;
}

interface Connection {
  readonly isOpen: boolean;
  close(): void;
}

export function restCaller({ url, connections, request, status, onAnswer }: RestLoad): Caller {
  const statuses = [status].flat();
  return new ConnectionCaller(
    connections,
    () => Http1Connection.open(url),
    (connection) => [
      async (index) => {
        const answer = await connection.send(request(index));
        if (!statuses.includes(answer.status)) {
          throw new Error(`expected ${statuses.join(" or ")}, and got:\n${answer.text}`);
        }
        onAnswer?.(answer, index);
      },
    ],
  );
}

/** `connections` of HTTP/2, with `streams` calls at a time on each. */
export function grpcCaller(url: string, connections: number, streams: number, call: GrpcCall): Caller {
  return new ConnectionCaller(
    connections,
    () => Http2Connection.open(url),
    (connection) =>
      Array.from({ length: streams }, () => async () => {
        if ((await connection.call(call)) === 0) {
          throw new Error("a call over gRPC failed");
        }
      }),
  );
}

class ConnectionCaller<C extends Connection> implements Caller {
  readonly #open: () => Promise<C>;
  readonly #callersOf: (connection: C) => readonly Call[];
  #connections: readonly (C | undefined)[];

  constructor(count: number, open: () => Promise<C>, callersOf: (connection: C) => readonly Call[]) {
    this.#open = open;
    this.#callersOf = callersOf;
    this.#connections = Array.from({ length: count }, () => undefined);
  }

  async run(extent: Extent): Promise<LoadResult> {
    // Servers close connections that wait for long, as one side does while the other is measured.
    const opened = await Promise.all(this.#connections.map((known) => (known?.isOpen ? known : this.#open())));
    this.#connections = opened;
    return runCalls(opened.flatMap(this.#callersOf), extent);
  }

  [Symbol.dispose](): void {
    for (const connection of this.#connections) {
      connection?.close();
    }
  }
}
