/** The reference, word for word: every request and every body that it documents, over REST. */
import { beforeAll, describe, expect, test } from "vitest";
import { startTestApp, useTestApp } from "../support/app.ts";

const app = useTestApp();
let session: string;
let key: string;
beforeAll(async () => {
  ({ session } = await app.signUp());
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "contract" } });
  key = body.key;
});

/** What answers have beyond the reference. Nothing else may be there. */
const keyAdditions = [
  "mode",
  "expires_at",
  "created_by",
  "ip_allowlist",
  "origins",
  "requests_per_minute",
  "require_signature",
  "min_signature_version",
] as const;
const additions = {
  lookup: ["possible_line_types"],
  createdKey: keyAdditions,
  listedKeys: ["next_page_token"],
  listedKey: [...keyAdditions, "revoked_at", "revocation_reason"],
  error: ["request_id", "documentation_url"],
} as const;

function expectKeys(body: Record<string, unknown>, documented: readonly string[], added: readonly string[] = []): void {
  expect(Object.keys(body).sort()).toEqual([...documented, ...added].sort());
}

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

describe("POST /verify/start", () => {
  test("answers 201 with exactly the documented body", async () => {
    const before = Date.now();
    const { status, body } = await app.rest("POST", "/verify/start", {
      key,
      body: { channel: "email", recipient: "ada@example.com", brand: "Acme", code_length: 6, ttl_seconds: 300 },
    });
    expect(status).toBe(201);
    expectKeys(body, ["verification_id", "channel", "status", "expires_at"]);
    expect(body.verification_id).toMatch(/^vrf_[0-9A-Za-z]{22}$/);
    expect(body).toMatchObject({ channel: "email", status: "pending" });
    expect(body.expires_at).toMatch(timestamp);
    const ttl = Date.parse(body.expires_at) - before;
    expect(ttl).toBeGreaterThanOrEqual(300_000 - 1000);
    expect(ttl).toBeLessThanOrEqual(305_000);
  });

  test.each(["sms", "voice"])(
    "%s is accepted and answers channel_unavailable; checking it answers expired",
    async (channel) => {
      const { status, body } = await app.rest("POST", "/verify/start", {
        key,
        body: { channel, recipient: "+6591234567" },
      });
      expect(status).toBe(201);
      expectKeys(body, ["verification_id", "channel", "status", "expires_at"]);
      expect(body).toMatchObject({ channel, status: "channel_unavailable" });
      const check = await app.rest("POST", "/verify/check", {
        key,
        body: { verification_id: body.verification_id, code: "123456" },
      });
      expect(check).toMatchObject({ status: 200, body: { status: "expired" } });
    },
  );

  test("whatsapp takes an E.164 number", async () => {
    const { status, body } = await app.rest("POST", "/verify/start", {
      key,
      body: { channel: "whatsapp", recipient: "+65 9123 4568" },
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({ channel: "whatsapp", status: "pending" });
    const message = await app.messageTo("+6591234568");
    expect(message.text).toMatch(/\b\d{6}\b/);
  });

  test("the mail carries the brand and the code, and the code is not in the subject", async () => {
    await app.rest("POST", "/verify/start", {
      key,
      body: { channel: "email", recipient: "brand@example.com", brand: "Umbrella", code_length: 8 },
    });
    const message = await app.messageTo("brand@example.com");
    const code = /\b\d{8}\b/.exec(message.text)?.[0];
    expect(message.text).toContain("Umbrella");
    expect(code).toBeDefined();
    expect(message.subject).not.toContain(code);
  });

  test("without a brand the message carries the account's name", async () => {
    await app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient: "nobrand@example.com" } });
    expect((await app.messageTo("nobrand@example.com")).text).toContain("Acme");
  });
});

