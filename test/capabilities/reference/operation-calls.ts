import { expect, vi } from "vitest";
import { password, type RestAnswer, type RestCall, type SignedUp, type TestApp } from "../../support/app.ts";
import { blockRange } from "../guard/guard-calls.ts";

/** Makes one call and answers it with the status that it is expected to have. */
export type OperationCall = (world: World) => Promise<readonly [answer: RestAnswer, expected: number]>;

/** What calls are made in: a server, an account with a session and keys of it. */
export interface World {
  readonly app: TestApp;
  readonly account: SignedUp;
  readonly session: string;
  readonly key: string;
  readonly sandboxKey: string;
  /** A mail address that nothing was sent to yet. */
  newAddress(): string;
}

export async function createWorld(app: TestApp): Promise<World> {
  const account = await app.signUp();
  const { session } = account;
  const mint = async (mode: string): Promise<string> =>
    (await app.rest("POST", "/api-keys", { session, body: { name: mode, mode } })).body.key;
  let addresses = 0;
  return {
    app,
    account,
    session,
    key: await mint("live"),
    sandboxKey: await mint("test"),
    newAddress: () => `recipient-${++addresses}-${account.email}`,
  };
}

function call(method: string, path: string, expected: number, what: (world: World) => RestCall): OperationCall {
  return async (world) => [await world.app.rest(method, path, what(world)), expected];
}

/** The first line of a stream, which does not end by itself. */
async function firstOfStream(url: string, key: string): Promise<RestAnswer> {
  const leave = new AbortController();
  const { status, headers, body } = await fetch(url, { headers: { "X-API-Key": key }, signal: leave.signal });
  let text = "";
  for await (const chunk of body ?? []) {
    text += Buffer.from(chunk).toString();
    if (text.includes("\n")) break;
  }
  leave.abort();
  return { status, headers, body: JSON.parse(text.slice(0, text.indexOf("\n"))) };
}

export async function startVerification({ app, sandboxKey, newAddress }: World): Promise<string> {
  const body = { channel: "email", recipient: newAddress(), metadata: { order: "4711" } };
  return (await app.rest("POST", "/verify/start", { key: sandboxKey, body })).body.verification_id;
}

export async function createKey({ app, session }: World): Promise<string> {
  return (await app.rest("POST", "/api-keys", { session, body: { name: "for a call" } })).body.id;
}

/** Sets the template of mails in English, and returns its path. */
export async function putTemplate({ app, session }: World): Promise<string> {
  const path = "/templates/email/en";
  expect((await app.rest("PUT", path, { session, body: mailTemplate })).status).toBe(200);
  return path;
}

const mailTemplate = { subject: "Your {{brand}} code", text: "{{code}}" };

/** Looks a number up in the sandbox while there is a history, and returns the id of the lookup. */
export async function recordLookup({ app, session, sandboxKey: key, newAddress }: World): Promise<string> {
  await app.rest("PATCH", "/workspace", { session, body: { lookup_history: true } });
  // No number, so that each lookup is found by what was sent.
  const number = newAddress();
  await app.rest("GET", `/lookup?number=${encodeURIComponent(number)}`, { key });
  return vi.waitFor(
    async () => {
      const { body } = await app.rest("GET", `/lookups?number=${encodeURIComponent(number)}`, { key });
      expect(body.lookups).toHaveLength(1);
      return body.lookups[0].lookup_id;
    },
    { timeout: 20_000 },
  );
}

/** Starts a verification in the sandbox that cannot be delivered, and returns the id of its recipient's suppression. */
export async function suppressRecipient({ app, sandboxKey: key, newAddress }: World): Promise<string> {
  const recipient = `undeliverable-${newAddress().replace(/@.*/, "")}@example.com`;
  await app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient } });
  return vi.waitFor(
    async () => {
      const { body } = await app.rest("GET", `/suppressions?recipient=${recipient}`, { key });
      expect(body.suppressions).toHaveLength(1);
      return body.suppressions[0].suppression_id;
    },
    { timeout: 20_000 },
  );
}

export function setSpendCap({ app, session }: World): Promise<RestAnswer> {
  return app.rest("PUT", "/spend-caps/workspace", { session, body: { amount: "25.00", period: "month" } });
}

/** Puts a range on the safe list, and returns the id of its entry. */
export async function addSafeRange({ app, session }: World): Promise<string> {
  const body = { number: "+65912x" };
  return (await app.rest("POST", "/guard/safe-list", { session, body })).body.id;
}

