/**
 * The examples of the reference, one for each type of event, are what an endpoint got. `npx vitest run <this file> -u` writes them
 * anew; then run `npm run generate`.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { EventType, EventTypeSchema } from "../../../gen/byond/v1/event_type_pb.ts";
import { parseConfig } from "../../../src/app.ts";
import { bucketSeconds, lagSeconds, minStarts } from "../../../src/capabilities/guard/traffic.policy.ts";
import { exampleIds, exampleKeys } from "../../../src/capabilities/reference/openapi/example-ids.ts";
import { restStyle } from "../../../src/rpc/rest-style.ts";
import { password, type RestCall, startTestApp, type TestApp } from "../../support/app.ts";
import { verifyEmailOf } from "../../support/verified-email.ts";
import { WhatsappFake } from "../../system/whatsapp-fake.ts";
import { check, start, startAndRead, wrongFor } from "../verify/verify-calls.ts";
import { Receiver } from "./receiver.ts";

const examplesFile = join(import.meta.dirname, "../../../src/capabilities/reference/openapi/event-examples.json");
const types = EventTypeSchema.values
  .filter(({ number }) => number !== EventType.UNSPECIFIED)
  .map((value) => restStyle.enumWord?.(value) ?? value.name);

let whatsapp: WhatsappFake;
let app: TestApp;
beforeAll(async () => {
  whatsapp = await WhatsappFake.open();
  const { delivery } = parseConfig({
    WHATSAPP_TOKEN: "token",
    WHATSAPP_PHONE_NUMBER_ID: "1",
    WHATSAPP_TEMPLATE: "code",
    WHATSAPP_API_URL: whatsapp.url,
  });
  const webhookDestinations = { allowedNetworks: [], allowsLoopback: true };
  app = await startTestApp({ delivery, webhookDestinations, allowsFixedCodes: true }, { sweepIntervalMs: 200 });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await whatsapp[Symbol.asyncDispose]();
});

// biome-ignore lint/suspicious/noExplicitAny: a test reads JSON of which it says itself what it expects
type Json = any;

const subjectOf = ({ data }: Json): string => data.verification_id ?? data.id;

test("the examples of events in the reference are what an endpoint got", { timeout: 60_000 }, async () => {
  const { session, workspaceId } = await app.signUp();
  await verifyEmailOf(app.databaseUrl, workspaceId);
  const rest = async (method: string, path: string, body?: object) => {
    const call: RestCall = { session, ...(body === undefined ? {} : { body }) };
    const answer = await app.rest(method, path, call);
    expect(answer.status, `${method} ${path}`).toBeLessThan(300);
    return answer.body;
  };
  const { key } = await rest("POST", "/api-keys", { name: "starts" });
  const [receiver, gone] = [await Receiver.start(), await Receiver.start()];
  gone.behaviour = 410;
  await rest("POST", "/webhooks", { url: receiver.url });

  const examples: Record<string, Json> = {};
  /** Waits for an event of a subject, and keeps it as the example of its type. */
  const got = async (type: string, subject: string) => {
    const event = await vi.waitFor(
      () => {
        const found = receiver.received.find((one) => one.event.type === type && subjectOf(one.event) === subject);
        expect(found, `${type} among ${receiver.types}`).toBeDefined();
        return found?.event;
      },
      { timeout: 15_000, interval: 20 },
    );
    expect(await rest("GET", `/events/${event.id}`)).toEqual(event);
    examples[type] = event;
  };
  /** The id of the object of the first event of a type. */
  const firstSubjectOf = (type: string) =>
    vi.waitFor(
      () => {
        const found = receiver.received.find((one) => one.event.type === type);
        expect(found, type).toBeDefined();
        return found?.event.data.id;
      },
      { timeout: 15_000, interval: 20 },
    );
  const startOne = async (recipient: string) => {
    const started = await startAndRead(app, key, recipient, { metadata: { order: "4711" } });
    await got("verification.started", started.id);
    // The message is recorded by then: what follows shows it as delivered.
    await got("verification.delivered", started.id);
    return started;
  };

  const approved = await startOne("ada@example.com");
  expect(await check(app, key, approved.id, approved.code)).toBe("approved");
  await got("verification.approved", approved.id);

  const locked = await startOne("abe@example.com");
  await rest("POST", "/webhooks", { url: gone.url, events: ["verification.locked"], description: "orders" });
  for (let attempt = 0; attempt < 5; attempt++) {
    await check(app, key, locked.id, wrongFor(locked));
  }
  await got("verification.locked", locked.id);
  const [disabled] = (await rest("GET", "/webhooks")).webhooks;
  await got("webhook.disabled", disabled.id);

  const canceled = await startOne("amy@example.com");
  expect((await app.rest("POST", `/verify/${canceled.id}/cancel`, { key })).status).toBe(200);
  await got("verification.canceled", canceled.id);

  const recipient = "+6591234567";
  whatsapp.troubles.set(recipient, [{ status: 400, body: JSON.stringify({ error: { code: 131026 } }) }]);
  const { body: refused } = await start(app, key, recipient, { channel: "whatsapp" });
  await got("verification.delivery_failed", refused.verification_id);

  const { id } = await rest("POST", "/api-keys", { name: "prod-backend", scopes: ["verify", "lookup"] });
  await got("api_key.created", id);
  await rest("PATCH", `/api-keys/${id}`, { requests_per_minute: 600 });
  await got("api_key.updated", id);
  await rest("POST", `/api-keys/${id}/rotate`, { grace_seconds: 3600 });
  await got("api_key.rotated", id);
  await rest("DELETE", `/api-keys/${id}?reason=left%20the%20team`);
  await got("api_key.revoked", id);

  const fixed = { recipient: "+12125550123", password, description: "review of the app" };
  const { id: fixedCodeId } = await rest("POST", "/fixed-codes", fixed);
  await got("fixed_code.created", fixedCodeId);
  await rest("DELETE", `/fixed-codes/${fixedCodeId}`);
  await got("fixed_code.deleted", fixedCodeId);

  for (const name of "abcdefghij") {
    const { body: started } = await start(app, key, `${name}@example.com`);
    const guess = { verification_id: started.verification_id, code: "1", device_id: "c0ffee-4711" };
    await app.rest("POST", "/verify/check", { key, body: guess });
  }
  await got("guessing.detected", await firstSubjectOf("guessing.detected"));

  // A user, whose code is entered, and then numbers of one range, of which none is.
  const { body: entered } = await start(app, key, "+4915123456789", { channel: "whatsapp" });
  const code = await vi.waitFor(
    () => {
      const [found] = whatsapp.taken.get("+4915123456789") ?? [];
      expect(found).toBeDefined();
      return found ?? "";
    },
    { timeout: 20_000 },
  );
  expect(await check(app, key, entered.verification_id, code)).toBe("approved");
  for (let number = 0; number < minStarts.range; number++) {
    await start(app, key, `+23480312${String(10_000 + number)}`, { channel: "whatsapp" });
  }
  await app.time.advance({ seconds: lagSeconds.usual + bucketSeconds });
  await start(app, key, "+2348031220000", { channel: "whatsapp" });
  const blockId = await firstSubjectOf("guard_block.started");
  await got("guard_block.started", blockId);
  expect((await start(app, key, "+2348031220001", { channel: "whatsapp" })).status).toBe(403);
  await got("guard_refusal.recorded", await firstSubjectOf("guard_refusal.recorded"));
  await rest("DELETE", `/guard/blocks/${blockId}`);
  await got("guard_block.deleted", blockId);

  const expired = await startOne("ann@example.com");
  await app.time.advance({ seconds: 301 });
  await got("verification.expired", expired.id);

  expect(Object.keys(examples).toSorted()).toEqual(types.toSorted());
  const steady = Object.fromEntries(types.map((type) => [type, withFixedValues(examples[type])]));
  await expect(formatted(steady)).toMatchFileSnapshot(examplesFile);
});

