/** What only the server of today knows, beside the server of the last release on the same database. */
import { createHmac } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase } from "../support/postgres.ts";
import { ServerProcess } from "../support/processes.ts";
import { FaultyReceiver, receiverAuthority } from "./faulty-receiver.ts";
import { unpackLastRelease } from "./last-release.ts";
import { until } from "./load.ts";
import { makeFolder } from "./main-process.ts";

const resources = new AsyncDisposableStack();
let old: ServerProcess;
let next: ServerProcess;
let session: string;

beforeAll(async () => {
  const folder = resources.use(await makeFolder());
  const authority = join(folder.path, "authority.pem");
  await writeFile(authority, receiverAuthority);
  const { program } = resources.use(await unpackLastRelease());
  const database = await createTestDatabase();
  resources.defer(() => database.drop());
  const databaseUrl = database.url;
  old = resources.use(await ServerProcess.start({ databaseUrl, program }));
  const environment = { WEBHOOK_ALLOWED_NETWORKS: "127.0.0.0/8", NODE_EXTRA_CA_CERTS: authority };
  next = resources.use(await ServerProcess.start({ databaseUrl, environment }));
  ({ session } = await next.signUp());
}, 180_000);
afterAll(() => resources.disposeAsync());

async function createKey(restrictions: object) {
  const body = { name: "key", mode: "test", ...restrictions };
  const created = await next.rest("POST", "/api-keys", { session, body });
  expect(created.status).toBe(201);
  return created.body;
}

const body = { channel: "email", recipient: "user@example.com" };

test("a key with scopes that the old one does not know works there, and keeps them when it is changed there", async () => {
  const scopes = ["events", "verify", "webhooks"];
  const { id, key } = await createKey({ scopes });
  expect((await old.rest("POST", "/verify/start", { key, body })).status).toBe(201);
  expect((await old.rest("PATCH", `/api-keys/${id}`, { session, body: { name: "renamed" } })).body.name).toBe(
    "renamed",
  );
  const { body: listed } = await old.rest("GET", "/api-keys", { session });
  expect(listed.keys.find((each: { id: string }) => each.id === id).scopes.sort()).toEqual(scopes);
  expect((await next.rest("GET", "/events", { key })).status).toBe(200);
});

test("a publishable key is refused by the old one, which does not know its restrictions", async () => {
  const { key } = await createKey({ origins: ["https://shop.example"] });
  expect((await old.rest("POST", "/verify/start", { key, body })).status).toBe(401);
});

test("a signed call counts once, on whichever it arrives first", async () => {
  const { key } = await createKey({ min_signature_version: "v2" });
  for (const [one, other] of [
    [old, next],
    [next, old],
  ] as const) {
    const t = Date.now();
    const signed = `v2\n${t}\nPOST\n/api/v1/verify/start\n${JSON.stringify(body)}`;
    const headers = { "Byond-Signature": `t=${t},v2=${createHmac("sha256", key).update(signed).digest("hex")}` };
    expect((await one.rest("POST", "/verify/start", { key, body, headers })).status).toBe(201);
    const { status, body: refusal } = await other.rest("POST", "/verify/start", { key, body, headers });
    expect([status, refusal.error.code]).toEqual([401, "signature_invalid"]);
  }
});

test("webhooks are told of what happens on the old one, and it spends none of their attempts", async () => {
  const { key } = await createKey({ scopes: ["verify", "webhooks"] });
  let secret = "";
  const receiver = resources.use(
    await FaultyReceiver.start({
      react: (arrived) => (arrived < 3 ? "fails" : "accepts"),
      verify: (text, headers) => void new Webhook(secret).verify(text, headers as Record<string, string>),
    }),
  );
  const hook = await next.rest("POST", "/webhooks", { key, body: { url: receiver.url } });
  secret = hook.body.secret;
  const ids: string[] = [];
  for (let index = 0; index < 4; index += 1) {
    const to = { ...body, recipient: `told-${index}@example.com` };
    const started = await old.rest("POST", "/verify/start", { key, body: to });
    ids.push(started.body.verification_id);
  }
  const expected = ids.flatMap((id) => [`verification.delivered ${id}`, `verification.started ${id}`]).sort();
  const accepted = () =>
    [...receiver.arrivals.values()]
      .flatMap((arrivals) => arrivals.filter(({ isAnswered }) => isAnswered))
      .map((arrival) => JSON.parse(arrival.body))
      .filter(({ data }) => ids.includes(data.verification_id))
      .map(({ type, data }) => `${type} ${data.verification_id}`)
      .sort();
  await until("everything has arrived", 90_000, () => accepted().length >= expected.length);
  expect(accepted()).toEqual(expected);
  expect(receiver.problems).toEqual([]);
  const list = async () =>
    (await next.rest("GET", `/webhooks/${hook.body.id}/deliveries?page_size=100`, { key })).body.deliveries;
  await until("all of them are recorded", 60_000, async () =>
    (await list()).every(({ status }: { status: string }) => status === "succeeded"),
  );
  for (const { event_id: id, attempts } of await list()) {
    expect([id, attempts]).toEqual([id, receiver.arrivals.get(id)?.length]);
  }
});

test("neither has logged an error", () => {
  expect([old, next].flatMap(({ logLines }) => logLines.filter(({ level }) => level === "error"))).toEqual([]);
});
