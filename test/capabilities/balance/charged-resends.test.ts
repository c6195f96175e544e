/** A code that is sent again is charged and counted to the key of the start, whoever sends it: no call passes the cap of that key. */
import { describe, expect, test, vi } from "vitest";
import type { Credentials } from "../../support/protocols.ts";
import { protocols } from "../../support/protocols.ts";
import { openWorkspace, usePricedApp } from "./balance-fixture.ts";

const app = usePricedApp();
const origin = "https://shop.example";

describe.each(protocols)("over $name", (protocol) => {
  async function open() {
    const { session, key, keyId } = await openWorkspace(app, 100);
    const newKey = async (more: object = {}): Promise<string> =>
      (await app.rest("POST", "/api-keys", { session, body: { name: "another", ...more } })).body.key;
    const cap = (amount: string) =>
      app.rest("PUT", `/spend-caps/${keyId}`, { session, body: { amount, period: "month" } });
    const page = { key: await newKey({ origins: [origin] }), headers: { origin } };
    const input = { channel: "email", ttl_seconds: 600, recipient: `${keyId}@example.com`.toLowerCase() };
    const start = (credentials: Credentials, more: object = {}) =>
      protocol.call(app, "StartVerification", { ...input, ...more }, credentials);
    const { verification_id } = (await start({ key })).body;
    const resend = (credentials: Credentials) => {
      app.time.advance({ seconds: 60 });
      return protocol.call(app, "ResendCode", { verification_id }, credentials);
    };
    const charged = async () =>
      (await app.rest("GET", "/balance/entries", { session })).body.entries
        .filter(({ kind }: { kind: string }) => kind === "charge")
        .map(({ api_key_id }: { api_key_id: string | null }) => api_key_id);
    return { session, key, keyId, cap, newKey, page, start, resend, charged };
  }

  test("a page, a session and another key spend of its cap, and no more than it leaves", async () => {
    const { session, keyId, cap, newKey, page, start, resend, charged } = await open();
    const other = { key: await newKey() };
    await cap("0.03");
    expect([(await resend(page)).code, (await resend({ session })).code]).toEqual(["ok", "ok"]);
    const refused = await resend(other);
    expect(refused).toMatchObject({
      code: "spend_cap_reached",
      body: { message: "This costs 0.01 EUR. Of what the key may spend, 0.00 EUR are left.", spent: "0.03" },
    });
    expect((await resend({ session })).code).toBe("spend_cap_reached");
    expect((await start(other, { reuse: "pending" })).code).toBe("spend_cap_reached");
    expect((await resend(page)).code).toBe("undeliverable");
    await cap("0.04");
    expect((await start(other, { reuse: "pending" })).body.reused).toBe(true);
    expect(await charged()).toEqual([keyId, keyId, keyId, keyId]);
    await vi.waitFor(async () => {
      const { body } = await app.rest("GET", "/usage?group_by=api_key", { session });
      expect(body.groups).toMatchObject([{ api_key_id: keyId, messages: 4 }]);
    }, 20_000);
  });

  test("it is the key of the start even if that was revoked meanwhile", async () => {
    const { session, keyId, page, resend, charged } = await open();
    expect((await app.rest("DELETE", `/api-keys/${keyId}`, { session })).status).toBe(200);
    expect((await resend(page)).code).toBe("ok");
    expect(await charged()).toEqual([keyId, keyId]);
  });
});
