/** The life of a key: created, read, changed, rotated, revoked; the same over REST and gRPC. */
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type SignedUp, useTestApp } from "../../support/app.ts";
import { type Protocol, protocols } from "../../support/protocols.ts";

const app = useTestApp();
let owner: SignedUp;
beforeAll(async () => {
  owner = await app.signUp();
});

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+/, "");
const plain = {
  scopes: null,
  mode: "live",
  expires_at: null,
  ip_allowlist: null,
  requests_per_minute: null,
  require_signature: false,
  min_signature_version: null,
};

describe.each(protocols)("over $name", (protocol: Protocol) => {
  /** What changes is the whole body over REST. */
  const changes = protocol.name === "REST" ? "" : "api_key.";
  const call = (rpc: Parameters<Protocol["call"]>[1], input: Record<string, unknown> = {}) =>
    protocol.call(app, rpc, input, { session: owner.session });
  const create = async (input: Record<string, unknown> = {}) => {
    const { code, body } = await call("CreateApiKey", { name: "a key", ...input });
    expect(code).toBe("ok");
    return body;
  };
  const lookup = (key: string) => protocol.call(app, "LookupNumber", { number: "1" }, { key });

  describe("creating", () => {
    test("a key without restrictions says so, and who created it", async () => {
      const created = await create();
      expect(created).toMatchObject({ ...plain, name: "a key", created_by: owner.userId });
      const { key: _key, ...withoutSecret } = created;
      expect((await call("GetApiKey", { id: created.id })).body).toEqual({
        ...withoutSecret,
        last_used_at: null,
        revoked_at: null,
        revocation_reason: null,
      });
    });

    test("every restriction is stored and returned by create, get and list; addresses in canonical notation, each once", async () => {
      const expires_at = inAnHour();
      const restrictions = {
        mode: "test",
        scopes: ["lookup"],
        expires_at,
        requests_per_minute: 7,
        require_signature: true,
      };
      const created = await create({
        ...restrictions,
        ip_allowlist: ["203.0.113.7/32", "203.0.113.7", "2001:DB8:0::/48", "::ffff:192.0.2.1"],
      });
      const kept = { ...restrictions, ip_allowlist: ["203.0.113.7", "2001:db8::/48", "192.0.2.1"] };
      expect(created).toMatchObject(kept);
      expect((await call("GetApiKey", { id: created.id })).body).toMatchObject(kept);
      const { body } = await call("ListApiKeys");
      expect(body.keys.find(({ id }: { id: string }) => id === created.id)).toMatchObject(kept);
    });

    test("an expiry in the past is refused", async () => {
      const answer = await call("CreateApiKey", { name: "late", expires_at: "2020-01-01T00:00:00Z" });
      expect(answer).toMatchObject({
        code: "validation_error",
        body: { fields: { expires_at: "must be in the future" } },
      });
    });

    test("all problems are reported together", async () => {
      const { code, body } = await call("CreateApiKey", {
        name: "",
        ip_allowlist: ["203.0.113.7", "10.0.0.1/8", "nonsense"],
        requests_per_minute: 0,
      });
      expect(code).toBe("validation_error");
      expect(Object.keys(body.fields).sort()).toEqual([
        "ip_allowlist[1]",
        "ip_allowlist[2]",
        "name",
        "requests_per_minute",
      ]);
    });

    test.each([[[]], [Array.from({ length: 101 }, (_, index) => `10.0.0.${index}`)]])(
      "an allowlist of none or of more than a hundred is refused",
      async (ip_allowlist) => {
        const { code, body } = await call("CreateApiKey", { name: "too many", ip_allowlist });
        expect(code).toBe("validation_error");
        expect(Object.keys(body.fields)).toEqual(["ip_allowlist"]);
      },
    );
  });

  describe("getting", () => {
    test("a key of another workspace, and one that does not exist, are not found", async () => {
      const created = await create();
      const other = await app.signUp();
      for (const [id, session] of [
        [created.id, other.session],
        ["key_0000000000000000000000", owner.session],
      ]) {
        expect((await protocol.call(app, "GetApiKey", { id }, { session })).code).toBe("not_found");
      }
    });

    test("refuses a key: it takes a session", async () => {
      const { id, key } = await create();
      expect((await protocol.call(app, "GetApiKey", { id }, { key })).code).toBe("invalid_api_key");
    });
  });

  describe("changing", () => {
    test("changes the given fields only", async () => {
      const created = await create({ scopes: ["lookup"], requests_per_minute: 9 });
      const renamed = await call("UpdateApiKey", { id: created.id, name: "renamed" });
      expect(renamed).toMatchObject({
        code: "ok",
        body: { name: "renamed", scopes: ["lookup"], requests_per_minute: 9 },
      });
      const expires_at = inAnHour();
      const all = {
        name: "all",
        scopes: ["verify"],
        ip_allowlist: ["127.0.0.0/8"],
        requests_per_minute: 10,
        expires_at,
        require_signature: true,
      };
      expect((await call("UpdateApiKey", { id: created.id, ...all })).body).toMatchObject(all);
      expect((await call("GetApiKey", { id: created.id })).body).toMatchObject(all);
    });

    test("changes nothing if nothing is given", async () => {
      const created = await create({ scopes: ["lookup"] });
      const { code, body } = await call("UpdateApiKey", { id: created.id });
      expect(code).toBe("ok");
      expect(body).toMatchObject({ name: "a key", scopes: ["lookup"] });
    });

    test("null lifts no restriction: it is refused by name, and nothing changes", async () => {
      const restrictions = {
        scopes: ["lookup"],
        ip_allowlist: ["127.0.0.1"],
        requests_per_minute: 9,
        expires_at: inAnHour(),
      };
      const created = await create(restrictions);
      const nulls = Object.fromEntries(Object.keys(restrictions).map((field) => [field, null]));
      const { code, body } = await call("UpdateApiKey", { id: created.id, name: "lifted", ...nulls });
      expect(code).toBe("validation_error");
      expect(body.fields).toEqual({
        [`${changes}scopes`]: 'must not be null: to allow everything, write ["*"]',
        [`${changes}ip_allowlist`]: 'must not be null: to allow every address, write ["0.0.0.0/0", "::/0"]',
        [`${changes}requests_per_minute`]: "must not be null",
        [`${changes}expires_at`]: "must not be null",
      });
      expect((await call("GetApiKey", { id: created.id })).body).toMatchObject({ name: "a key", ...restrictions });
    });

    test("problems are reported by field, and an expiry in the past changes nothing", async () => {
      const { id } = await create();
      const wrong = await call("UpdateApiKey", { id, name: "", scopes: [], ip_allowlist: ["here"] });
      expect(wrong.code).toBe("validation_error");
      expect(Object.keys(wrong.body.fields).sort()).toEqual([
        `${changes}ip_allowlist[0]`,
        `${changes}name`,
        `${changes}scopes`,
      ]);
      const late = await call("UpdateApiKey", { id, name: "late", expires_at: "2020-01-01T00:00:00Z" });
      expect(late.body.fields).toEqual({ [`${changes}expires_at`]: "must be in the future" });
      expect((await call("GetApiKey", { id })).body).toMatchObject({ name: "a key", expires_at: null });
    });

    test("scopes that are taken away or given apply to the next request", async () => {
      const { id, key } = await create({ scopes: ["lookup"] });
      expect((await lookup(key)).code).toBe("ok");
      await call("UpdateApiKey", { id, scopes: ["verify"] });
      expect(await lookup(key)).toMatchObject({ code: "insufficient_scope", body: { required_scope: "lookup" } });
      await call("UpdateApiKey", { id, scopes: ["*"] });
      expect((await lookup(key)).code).toBe("ok");
    });

    test("a revoked key and one of another workspace cannot be changed", async () => {
      const { id } = await create();
      const { session } = await app.signUp();
      expect((await protocol.call(app, "UpdateApiKey", { id, name: "mine" }, { session })).code).toBe("not_found");
      await call("RevokeApiKey", { id });
      expect((await call("UpdateApiKey", { id, name: "again" })).code).toBe("not_found");
    });
  });

  describe("rotating", () => {
    test("without a grace the old secret stops at once; the key keeps everything but its prefix", async () => {
      const created = await create({ scopes: ["lookup"], requests_per_minute: 11 });
      expect((await lookup(created.key)).code).toBe("ok");
      const { code, body: rotated } = await call("RotateApiKey", { id: created.id });
      expect(code).toBe("ok");
      expect(rotated).toEqual({
        ...created,
        key: rotated.key,
        key_prefix: rotated.key_prefix,
        previous_key_expires_at: null,
      });
      expect(rotated.key).toMatch(/^pk_live_[0-9A-Za-z]{12}\.[0-9A-Za-z]{42}$/);
      expect(rotated.key.startsWith(`${rotated.key_prefix}.`)).toBe(true);
      expect(rotated.key_prefix).not.toBe(created.key_prefix);
      expect((await lookup(created.key)).code).toBe("invalid_api_key");
      expect((await lookup(rotated.key)).code).toBe("ok");
      const { body: told } = await call("GetApiKey", { id: created.id });
      expect(told.key_prefix).toBe(rotated.key_prefix);
      expect(JSON.stringify(told)).not.toContain(rotated.key);
    });

    test("a sandbox key stays one", async () => {
      const { id } = await create({ mode: "test" });
      expect((await call("RotateApiKey", { id })).body.key).toMatch(/^pk_test_/);
    });

    test.each([-1, 86_401])("a grace of %i seconds is refused", async (grace_seconds) => {
      const { id } = await create();
      const { code, body } = await call("RotateApiKey", { id, grace_seconds });
      expect(code).toBe("validation_error");
      expect(body.fields).toEqual({ grace_seconds: "must be between 0 and 86400" });
    });

    test("a revoked key and one of another workspace cannot be rotated", async () => {
      const { id, key } = await create();
      const { session } = await app.signUp();
      expect((await protocol.call(app, "RotateApiKey", { id }, { session })).code).toBe("not_found");
      expect((await lookup(key)).code).toBe("ok");
      await call("RevokeApiKey", { id });
      expect((await call("RotateApiKey", { id })).code).toBe("not_found");
    });

    test("ten simultaneous rotations leave one secret", async () => {
      const { id } = await create();
      const answers = await Promise.all(Array.from({ length: 10 }, () => call("RotateApiKey", { id })));
      expect(answers.map(({ code }) => code)).toEqual(Array.from({ length: 10 }, () => "ok"));
      const codes = await Promise.all(answers.map(({ body }) => lookup(body.key)));
      expect(codes.filter(({ code }) => code === "ok")).toHaveLength(1);
      const { body } = await call("GetApiKey", { id });
      const left = answers[codes.findIndex(({ code }) => code === "ok")];
      expect(left?.body.key_prefix).toBe(body.key_prefix);
    });
  });

  describe("revoking", () => {
    test("stores time and reason; revoking again changes neither", async () => {
      const { id } = await create();
      expect(await call("RevokeApiKey", { id, reason: "found in a log" })).toEqual({
        code: "ok",
        body: { id, revoked: true },
      });
      const { body: revoked } = await call("GetApiKey", { id });
      expect(revoked).toMatchObject({ revocation_reason: "found in a log" });
      expect(revoked.revoked_at).toMatch(timestamp);
      expect((await call("RevokeApiKey", { id, reason: "another" })).code).toBe("ok");
      expect((await call("GetApiKey", { id })).body).toEqual(revoked);
      const { body } = await call("ListApiKeys", { include_revoked: true });
      expect(body.keys.find((key: { id: string }) => key.id === id)).toEqual(revoked);
    });

    test("a key of another workspace is not_found, and stays valid", async () => {
      const { id, key } = await create();
      const { session } = await app.signUp();
      expect((await protocol.call(app, "RevokeApiKey", { id }, { session })).code).toBe("not_found");
      expect((await lookup(key)).code).toBe("ok");
    });
  });
});

test("the earliest time that there is is no expiry, whatever the server's time zone", async () => {
  const { TZ: timeZone } = process.env;
  onTestFinished(() => {
    if (timeZone === undefined) {
      delete process.env.TZ;
    } else {
      process.env.TZ = timeZone;
    }
  });
  // Before 1883 its offset has seconds.
  process.env.TZ = "America/New_York";
  const { session } = await app.signUp();
  const body = { name: "early", mode: "test", expires_at: "0001-01-01T00:00:00Z" };
  const { status, body: answer } = await app.rest("POST", "/api-keys", { session, body });
  expect([status, answer.error.fields]).toEqual([422, { expires_at: "must be in the future" }]);
});