/** When the events of the examples happen, where it is not at the start of the object. */
const moments: Readonly<Record<string, string>> = {
  "verification.delivered": "2026-06-15T09:37:01Z",
  "verification.delivery_failed": "2026-06-15T09:37:01Z",
  "verification.approved": "2026-06-15T09:37:48Z",
  "verification.locked": "2026-06-15T09:38:20Z",
  "verification.canceled": "2026-06-15T09:38:05Z",
  "verification.expired": "2026-06-15T09:42:30Z",
  "api_key.created": "2026-06-15T09:30:00Z",
  "api_key.updated": "2026-06-15T10:15:00Z",
  "api_key.rotated": "2026-06-16T08:00:00Z",
  "api_key.revoked": "2026-06-17T16:20:00Z",
  "webhook.disabled": "2026-06-15T09:38:21Z",
  "guard_block.started": "2026-06-15T09:30:00Z",
  "guard_block.deleted": "2026-06-15T09:38:00Z",
  "guard_refusal.recorded": "2026-06-15T09:31:00Z",
  "guessing.detected": "2026-06-15T09:40:00Z",
  "fixed_code.created": "2026-06-15T09:34:00Z",
  "fixed_code.deleted": "2026-06-20T12:05:00Z",
};

/** What differs between runs, as the rest of the reference has it. Null stays null. */
function withFixedValues(event: Json): Json {
  const createdAt = moments[event.type] ?? "2026-06-15T09:37:00Z";
  const ofKind: Readonly<Record<string, object>> = {
    verification: {
      verification_id: exampleIds.verification,
      created_at: "2026-06-15T09:37:00Z",
      expires_at: "2026-06-15T09:42:00Z",
      approved_at: createdAt,
      deliveries: event.data.deliveries?.map((delivery: Json) =>
        replaced(delivery, {
          id: exampleIds.message,
          created_at: "2026-06-15T09:37:00Z",
          sent_at: "2026-06-15T09:37:01Z",
          provider_message_id: "<b1f2@mail.example.com>",
        }),
      ),
    },
    api_key: {
      id: exampleIds.key,
      key_prefix: exampleKeys.prefix,
      created_at: "2026-06-15T09:30:00Z",
      last_used_at: "2026-06-15T11:02:14Z",
      revoked_at: createdAt,
      created_by: exampleIds.user,
    },
    webhook: {
      id: exampleIds.webhook,
      url: "https://example.com/hooks/byond",
      created_at: "2026-06-15T08:00:00Z",
      disabled_at: createdAt,
    },
    guard_block: {
      id: exampleIds.guardBlock,
      starts_at: "2026-06-15T09:30:00Z",
      ends_at: event.type === "guard_block.deleted" ? createdAt : "2026-06-15T09:45:00Z",
    },
    guard_refusal: { id: exampleIds.guardRefusal },
    guessing: {
      id: exampleIds.guessing,
      since: "2026-06-15T09:20:00Z",
      slowed_until: "2026-06-15T10:40:00Z",
    },
    fixed_code: {
      id: exampleIds.fixedCode,
      created_at: "2026-06-15T09:34:00Z",
      expires_at: "2026-06-29T09:34:00Z",
      created_by: exampleIds.user,
    },
  };
  const [kind = ""] = event.type.split(".");
  return {
    ...replaced(event, { id: exampleIds.approved, created_at: createdAt }),
    data: replaced(event.data, ofKind[kind] ?? {}),
  };
}

/** The object with other values where it has one. Throws if it lacks a member: the list of them is old. */
function replaced(object: Json, values: object): Json {
  const missing = Object.keys(values).filter((name) => !(name in object));
  expect(missing, "members that are replaced, and are not there").toEqual([]);
  const present = Object.entries(values).filter(([name]) => object[name] !== null);
  return { ...object, ...Object.fromEntries(present) };
}

/** As Biome writes JSON: short lists of texts are in one line. */
function formatted(value: Json): string {
  const text = JSON.stringify(value, undefined, 2);
  return `${text.replace(/\[\s+("[^[\]{}]*")\s+\]/g, (_, items: string) => `[${items.replace(/,\s+/g, ", ")}]`)}\n`;
}