describe("POST /verify/check", () => {
  async function startTo(recipient: string): Promise<{ id: string; code: string }> {
    const { body } = await app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient } });
    const { text } = await app.messageTo(recipient);
    return { id: body.verification_id, code: /\b\d{6}\b/.exec(text)?.[0] ?? "" };
  }

  function check(id: string, code: string) {
    return app.rest("POST", "/verify/check", { key, body: { verification_id: id, code } });
  }

  const wrong = (code: string) => (code === "000000" ? "111111" : "000000");

  test("the right code is approved once, and expired afterwards", async () => {
    const { id, code } = await startTo("right@example.com");
    expect(await check(id, code)).toMatchObject({ status: 200, body: { verification_id: id, status: "approved" } });
    const again = await check(id, code);
    expectKeys(again.body, ["verification_id", "status"]);
    expect(again).toMatchObject({ status: 200, body: { verification_id: id, status: "expired" } });
  });

  test("spaces and hyphens in the code are ignored", async () => {
    const { id, code } = await startTo("spaces@example.com");
    const spaced = ` ${code.slice(0, 3)} - ${code.slice(3)} `;
    expect((await check(id, spaced)).body.status).toBe("approved");
  });

  test("a wrong code is incorrect with 200; the fifth locks, for the right code too", async () => {
    const { id, code } = await startTo("locked@example.com");
    const outcomes: string[] = [];
    for (let attempt = 1; attempt <= 5; attempt++) {
      const { status, body } = await check(id, wrong(code));
      expect(status).toBe(200);
      outcomes.push(body.status);
    }
    expect(outcomes).toEqual(["incorrect", "incorrect", "incorrect", "incorrect", "locked"]);
    expect((await check(id, code)).body.status).toBe("locked");
  });

  test.each([["7"], ["12345678901"], ["abcdef"], ["１２３４５６"]])(
    "%s counts as an attempt, whatever its form",
    async (code) => {
      const { id } = await startTo(`shape-${code.length}-${code.charCodeAt(0)}@example.com`);
      expect((await check(id, code)).body.status).toBe("incorrect");
    },
  );

  test("a code expires after its time", async () => {
    const late = await startTestApp();
    const lateKey = await late.mintKey();
    const { body } = await late.rest("POST", "/verify/start", {
      key: lateKey,
      body: { channel: "email", recipient: "late@example.com", ttl_seconds: 30 },
    });
    const { text } = await late.messageTo("late@example.com");
    await late.time.advance({ seconds: 32 });
    const answer = await late.rest("POST", "/verify/check", {
      key: lateKey,
      body: { verification_id: body.verification_id, code: /\b\d{6}\b/.exec(text)?.[0] },
    });
    expect(answer).toMatchObject({ status: 200, body: { status: "expired" } });
    await late[Symbol.asyncDispose]();
  });

  test("an id that does not exist and one of another workspace answer the same 404", async () => {
    const { id, code } = await startTo("mine@example.com");
    const otherKey = await app.mintKey();
    const body = (verification_id: string) => ({ verification_id, code });
    const foreign = await app.rest("POST", "/verify/check", { key: otherKey, body: body(id) });
    const missing = await app.rest("POST", "/verify/check", { key: otherKey, body: body("vrf_3kZ9c1d4f7b21bQ") });
    expect(foreign.status).toBe(404);
    expect({ ...foreign.body.error, request_id: "" }).toEqual({ ...missing.body.error, request_id: "" });
  });
});

describe("GET /lookup", () => {
  test.each(["?number=+6591234567&country=SG", "?number=%2B6591234567&country=SG", "?number=91234567&country=sg"])(
    "%s answers the documented body",
    async (query) => {
      const { status, body } = await app.rest("GET", `/lookup${query}`, { key });
      expect(status).toBe(200);
      const { possible_line_types, ...documented } = body;
      expect(documented).toEqual({
        input: query.includes("=9") ? "91234567" : "+6591234567",
        number_e164: "+6591234567",
        valid: true,
        possible: true,
        country_code: "SG",
        country: "Singapore",
        national_format: "9123 4567",
        line_type: "mobile",
        source: "offline",
      });
      expect(possible_line_types).toEqual(["mobile"]);
    },
  );

  test("what cannot be parsed answers 200 with valid false and number_e164 null", async () => {
    const { status, body } = await app.rest("GET", "/lookup?number=hello", { key });
    expect(status).toBe(200);
    expectKeys(
      body,
      [
        "input",
        "number_e164",
        "valid",
        "possible",
        "country_code",
        "country",
        "national_format",
        "line_type",
        "source",
      ],
      additions.lookup,
    );
    expect(body).toMatchObject({ input: "hello", number_e164: null, valid: false, line_type: "unknown" });
  });

  test("if the numbering plan does not distinguish them, line_type is unknown", async () => {
    const { body } = await app.rest("GET", "/lookup?number=%2B12025550123", { key });
    expect(body).toMatchObject({ line_type: "unknown", possible_line_types: ["mobile", "fixed_line"] });
  });
});

