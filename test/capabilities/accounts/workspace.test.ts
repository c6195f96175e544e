/** What a workspace is called and where its keys may be used from, on two servers behind one proxy. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type SignedUp, type TestApp, useTestApp } from "../../support/app.ts";
import { loopbackProxy } from "../../support/loopback-proxy.ts";
import { type Protocol, protocols } from "../../support/protocols.ts";

const here = useTestApp({
  proxyTrust: loopbackProxy,
  defaultTier: "builder",
  sendLimits: { sourceSendsPerMinute: undefined, endUserSendsPerHour: 10 },
  signUpsPerHour: 1_000_000,
});
let there: TestApp;
beforeAll(async () => {
  there = await here.startAnother();
});
afterAll(async () => {
  await there[Symbol.asyncDispose]();
});

describe.each(protocols)("over $name", (protocol: Protocol) => {
  /** What changes is the whole body over REST. */
  const changes = protocol.name === "REST" ? "" : "workspace.";
  let owner: SignedUp;
  beforeEach(async () => {
    owner = await here.signUp("Umbrella");
  });
  const call = (rpc: Parameters<Protocol["call"]>[1], input: Record<string, unknown> = {}) =>
    protocol.call(here, rpc, input, { session: owner.session });
  const lookup = async (key: string, from: string) =>
    (await protocol.call(there, "LookupNumber", { number: "1" }, { key, headers: { "x-forwarded-for": from } })).code;

  test("GetWorkspace describes it; a new one has the server's default tier", async () => {
    expect(await call("GetWorkspace")).toEqual({
      code: "ok",
      body: {
        id: owner.workspaceId,
        name: "Umbrella",
        tier: "builder",
        ip_allowlist: null,
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        lookup_history: false,
      },
    });
  });

  test("its allowlist applies to all of its keys in addition to their own, on every server at once, and to no session", async () => {
    const mint = async (input: Record<string, unknown>) =>
      (await call("CreateApiKey", { name: "a key", ...input })).body.key;
    const [anywhere, narrow] = [await mint({}), await mint({ ip_allowlist: ["203.0.113.7", "198.51.100.1"] })];
    expect([await lookup(anywhere, "203.0.113.8"), await lookup(narrow, "198.51.100.1")]).toEqual(["ok", "ok"]);

    const { body } = await call("UpdateWorkspace", { ip_allowlist: ["203.0.113.0/24", "203.0.113.0/24"] });
    expect(body.ip_allowlist).toEqual(["203.0.113.0/24"]);
    expect([await lookup(anywhere, "203.0.113.8"), await lookup(anywhere, "198.51.100.1")]).toEqual([
      "ok",
      "ip_not_allowed",
    ]);
    expect([await lookup(narrow, "203.0.113.7"), await lookup(narrow, "198.51.100.1")]).toEqual([
      "ok",
      "ip_not_allowed",
    ]);
    expect((await call("GetMe")).code).toBe("ok");

    const lifted = await call("UpdateWorkspace", { ip_allowlist: null });
    expect(lifted.body.fields).toEqual({
      [`${changes}ip_allowlist`]: 'must not be null: to allow every address, write ["0.0.0.0/0", "::/0"]',
    });
    await call("UpdateWorkspace", { ip_allowlist: ["0.0.0.0/0", "::/0"] });
    expect([await lookup(anywhere, "198.51.100.1"), await lookup(narrow, "203.0.113.9")]).toEqual([
      "ok",
      "ip_not_allowed",
    ]);
  });

  test("its name can be changed, and messages carry the new one at once", async () => {
    const { key } = (await call("CreateApiKey", { name: "a key" })).body;
    expect(await lookup(key, "203.0.113.7")).toBe("ok");
    expect((await call("UpdateWorkspace", { name: "Weyland" })).body.name).toBe("Weyland");
    const recipient = `brand-${protocol.name}@example.com`;
    await protocol.call(there, "StartVerification", { channel: "email", recipient }, { key });
    expect((await there.messageTo(recipient)).text).toContain("Weyland");
  });

  test("invalid changes are reported by field", async () => {
    const { code, body } = await call("UpdateWorkspace", { name: "", ip_allowlist: ["here"] });
    expect(code).toBe("validation_error");
    expect(Object.keys(body.fields).sort()).toEqual([`${changes}ip_allowlist[0]`, `${changes}name`]);
  });

  test("refuses a key: it takes a session", async () => {
    const { key } = (await call("CreateApiKey", { name: "a key" })).body;
    expect((await protocol.call(here, "GetWorkspace", {}, { key })).code).toBe("invalid_api_key");
  });
});
