/** `fields=network`, over REST and gRPC, with an adapter that is one. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { LookupField, LookupSource } from "../../../gen/byond/v1/lookup_pb.ts";
import { startTestApp, type TestApp } from "../../support/app.ts";
import { HttpFake } from "../channels/http-fake.ts";

let adapter: HttpFake;
let app: TestApp;
let key: string;
beforeAll(async () => {
  adapter = await HttpFake.open();
  adapter.answer = {
    status: 200,
    body: JSON.stringify({ reachable: false, carrier: "Three", ported: true, line_type: "mobile" }),
  };
  app = await startTestApp({ liveLookup: { url: adapter.url, secret: "a secret that the adapter shares with us" } });
  key = await app.mintKey({ scopes: ["lookup"] });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await adapter.close();
});

const lookUp = async (query: string, as = key) => (await app.rest("GET", `/lookup?${query}`, { key: as })).body;
const american = "number=%2B12015550123";

test("the network is asked for a number that the plan does not tell", async () => {
  expect(await lookUp(american)).toMatchObject({ source: "offline", line_type: "unknown" });
  expect(adapter.requests).toHaveLength(0);
  const found = await lookUp(`${american}&fields=network,calling_code`);
  expect(found).toMatchObject({
    source: "live",
    line_type: "mobile",
    possible_line_types: ["mobile"],
    calling_code: "1",
    network: { reachable: false, carrier: "Three", ported: true, roaming_country: null },
  });
  expect(Date.parse(found.network.checked_at)).toBeGreaterThan(Date.now() - 60_000);
  const call = app.grpc({ "X-API-Key": key }).lookup;
  expect(await call.lookupNumber({ number: "+12015550123", fields: [LookupField.NETWORK] })).toMatchObject({
    source: LookupSource.LIVE,
    network: { carrier: "Three", reachable: false },
  });
});

test("not with a sandbox key, and not for a number that is not valid", async () => {
  const asked = adapter.requests.length;
  const sandboxKey = await app.mintKey({ mode: "test" });
  expect(await lookUp(`${american}&fields=network`, sandboxKey)).toMatchObject({ source: "offline" });
  for (const number of ["%2B12015", "nonsense"]) {
    const found = await lookUp(`number=${number}&fields=network`);
    expect(found.source).toBe("offline");
    expect(found).not.toHaveProperty("network");
  }
  expect(adapter.requests).toHaveLength(asked);
});

test("without an answer, and without an adapter, the lookup is offline", async () => {
  const working = adapter.answer;
  adapter.answer = "hang up";
  const offline = await lookUp(american);
  expect(await lookUp(`${american}&fields=network`)).toEqual(offline);
  adapter.answer = working;
  await using without = await app.startAnother({ liveLookup: undefined });
  const { body } = await without.rest("GET", `/lookup?${american}&fields=network`, { key });
  expect(body).toEqual(offline);
});