describe("/api-keys", () => {
  test("a key is created with 201 and shown once", async () => {
    const { status, body } = await app.rest("POST", "/api-keys", {
      session,
      body: { name: "prod-backend", scopes: ["verify", "lookup"] },
    });
    expect(status).toBe(201);
    expectKeys(body, ["id", "name", "key_prefix", "scopes", "created_at", "key"], additions.createdKey);
    expect(body).toMatchObject({ name: "prod-backend", scopes: ["verify", "lookup"], mode: "live" });
    expect(body.id).toMatch(/^key_[0-9A-Za-z]{22}$/);
    expect(body.key).toMatch(/^pk_live_[0-9A-Za-z]{12}\.[0-9A-Za-z]{42}$/);
    expect(body.key.startsWith(`${body.key_prefix}.`)).toBe(true);
    expect(body.created_at).toMatch(timestamp);

    const list = await app.rest("GET", "/api-keys", { session });
    expect(list.status).toBe(200);
    expectKeys(list.body, ["keys"], additions.listedKeys);
    const listed = list.body.keys.find((candidate: { id: string }) => candidate.id === body.id);
    expectKeys(listed, ["id", "name", "key_prefix", "scopes", "created_at", "last_used_at"], additions.listedKey);
    expect(listed).toMatchObject({ name: "prod-backend", last_used_at: null, revoked_at: null });
    expect(JSON.stringify(list.body)).not.toContain(body.key);
  });

  test.each([[null], [undefined]])("scopes %s mint an unrestricted key", async (scopes) => {
    const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "unrestricted", scopes } });
    expect(body.scopes).toBeNull();
    expect((await app.rest("GET", "/lookup?number=1", { key: body.key })).status).toBe(200);
  });

  test("a revoked key answers 401 from then on; revoking it again answers the same", async () => {
    const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "short-lived" } });
    expect((await app.rest("GET", "/lookup?number=1", { key: body.key })).status).toBe(200);
    for (const _ of [1, 2]) {
      const revoked = await app.rest("DELETE", `/api-keys/${body.id}`, { session });
      expect(revoked).toMatchObject({ status: 200, body: { id: body.id, revoked: true } });
      expectKeys(revoked.body, ["id", "revoked"]);
    }
    const refused = await app.rest("GET", "/lookup?number=1", { key: body.key });
    expect(refused.status).toBe(401);
    expectKeys(refused.body.error, ["code", "message"], additions.error);
    expect(refused.body.error).toMatchObject({
      code: "invalid_api_key",
      message: "The provided API key is invalid or revoked.",
    });
    const active = await app.rest("GET", "/api-keys", { session });
    const all = await app.rest("GET", "/api-keys?include_revoked=true", { session });
    const ids = (list: { keys: { id: string }[] }) => list.keys.map(({ id }) => id);
    expect(ids(active.body)).not.toContain(body.id);
    expect(ids(all.body)).toContain(body.id);
  });
});

describe("errors", () => {
  test("401 without a key, with an invented one, and with a session token", async () => {
    for (const call of [{}, { key: "pk_live_8fa2.s3cr3t_9c1d4f7b2a6e0h8j" }, { session }]) {
      const { status, body } = await app.rest("GET", "/lookup?number=1", call);
      expect(status).toBe(401);
      expectKeys(body, ["error"]);
      expect(body.error.code).toBe("invalid_api_key");
    }
  });

  test("403 names the scope that the key lacks", async () => {
    const lookupKey = await app.mintKey({ scopes: ["lookup"] });
    const { status, body } = await app.rest("POST", "/verify/start", {
      key: lookupKey,
      body: { channel: "email", recipient: "a@example.com" },
    });
    expect(status).toBe(403);
    expectKeys(body.error, ["code", "message", "required_scope"], additions.error);
    expect(body.error).toMatchObject({
      code: "insufficient_scope",
      message: "This key is not authorized for the 'verify' scope.",
      required_scope: "verify",
    });
  });

  test("422 names every offending field at once", async () => {
    const { status, body } = await app.rest("POST", "/verify/start", {
      key,
      body: { channel: "fax", recipient: "ada@example.com", code_length: 11 },
    });
    expect(status).toBe(422);
    expectKeys(body.error, ["code", "message", "fields"], additions.error);
    expect(body.error).toMatchObject({ code: "validation_error", message: "One or more fields are invalid." });
    expect(body.error.fields).toEqual({
      channel: "must be one of: sms, voice, whatsapp, email",
      code_length: "must be between 4 and 10",
    });
  });

  test("429 for the fourth code to one recipient, with Retry-After", async () => {
    const start = () =>
      app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient: "often@example.com" } });
    expect((await Promise.all([start(), start(), start()])).map(({ status }) => status)).toEqual([201, 201, 201]);
    const { status, headers, body } = await start();
    expect(status).toBe(429);
    expectKeys(body.error, ["code", "message", "retry_after"], additions.error);
    expect(body.error).toMatchObject({
      code: "rate_limited",
      message: "Too many verifications for this recipient. Try again later.",
    });
    expect(body.error.retry_after).toBeGreaterThanOrEqual(1);
    expect(body.error.retry_after).toBeLessThanOrEqual(60);
    expect(headers.get("retry-after")).toBe(String(body.error.retry_after));
  });

  test("every answer carries a request id; an error repeats it", async () => {
    const { headers, body } = await app.rest("GET", "/nowhere", { key });
    expect(headers.get("x-request-id")).toMatch(/^req_[0-9A-Za-z]{22}$/);
    expect(body.error.request_id).toBe(headers.get("x-request-id"));
    expect(body.error.documentation_url).toBe(`${app.url}/docs/errors#not_found`);
  });
});
