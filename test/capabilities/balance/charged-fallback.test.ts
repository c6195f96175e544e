import { afterAll, describe, expect, test, vi } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import { protocols } from "../../support/protocols.ts";
import { HttpFake } from "../channels/http-fake.ts";
import { openWorkspace, usePricedApp } from "./balance-fixture.ts";

/** It refuses every text message. */
const gateway = await HttpFake.open();
gateway.answer = { status: 422 };
const urls = { SMS_URL: gateway.url, VOICE_URL: gateway.url, PROVIDER_SECRET: "x".repeat(32) };
const app = usePricedApp({ delivery: parseConfig(urls).delivery });
afterAll(() => gateway.close());

describe.each(protocols)("over $name", (protocol) => {
  test("a step of a fallback is charged when it is taken, and refused if the balance does not cover it", async () => {
    const { key, keyId, session } = await openWorkspace(app, 9);
    const fallback = [
      { channel: "voice", after_seconds: 30 },
      { channel: "email", recipient: `ada-${protocol.name}@example.com`, after_seconds: 30 },
    ];
    const recipient = protocol.name === "REST" ? "+33612345690" : "+33612345691";
    const { body } = await protocol.call(app, "StartVerification", { channel: "sms", recipient, fallback }, { key });
    const { verification_id } = body;
    await vi.waitFor(
      async () => {
        const { body: view } = await protocol.call(app, "GetVerification", { verification_id }, { key });
        expect(view.fallback).toMatchObject([
          { status: "refused", reason: "insufficient_balance" },
          { status: "taken", reason: null },
        ]);
      },
      { timeout: 20_000 },
    );
    expect((await protocol.call(app, "GetBalance", {}, { session })).body.amount).toBe("0.08");
    const { entries } = (await protocol.call(app, "ListBalanceEntries", {}, { session })).body;
    expect(
      entries.map(({ kind, item, api_key_id }: Readonly<Record<string, unknown>>) => [kind, item, api_key_id]),
    ).toEqual([
      ["charge", "email", keyId],
      ["refund", "sms/FR", keyId],
      ["charge", "sms/FR", keyId],
      ["top_up", null, null],
    ]);
  });
});
