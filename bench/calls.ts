/**
 * Calls through the front door of a server in this process, as ratios to the cheapest answer that it can give (`/healthz`)
 * in the same run. Client, server and database share the machine.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { LookupService } from "../gen/byond/v1/lookup_pb.ts";
import { createApp, parseConfig } from "../src/app.ts";
import { createLogger } from "../src/observe/log.ts";

const calls = 2_000;
const concurrency = 16;

const dataDir = await mkdtemp(join(tmpdir(), "byond-bench-"));
const logger = createLogger(() => {});
const config = parseConfig({ DATA_DIR: dataDir, PORT: "0", DEFAULT_TIER: "unlimited" });
const app = await createApp(config, {
  logger,
  onFatal: (reason) => {
    throw reason;
  },
});
const key = app.demoKey ?? "";
const agent = new Agent({ keepAlive: true, maxSockets: concurrency });

function rest(method: string, path: string, body?: unknown): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { "X-API-Key": key, ...(body === undefined ? {} : { "Content-Type": "application/json" }) };
    const sent = request(`${app.url}${path}`, { method, agent, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () =>
        response.statusCode === 200 || response.statusCode === 201 ? resolve(text) : reject(text),
      );
    });
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const lookup = createClient(
  LookupService,
  createGrpcTransport({
    baseUrl: app.url,
    interceptors: [
      (next) => (call) => {
        call.header.set("x-api-key", key);
        return next(call);
      },
    ],
  }),
);

const started: string[] = [];
const scenarios: readonly (readonly [name: string, call: (index: number) => Promise<unknown>])[] = [
  ["GET /healthz", () => rest("GET", "/healthz")],
  ["GET /lookup", () => rest("GET", "/api/v1/lookup?number=%2B6591234567")],
  ["gRPC LookupNumber", () => lookup.lookupNumber({ number: "+6591234567" })],
  [
    "POST /verify/start",
    async (index) => {
      const body = { channel: "email", recipient: `user-${index}@example.com` };
      started.push(JSON.parse(await rest("POST", "/api/v1/verify/start", body)).verification_id);
    },
  ],
  [
    "POST /verify/check",
    (index) => rest("POST", "/api/v1/verify/check", { verification_id: started[index], code: "000000" }),
  ],
];

/** Resolves when every started message has gone out, so that no delivery shares the machine with what is measured next. */
async function deliveriesFinished(): Promise<void> {
  for (const id of started) {
    let statuses: string[];
    do {
      const { deliveries } = JSON.parse(await rest("GET", `/api/v1/verify/${id}`));
      statuses = deliveries.map((delivery: { status: string }) => delivery.status);
    } while (statuses.includes("queued"));
  }
}

async function measure(call: (index: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  const startedMs = performance.now();
  const worker = async () => {
    while (next < calls) {
      await call(next++);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return (performance.now() - startedMs) / calls;
}

let baseline: number | undefined;
console.log(`${calls} calls each, ${concurrency} at a time`);
for (const [name, call] of scenarios) {
  await deliveriesFinished();
  const msPerCall = await measure(call);
  baseline ??= msPerCall;
  const perSecond = Math.round(1000 / msPerCall);
  const ratio = (msPerCall / baseline).toFixed(2);
  console.log(`${name.padEnd(22)} ${String(perSecond).padStart(6)} calls/s   ${ratio} × /healthz`);
}
agent.destroy();
await app.close();
await rm(dataDir, { recursive: true, force: true });