/** Instead of those before: there are ten at most. */
export async function createFixedCode({ app, session, newAddress }: World): Promise<string> {
  const { body } = await app.rest("GET", "/fixed-codes", { session });
  for (const { id } of body.fixed_codes) {
    await app.rest("DELETE", `/fixed-codes/${id}`, { session });
  }
  const fixed = { recipient: newAddress(), password };
  return (await app.rest("POST", "/fixed-codes", { session, body: fixed })).body.id;
}

/** Calls about a verification of their own. */
function aboutVerification(method: string, suffix: string, expected: number, body?: unknown): OperationCall {
  return async (world) => {
    const id = await startVerification(world);
    const answer = await world.app.rest(method, `/verify/${id}${suffix}`, {
      key: world.sandboxKey,
      ...(body === undefined ? {} : { body }),
    });
    return [answer, expected];
  };
}

/** Calls about a key of their own. */
function aboutKey(method: string, suffix: string, expected: number, body?: unknown): OperationCall {
  return async (world) => {
    const id = await createKey(world);
    const { app, session } = world;
    return [
      await app.rest(method, `/api-keys/${id}${suffix}`, { session, ...(body === undefined ? {} : { body }) }),
      expected,
    ];
  };
}

/** Instead of those before: there are twenty at most. */
export async function createWebhook(world: World): Promise<string> {
  const { session } = world;
  const { body } = await world.app.rest("GET", "/webhooks", { session });
  await Promise.all(
    body.webhooks.map(({ id }: { readonly id: string }) => world.app.rest("DELETE", `/webhooks/${id}`, { session })),
  );
  const url = "https://hooks.example/byond";
  return (await world.app.rest("POST", "/webhooks", { session, body: { url } })).body.id;
}

/** Calls about a webhook of their own. */
function aboutWebhook(method: string, suffix: string, expected: number, body?: unknown): OperationCall {
  return async (world) => {
    const path = `/webhooks/${await createWebhook(world)}${suffix}`;
    const { app, session } = world;
    return [await app.rest(method, path, { session, ...(body === undefined ? {} : { body }) }), expected];
  };
}

/** The path of the deliveries to a new webhook, of which there is one. */
export async function deliveriesOfNewWebhook(world: World): Promise<string> {
  const path = `/webhooks/${await createWebhook(world)}/deliveries`;
  await createKey(world);
  await vi.waitFor(
    async () => {
      const { body } = await world.app.rest("GET", path, { session: world.session });
      expect(body.deliveries).toHaveLength(1);
    },
    { timeout: 20_000 },
  );
  return path;
}

const noSuchVerification = "vrf_3kZ9c1d4f7b21bQ";

