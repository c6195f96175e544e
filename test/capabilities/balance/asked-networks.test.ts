/** Asking a number's network costs the operator money: whoever had it asked is charged, whether or not the client still waits. */
import { once } from "node:events";
import { connect as connectSocket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { connectHttp2 } from "../../server/port-fixture.ts";
import { protocols } from "../../support/protocols.ts";
import { HttpFake } from "../channels/http-fake.ts";
import { accountsOf, openWorkspace, type PricedWorkspace, prices, query, usePricedApp } from "./balance-fixture.ts";

const adapter = await HttpFake.open();
adapter.answer = { status: 200, body: '{"carrier":"Singtel"}' };
// Whatever the tests wait for, it is not too late for the adapter's answer.
const liveLookup = { url: adapter.url, secret: "a secret that the adapter shares with us", timeoutMs: 8_000 };
const app = usePricedApp({ liveLookup });
let workspace: PricedWorkspace;
beforeEach(async () => {
  workspace = await openWorkspace(app, 1_000);
  const body = { lookup_history: true };
  expect((await app.rest("PATCH", "/workspace", { session: workspace.session, body })).status).toBe(200);
});
afterAll(() => adapter.close());

const timeoutMs = 1_500;
const input = { number: "+6591234567", fields: ["network"] };
const rpc = "/byond.v1.LookupService/LookupNumber";
const rpcBody = JSON.stringify({ number: input.number, fields: ["LOOKUP_FIELD_NETWORK"] });

/** Begins a call, and lets the adapter answer after `meanwhile`, which begins when it is asked. */
async function whileAsked<T>(call: () => T, meanwhile: () => Promise<unknown>): Promise<Awaited<T>> {
  const held = Promise.withResolvers<void>();
  adapter.held = held.promise;
  try {
    const asked = adapter.requests.length;
    const answer = call();
    await expect.poll(() => adapter.requests.length, { timeout: 10_000, interval: 5 }).toBe(asked + 1);
    await meanwhile();
    held.resolve();
    return await answer;
  } finally {
    held.resolve();
  }
}

/** The call has arrived when the adapter is asked, so its time is over after that. */
const untilTooLate = () => pause(timeoutMs + 10);

/** Numbers that were charged, counted and kept. */
async function lookedUp() {
  const [row] = await query<{ charged: number; counted: number }>(
    app.databaseUrl,
    `SELECT
      (SELECT coalesce(sum(amount), 0) FROM ledger_entry WHERE key_id = $1 AND kind = 'charge')::float8 AS charged,
      (SELECT coalesce(sum(number), 0) FROM usage_day WHERE key_id = $1)::float8 AS counted`,
    [workspace.keyId],
  );
  const { lookups } = (await app.rest("GET", "/lookups", { session: workspace.session })).body;
  return { ...row, kept: lookups.length };
}

async function expectOne(): Promise<void> {
  await expect.poll(lookedUp, { timeout: 10_000 }).toEqual({ charged: prices.lookup, counted: 1, kept: 1 });
  expect((await accountsOf(app.databaseUrl, workspace.workspaceId)).spent).toBe(prices.lookup);
}

describe("a lookup whose client's time is over while the network is asked is answered and charged", () => {
  test.each(protocols)("over $name", async (protocol) => {
    const headers = { "Request-Timeout": `${timeoutMs / 1_000}`, "grpc-timeout": `${timeoutMs}m` };
    const call = () => protocol.call(app, "LookupNumber", input, { key: workspace.key, headers });
    const { code, body } = await whileAsked(call, untilTooLate);
    expect({ code, network: body.network }).toMatchObject({ code: "ok", network: { carrier: "Singtel" } });
    await expectOne();
  });

  test("over Connect", async () => {
    const headers = {
      "X-API-Key": workspace.key,
      "Content-Type": "application/json",
      "Connect-Timeout-Ms": `${timeoutMs}`,
    };
    const call = () => fetch(app.url + rpc, { method: "POST", headers, body: rpcBody });
    const answer = await whileAsked(call, untilTooLate);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ network: { carrier: "Singtel" } });
    await expectOne();
  });
});

describe("a lookup whose client goes away while the network is asked is charged", () => {
  const isOver = (lines: number) =>
    expect
      .poll(() => app.logLines.slice(lines).filter((line) => line.includes('"aborted":true')), { timeout: 10_000 })
      .toHaveLength(1);

  test("reset, over HTTP/1.1", async () => {
    const lines = app.logLines.length;
    const { hostname, port } = new URL(app.url);
    const socket = connectSocket(Number(port), hostname);
    const target = `/api/v1/lookup?number=${encodeURIComponent(input.number)}&fields=network`;
    socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\nX-API-Key: ${workspace.key}\r\n\r\n`);
    const leave = async () => {
      socket.resetAndDestroy();
      await isOver(lines);
    };
    await whileAsked(() => once(socket, "close"), leave);
    await expectOne();
  });

  test("reset, over HTTP/2", async () => {
    const lines = app.logLines.length;
    const session = connectHttp2(app.url);
    const stream = session.request({
      ":method": "POST",
      ":path": rpc,
      "x-api-key": workspace.key,
      "content-type": "application/json",
    });
    stream.end(rpcBody);
    const leave = async () => {
      stream.close(8);
      await isOver(lines);
    };
    await whileAsked(() => once(stream, "close"), leave);
    session.destroy();
    await expectOne();
  });
});

test("a lookup whose key is revoked while the network is asked is refused, and costs nothing", async () => {
  const lookUp = (key: string, headers = {}) =>
    app.rest("GET", `/lookup?number=${encodeURIComponent(input.number)}&fields=network`, { key, headers });
  const { session } = workspace;
  const another = (await app.rest("POST", "/api-keys", { session, body: { name: "another key" } })).body;
  const call = () => lookUp(workspace.key, { "Request-Timeout": `${timeoutMs / 1_000}` });
  const { status, body } = await whileAsked(call, async () => {
    await untilTooLate();
    await app.rest("DELETE", `/api-keys/${workspace.keyId}`, { session });
  });
  expect([status, body.error.code]).toEqual([401, "invalid_api_key"]);
  // What comes of the call has come of it when a later one has been charged.
  expect((await lookUp(another.key)).status).toBe(200);
  await expect.poll(async () => (await lookedUp()).kept, { timeout: 10_000 }).toBe(1);
  expect(await lookedUp()).toEqual({ charged: 0, counted: 0, kept: 1 });
  expect((await accountsOf(app.databaseUrl, workspace.workspaceId)).spent).toBe(prices.lookup);
});