/** What is called of every operation, by its id: at least its success. Refusals that all share are called elsewhere. */
export const operationCalls: Readonly<Record<string, readonly OperationCall[]>> = {
  startVerification: [
    call("POST", "/verify/start", 201, ({ key, newAddress }) => ({
      key,
      body: { channel: "email", recipient: newAddress() },
    })),
    call("POST", "/verify/start", 201, ({ key }) => ({ key, body: { channel: "voice", recipient: "+6591234567" } })),
    call("POST", "/verify/start", 422, ({ key }) => ({ key, body: { channel: "fax", code_length: 11 } })),
    async ({ app, sandboxKey, newAddress }) => {
      const body = { channel: "email", recipient: newAddress() };
      const start = () => app.rest("POST", "/verify/start", { key: sandboxKey, body });
      await Promise.all([start(), start(), start()]);
      return [await start(), 429];
    },
    async ({ app, sandboxKey, newAddress }) => {
      const headers = { "Idempotency-Key": "used for another request" };
      const start = () =>
        app.rest("POST", "/verify/start", {
          key: sandboxKey,
          headers,
          body: { channel: "email", recipient: newAddress() },
        });
      await start();
      return [await start(), 422];
    },
    call("POST", "/verify/start", 400, ({ key }) => ({ key, headers: { "Byond-Version": "1999-12-31" }, body: {} })),
    call("POST", "/verify/start", 401, ({ key }) => ({ key, headers: { "Byond-Signature": "t=1,v1=00" }, body: {} })),
  ],
  checkVerification: [
    async (world) => {
      const body = { verification_id: await startVerification(world), code: "000000" };
      return [await world.app.rest("POST", "/verify/check", { key: world.sandboxKey, body }), 200];
    },
    call("POST", "/verify/check", 404, ({ key }) => ({
      key,
      body: { verification_id: noSuchVerification, code: "1" },
    })),
  ],
  getVerification: [
    aboutVerification("GET", "", 200),
    async (world) => {
      const { app, session } = world;
      const call = { session, headers: { "Byond-Mode": "test" } };
      return [await app.rest("GET", `/verify/${await startVerification(world)}`, call), 200];
    },
    call("GET", `/verify/${noSuchVerification}`, 404, ({ key }) => ({ key })),
  ],
  resendCode: [
    aboutVerification("POST", "/resend", 200, {}),
    call("POST", `/verify/${noSuchVerification}/resend`, 404, ({ key }) => ({ key, body: {} })),
  ],
  cancelVerification: [
    aboutVerification("POST", "/cancel", 200),
    call("POST", `/verify/${noSuchVerification}/cancel`, 404, ({ key }) => ({ key })),
  ],
  listVerifications: [
    async (world) => {
      await startVerification(world);
      return [await world.app.rest("GET", "/verifications?page_size=1&channel=email", { key: world.sandboxKey }), 200];
    },
    call("GET", "/verifications?page_size=1", 200, ({ session }) => ({ session, headers: { "Byond-Mode": "test" } })),
    call("GET", "/verifications?page_size=0", 422, ({ key }) => ({ key })),
  ],
  eraseRecipient: [
    call("POST", "/verifications/erase", 200, ({ key }) => ({ key, body: { recipient: "erased@example.com" } })),
  ],
  lookupNumber: [
    call("GET", "/lookup?number=%2B6591234567&country=SG", 200, ({ key }) => ({ key })),
    call("GET", "/lookup?number=nonsense", 200, ({ key }) => ({ key })),
    call(
      "GET",
      "/lookup?number=%2B16502530000%3Bext%3D12&fields=calling_code,extension,international_format,rfc3966,reason,also_possible,timezones,location,carrier,metadata_version",
      200,
      ({ key }) => ({ key }),
    ),
    call("GET", "/lookup", 422, ({ key }) => ({ key })),
  ],
  listLookups: [
    async (world) => {
      await recordLookup(world);
      await recordLookup(world);
      const { app, sandboxKey: key } = world;
      const { body } = await app.rest("GET", "/lookups?page_size=1", { key });
      return [await app.rest("GET", `/lookups?page_token=${body.next_page_token}`, { key }), 200];
    },
    call("GET", "/lookups?number=%2B6591234567&created_after=2026-01-01T00:00:00Z", 200, ({ session }) => ({
      session,
    })),
    call("GET", "/lookups?page_size=0", 422, ({ key }) => ({ key })),
  ],
  getLookup: [
    async (world) => {
      const id = await recordLookup(world);
      return [await world.app.rest("GET", `/lookups/${id}`, { key: world.sandboxKey }), 200];
    },
    call("GET", "/lookups/lkp_none", 404, ({ session }) => ({ session })),
  ],
  lookupEmail: [
    call("POST", "/email/verify", 200, ({ key }) => ({ key, body: { email: "Ada@Bücher.test" } })),
    call("POST", "/email/verify", 200, ({ key }) => ({ key, body: { email: "ada" } })),
    call("POST", "/email/verify", 422, ({ key }) => ({ key, body: {} })),
  ],
  batchLookup: [
    call("POST", "/lookup/batch", 200, ({ key }) => ({
      key,
      body: { numbers: [{ number: "+6591234567", reference: "a" }, { number: "" }, { number: "+6591234567" }] },
    })),
    call("POST", "/lookup/batch", 422, ({ key }) => ({ key, body: { numbers: [] } })),
  ],
  createApiKey: [
    call("POST", "/api-keys", 201, ({ session }) => ({
      session,
      body: {
        name: "restricted",
        scopes: ["verify"],
        ip_allowlist: ["203.0.113.0/24"],
        expires_at: "2099-01-01T00:00:00Z",
      },
    })),
    call("POST", "/api-keys", 201, ({ session }) => ({ session, body: { name: "unrestricted", scopes: null } })),
    call("POST", "/api-keys", 201, ({ session }) => ({
      session,
      body: { name: "page", origins: ["https://shop.example"] },
    })),
  ],
  listApiKeys: [call("GET", "/api-keys?include_revoked=true", 200, ({ session }) => ({ session }))],
  getApiKey: [aboutKey("GET", "", 200), call("GET", "/api-keys/key_none", 404, ({ session }) => ({ session }))],
  updateApiKey: [
    aboutKey("PATCH", "", 200, { name: "renamed", requests_per_minute: 60 }),
    call("PATCH", "/api-keys/key_none", 404, ({ session }) => ({ session, body: { name: "nobody" } })),
  ],
  rotateApiKey: [
    aboutKey("POST", "/rotate", 200, { grace_seconds: 60 }),
    call("POST", "/api-keys/key_none/rotate", 404, ({ session }) => ({ session, body: {} })),
  ],
  revokeApiKey: [
    aboutKey("DELETE", "", 200),
    call("DELETE", "/api-keys/key_none", 404, ({ session }) => ({ session })),
  ],
  listEvents: [
    async (world) => {
      await startVerification(world);
      return [await world.app.rest("GET", "/events?page_size=1", { key: world.sandboxKey }), 200];
    },
    call("GET", "/events?type=verification.started&subject=vrf_none", 200, ({ session }) => ({
      session,
      headers: { "Byond-Mode": "test" },
    })),
    call("GET", "/events", 400, ({ session }) => ({ session, headers: { "Byond-Mode": "sandbox" } })),
    call("GET", "/events?type=nothing", 422, ({ key }) => ({ key })),
  ],
  getEvent: [
    async (world) => {
      const subject = await startVerification(world);
      const { app, sandboxKey: key } = world;
      const event = await vi.waitFor(
        async () => {
          const { body } = await app.rest("GET", `/events?subject=${subject}`, { key });
          expect(body.events).not.toEqual([]);
          return body.events[0];
        },
        { timeout: 20_000 },
      );
      return [await app.rest("GET", `/events/${event.id}`, { key }), 200];
    },
    call("GET", "/events/evt_none", 404, ({ key }) => ({ key })),
  ],
  streamEvents: [
    async ({ app, key }) => [await firstOfStream(`${app.url}/api/v1/events/stream?after=start`, key), 200],
    call("GET", "/events/stream?after=evt_none", 404, ({ key }) => ({ key })),
    call("GET", "/events/stream?types=nothing", 422, ({ key }) => ({ key })),
  ],
  getVerificationReport: [
    async (world) => {
      await startVerification(world);
      const path = "/reports/verifications?group_by=day&group_by=api_key&time_zone=Asia/Kolkata&channels=email";
      return [await world.app.rest("GET", path, { key: world.sandboxKey }), 200];
    },
    call("GET", "/reports/verifications?from=2026-06-31", 422, ({ key }) => ({ key })),
  ],
  getUsage: [
    async (world) => {
      await startVerification(world);
      return [await world.app.rest("GET", "/usage?group_by=day&group_by=api_key", { key: world.sandboxKey }), 200];
    },
    call("GET", "/usage?from=2026-06-31", 422, ({ key }) => ({ key })),
  ],
  getOverview: [
    async (world) => {
      await startVerification(world);
      return [await world.app.rest("GET", "/reports/overview?period=7d", { key: world.sandboxKey }), 200];
    },
    call("GET", "/reports/overview", 200, ({ session }) => ({ session, headers: { "Byond-Mode": "test" } })),
    call("GET", "/reports/overview?period=1y", 422, ({ key }) => ({ key })),
  ],
  exportRecipient: [
    async ({ app, session }) => {
      const body = { name: "exports", scopes: ["verify"] };
      const { key } = (await app.rest("POST", "/api-keys", { session, body })).body;
      return [await app.rest("GET", "/recipients/export?recipient=ada%40example.com", { key }), 200];
    },
    call("GET", "/recipients/export?recipient=ada%40example.com", 403, ({ key }) => ({ key })),
  ],
  getBalance: [
    call("GET", "/balance", 200, ({ session }) => ({ session })),
    call("GET", "/balance", 403, ({ key }) => ({ key })),
  ],
  listBalanceEntries: [
    call("GET", "/balance/entries?page_size=5", 200, ({ session }) => ({ session })),
    call("GET", "/balance/entries?page_size=0", 422, ({ session }) => ({ session })),
  ],
  listSpendCaps: [
    async (world) => {
      await setSpendCap(world);
      return [await world.app.rest("GET", "/spend-caps", { session: world.session }), 200];
    },
    call("GET", "/spend-caps", 403, ({ key }) => ({ key })),
  ],
  setSpendCap: [
    async (world) => [await setSpendCap(world), 200],
    call("PUT", "/spend-caps/nobody", 422, ({ session }) => ({ session, body: { amount: "1", period: "day" } })),
    call("PUT", "/spend-caps/key_0000000000000000000000", 404, ({ session }) => ({
      session,
      body: { amount: "1", period: "day" },
    })),
  ],
  deleteSpendCap: [
    async (world) => {
      await setSpendCap(world);
      return [await world.app.rest("DELETE", "/spend-caps/workspace", { session: world.session }), 200];
    },
    call("DELETE", "/spend-caps/key_0000000000000000000000", 404, ({ session }) => ({ session })),
  ],
  listSuppressions: [
    async (world) => {
      await suppressRecipient(world);
      await suppressRecipient(world);
      const { app, sandboxKey: key } = world;
      const { body } = await app.rest("GET", "/suppressions?page_size=1", { key });
      return [await app.rest("GET", `/suppressions?page_token=${body.next_page_token}`, { key }), 200];
    },
    call("GET", "/suppressions?channel=email&recipient=ada@example.com", 200, ({ session }) => ({ session })),
    call("GET", "/suppressions?recipient=nobody", 422, ({ key }) => ({ key })),
  ],
  deleteSuppression: [
    async (world) => {
      const id = await suppressRecipient(world);
      return [await world.app.rest("DELETE", `/suppressions/${id}`, { key: world.sandboxKey }), 200];
    },
    call("DELETE", "/suppressions/sup_none", 404, ({ session }) => ({ session })),
  ],
  listTemplates: [
    async (world) => {
      await putTemplate(world);
      return [await world.app.rest("GET", "/templates", { session: world.session }), 200];
    },
    // A key must name the scope.
    call("GET", "/templates", 403, ({ key }) => ({ key })),
  ],
  getTemplate: [
    async (world) => [await world.app.rest("GET", await putTemplate(world), { session: world.session }), 200],
    call("GET", "/templates/voice/fr", 404, ({ session }) => ({ session })),
    call("GET", "/templates/whatsapp/fr", 422, ({ session }) => ({ session })),
  ],
  putTemplate: [
    call("PUT", "/templates/email/de", 200, ({ session }) => ({
      session,
      body: { ...mailTemplate, html: "<p>{{code}}</p>", accent_color: "#e8f0fe" },
    })),
    call("PUT", "/templates/sms/default", 200, ({ session }) => ({ session, body: { text: "{{code}}" } })),
    call("PUT", "/templates/email/de", 422, ({ session }) => ({
      session,
      body: { ...mailTemplate, html: "<script>{{code}}</script>" },
    })),
  ],
  deleteTemplate: [
    async (world) => [await world.app.rest("DELETE", await putTemplate(world), { session: world.session }), 200],
    call("DELETE", "/templates/voice/fr", 404, ({ session }) => ({ session })),
  ],
  previewTemplate: [
    call("POST", "/templates/email/fr/preview", 200, ({ session }) => ({ session, body: {} })),
    call("POST", "/templates/sms/fr/preview", 200, ({ session }) => ({
      session,
      body: { text: "{{brand}}: {{code}}", brand: "Acme" },
    })),
    call("POST", "/templates/sms/fr/preview", 422, ({ session }) => ({ session, body: { text: "{{brand}}" } })),
  ],
  getGuard: [call("GET", "/guard", 200, ({ session }) => ({ session }))],
  updateGuard: [
    call("PATCH", "/guard", 200, ({ session }) => ({ session, body: { blocked_countries: ["KP"] } })),
    call("PATCH", "/guard", 422, ({ session }) => ({ session, body: { allowed_countries: ["XX"] } })),
  ],
  listGuardBlocks: [
    async (world) => {
      await blockRange(world.app, world.account.workspaceId, "+2348031x");
      return [await world.app.rest("GET", "/guard/blocks", { session: world.session }), 200];
    },
  ],
  deleteGuardBlock: [
    async (world) => {
      const id = await blockRange(world.app, world.account.workspaceId, "+234804x");
      return [await world.app.rest("DELETE", `/guard/blocks/${id}`, { session: world.session }), 200];
    },
    call("DELETE", "/guard/blocks/gbl_none", 404, ({ session }) => ({ session })),
  ],
  listSafeListEntries: [
    async (world) => {
      await addSafeRange(world);
      return [await world.app.rest("GET", "/guard/safe-list", { session: world.session }), 200];
    },
  ],
  addSafeListEntry: [
    call("POST", "/guard/safe-list", 201, ({ session }) => ({ session, body: { number: "+6591234567" } })),
    call("POST", "/guard/safe-list", 422, ({ session }) => ({ session, body: {} })),
  ],
  deleteSafeListEntry: [
    async (world) => {
      const id = await addSafeRange(world);
      return [await world.app.rest("DELETE", `/guard/safe-list/${id}`, { session: world.session }), 200];
    },
    call("DELETE", "/guard/safe-list/gsl_none", 404, ({ session }) => ({ session })),
  ],
  getGuardReport: [
    call("GET", "/guard/report?period=7d", 200, ({ session }) => ({ session })),
    call("GET", "/guard/report?period=1y", 422, ({ session }) => ({ session })),
  ],
  createFixedCode: [
    call("POST", "/fixed-codes", 201, ({ session, newAddress }) => ({
      session,
      body: { recipient: newAddress(), password, description: "review of the app" },
    })),
    call("POST", "/fixed-codes", 422, ({ session }) => ({ session, body: { recipient: "ada", days: 31 } })),
    call("POST", "/fixed-codes", 401, ({ session, newAddress }) => ({
      session,
      body: { recipient: newAddress(), password: "not the password" },
    })),
    async (world) => {
      const { app, session, newAddress } = world;
      const body = { recipient: newAddress(), password };
      await app.rest("POST", "/fixed-codes", { session, body });
      return [await app.rest("POST", "/fixed-codes", { session, body }), 409];
    },
  ],
  listFixedCodes: [
    async (world) => {
      await createFixedCode(world);
      return [await world.app.rest("GET", "/fixed-codes", { session: world.session }), 200];
    },
  ],
  deleteFixedCode: [
    async (world) => {
      const path = `/fixed-codes/${await createFixedCode(world)}`;
      return [await world.app.rest("DELETE", path, { session: world.session }), 200];
    },
    call("DELETE", "/fixed-codes/fix_none", 404, ({ session }) => ({ session })),
  ],
  createWebhook: [
    call("POST", "/webhooks", 201, ({ session }) => ({
      session,
      body: { url: "https://hooks.example/byond", events: ["verification.approved"], description: "orders" },
    })),
    call("POST", "/webhooks", 422, ({ session }) => ({ session, body: { url: "https://10.0.0.1/", events: [] } })),
    call("POST", "/webhooks", 403, ({ key }) => ({ key, body: { url: "https://hooks.example/" } })),
  ],
  listWebhooks: [
    async (world) => {
      await createWebhook(world);
      return [await world.app.rest("GET", "/webhooks", { session: world.session }), 200];
    },
  ],
  getWebhook: [aboutWebhook("GET", "", 200), call("GET", "/webhooks/whk_none", 404, ({ session }) => ({ session }))],
  updateWebhook: [
    aboutWebhook("PATCH", "", 200, { enabled: false, events: ["verification.locked"] }),
    call("PATCH", "/webhooks/whk_none", 404, ({ session }) => ({ session, body: { enabled: true } })),
  ],
  deleteWebhook: [
    aboutWebhook("DELETE", "", 200),
    call("DELETE", "/webhooks/whk_none", 404, ({ session }) => ({ session })),
  ],
  rotateWebhookSecret: [
    aboutWebhook("POST", "/rotate-secret", 200, { grace_seconds: 60 }),
    call("POST", "/webhooks/whk_none/rotate-secret", 404, ({ session }) => ({ session, body: {} })),
  ],
  testWebhook: [
    aboutWebhook("POST", "/test", 200),
    call("POST", "/webhooks/whk_none/test", 404, ({ session }) => ({ session })),
  ],
  listWebhookDeliveries: [
    async (world) => {
      const { app, session } = world;
      const path = await deliveriesOfNewWebhook(world);
      return [await app.rest("GET", `${path}?page_size=1`, { session }), 200];
    },
    call("GET", "/webhooks/whk_none/deliveries", 404, ({ session }) => ({ session })),
  ],
  redeliverWebhook: [
    async (world) => {
      const { app, session } = world;
      const path = await deliveriesOfNewWebhook(world);
      const { body } = await app.rest("GET", path, { session });
      return [await app.rest("POST", `${path}/${body.deliveries[0].id}/redeliver`, { session }), 201];
    },
    call("POST", "/webhooks/whk_none/deliveries/dlv_none/redeliver", 404, ({ session }) => ({ session })),
  ],
  signUp: [
    call("POST", "/auth/sign-up", 201, ({ newAddress }) => ({ body: { email: newAddress(), password, name: "Acme" } })),
    call("POST", "/auth/sign-up", 409, ({ account }) => ({ body: { email: account.email, password, name: "Acme" } })),
  ],
  signIn: [
    call("POST", "/auth/sign-in", 200, ({ account }) => ({ body: { email: account.email, password } })),
    call("POST", "/auth/sign-in", 401, ({ account }) => ({ body: { email: account.email, password: "not this one" } })),
  ],
  refreshSession: [
    async ({ app }) => {
      const { refreshToken } = await app.signUp();
      return [await app.rest("POST", "/auth/refresh", { body: { refresh_token: refreshToken } }), 200];
    },
    call("POST", "/auth/refresh", 401, () => ({ body: { refresh_token: "rt_made_up" } })),
  ],
  signOut: [
    async ({ app }) => {
      const { refreshToken } = await app.signUp();
      return [await app.rest("POST", "/auth/sign-out", { body: { refresh_token: refreshToken } }), 200];
    },
  ],
  getMe: [
    call("GET", "/auth/me", 200, ({ session }) => ({ session })),
    call("GET", "/auth/me", 200, ({ key }) => ({ key })),
  ],
  logoutAll: [
    async ({ app }) => [await app.rest("POST", "/auth/logout-all", { session: (await app.signUp()).session }), 200],
  ],
  changePassword: [
    async ({ app }) => {
      const { session } = await app.signUp();
      const body = { current_password: password, new_password: "battery staple correct horse" };
      return [await app.rest("POST", "/auth/change-password", { session, body }), 200];
    },
    call("POST", "/auth/change-password", 401, ({ session }) => ({
      session,
      body: { current_password: "not this one", new_password: "battery staple correct horse" },
    })),
  ],
  startPasswordReset: [
    call("POST", "/auth/reset-password", 201, ({ account }) => ({ body: { email: account.email } })),
    call("POST", "/auth/reset-password", 201, ({ newAddress }) => ({ body: { email: newAddress() } })),
    call("POST", "/auth/reset-password", 422, () => ({ body: { email: "nobody" } })),
  ],
  confirmPasswordReset: [
    async ({ app, newAddress }) => {
      const { body } = await app.rest("POST", "/auth/reset-password", { body: { email: newAddress() } });
      const confirmation = { reset_id: body.reset_id, code: "1", new_password: password };
      return [await app.rest("POST", "/auth/reset-password/confirm", { body: confirmation }), 200];
    },
  ],
  startEmailVerification: [
    async ({ app }) => [await app.rest("POST", "/auth/verify-email", { session: (await app.signUp()).session }), 201],
  ],
  checkEmailVerification: [
    async ({ app }) => {
      const { session } = await app.signUp();
      await app.rest("POST", "/auth/verify-email", { session });
      return [await app.rest("POST", "/auth/verify-email/check", { session, body: { code: "1" } }), 200];
    },
  ],
  getWorkspace: [call("GET", "/workspace", 200, ({ session }) => ({ session }))],
  updateWorkspace: [
    async ({ app }) => {
      const { session } = await app.signUp();
      const body = { name: "Renamed", ip_allowlist: ["127.0.0.0/8", "::1"] };
      return [await app.rest("PATCH", "/workspace", { session, body }), 200];
    },
    call("PATCH", "/workspace", 422, ({ session }) => ({ session, body: { ip_allowlist: ["nowhere"] } })),
  ],
  deleteAccount: [
    async ({ app }) => {
      const { session } = await app.signUp();
      return [await app.rest("POST", "/auth/delete-account", { session, body: { password } }), 200];
    },
    async ({ app }) => {
      const { session } = await app.signUp();
      return [await app.rest("POST", "/auth/delete-account", { session, body: { password: "not this one" } }), 401];
    },
    call("POST", "/auth/delete-account", 400, ({ session }) => ({ session, body: {} })),
  ],
  // Of the same RPC.
  deleteAccount_2: [
    async ({ app }) => {
      const { session } = await app.signUp();
      return [await app.rest("DELETE", "/workspace", { session, body: { password } }), 200];
    },
    call("DELETE", "/workspace", 400, ({ session }) => ({ session, body: {} })),
  ],
};
