/** What the guard refuses is a way that a code cannot take: with a fallback it takes the next one. */
import { beforeEach, describe, expect, test, vi } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import { useTestApp } from "../../support/app.ts";
import { protocols } from "../../support/protocols.ts";
import {
  blockRange,
  type GuardedWorkspace,
  guardCalls,
  guardedDelivery,
  newNumber,
  signUpGuarded,
} from "./guard-calls.ts";

const app = useTestApp({ delivery: guardedDelivery });
const withoutCalls = parseConfig({
  SMS_URL: "http://127.0.0.1:9/",
  PROVIDER_SECRET: "a secret of thirty-two bytes or more",
}).delivery;
let workspace: GuardedWorkspace;
beforeEach(async () => {
  workspace = await signUpGuarded(app);
});

let addresses = 0;
const newAddress = () => `ada-${++addresses}@example.com`;

describe.each(protocols)("over $name", (protocol) => {
  const live = () => guardCalls(protocol, app, workspace, workspace.live);

  test("a code to a range that is blocked takes the mail of the fallback, and what was refused is counted", async () => {
    await blockRange(app, workspace.workspaceId, "+65910x");
    const { call, start } = live();
    const mail = { channel: "email", recipient: newAddress() };
    const { code, body } = await start(newNumber(), { fallback: [{ channel: "voice" }, mail] });
    expect([code, body.status]).toEqual(["ok", "pending"]);
    const { verification_id } = body;
    const verification = (await call("GetVerification", { verification_id })).body;
    expect(verification.deliveries).toMatchObject([{ channel: "email", recipient: expect.stringContaining("@") }]);
    expect(verification.fallback).toMatchObject([
      { channel: "voice", status: "refused", reason: "not_allowed" },
      { channel: "email", status: "taken" },
    ]);
    await vi.waitFor(async () => {
      const { body: report } = await guardCalls(protocol, app, workspace).call("GetGuardReport", { period: "24h" });
      expect(report.reasons).toEqual([{ reason: "range_blocked", refused: 2, would_refuse: 0 }]);
    });
  });

  test("a country that is not allowed is passed over in the same way, in the sandbox, too", async () => {
    const { update } = guardCalls(protocol, app, workspace);
    await update({ allowed_countries: ["DE"] });
    for (const key of [workspace.live, workspace.sandbox]) {
      const { start } = guardCalls(protocol, app, workspace, key);
      const fallback = [{ channel: "email", recipient: newAddress() }];
      const { code, body } = await start(newNumber(), { fallback });
      expect([code, body]).toMatchObject(["ok", { status: "pending" }]);
    }
  });

  test.each([["voice", "email"], ["email", "voice"], ["email", "whatsapp"], ["email"]])(
    "a country that is blocked does not keep the mail from being sent, whatever stands around it: %s %s",
    async (...channels) => {
      await guardCalls(protocol, app, workspace).update({ blocked_countries: ["SG"] });
      const { call, start } = live();
      const recipient = newNumber();
      const mail = newAddress();
      const fallback = channels.map((channel) => ({ channel, recipient: channel === "email" ? mail : recipient }));
      const { code, body } = await start(recipient, { fallback });
      expect([code, body.status]).toEqual(["ok", "pending"]);
      const verification = (await call("GetVerification", { verification_id: body.verification_id })).body;
      expect(verification.deliveries).toMatchObject([{ channel: "email" }]);
      const beforeMail = channels.indexOf("email");
      const untilMail = channels.slice(0, beforeMail + 1);
      expect(verification.fallback.slice(0, untilMail.length)).toMatchObject(
        untilMail.map((channel) => ({ channel, status: channel === "email" ? "taken" : "refused" })),
      );
      await vi.waitFor(async () => {
        const { body: report } = await guardCalls(protocol, app, workspace).call("GetGuardReport", { period: "24h" });
        expect(report.reasons).toEqual([{ reason: "country_not_allowed", refused: 1 + beforeMail, would_refuse: 0 }]);
      });
    },
  );

  test("a way without a provider does not change that: the number is the start's, and the mail of its fallback is sent", async () => {
    await using withoutVoice = await app.startAnother({ delivery: withoutCalls });
    await guardCalls(protocol, app, workspace).update({ blocked_countries: ["SG"] });
    const { start } = guardCalls(protocol, withoutVoice, workspace, workspace.live);
    const fallback = [{ channel: "email", recipient: newAddress() }, { channel: "sms" }];
    const { code, body } = await start(newNumber(), { channel: "voice", fallback });
    expect([code, body.status]).toEqual(["ok", "pending"]);
    const refused = await start("+19002530000", { channel: "voice", fallback });
    expect([refused.code, refused.body.reason]).toEqual(["validation_error", "premium_rate"]);
  });

  test("if the guard refuses every way, so is the start", async () => {
    await blockRange(app, workspace.workspaceId, "+65910x");
    const { start } = live();
    const { code, body } = await start(newNumber(), { fallback: [{ channel: "voice" }, { channel: "whatsapp" }] });
    expect([code, body.reason]).toEqual(["recipient_blocked", "range_blocked"]);
  });

  test("a premium-rate number is an error of the request, whatever the fallback", async () => {
    const { start } = live();
    const fallback = [{ channel: "email", recipient: newAddress() }];
    const { code, body } = await start("+19002530000", { fallback });
    expect([code, body.reason]).toEqual(["validation_error", "premium_rate"]);
  });

  test("a code that is sent again instead of a new one takes the mail of the fallback", async () => {
    const { call, start } = live();
    const recipient = newNumber();
    const fields = { reuse: "pending", fallback: [{ channel: "email", recipient: newAddress() }] };
    const first = await start(recipient, fields);
    await blockRange(app, workspace.workspaceId, "+65910x");
    const again = await start(recipient, fields);
    expect([again.code, again.body.reused]).toEqual(["ok", true]);
    const { verification_id } = first.body;
    const { deliveries } = (await call("GetVerification", { verification_id })).body;
    expect(deliveries.map(({ channel }: { channel: string }) => channel)).toEqual(["sms", "email"]);
  });

  test("with an Idempotency-Key, the answer of the way that was taken is replayed", async () => {
    await blockRange(app, workspace.workspaceId, "+65910x");
    const input = {
      channel: "sms",
      recipient: newNumber(),
      fallback: [{ channel: "email", recipient: newAddress() }],
    };
    const credential = { key: workspace.live, headers: { "Idempotency-Key": `blocked-${addresses}` } };
    const first = await protocol.call(app, "StartVerification", input, credential);
    const second = await protocol.call(app, "StartVerification", input, credential);
    expect([first.code, second.body.verification_id]).toEqual(["ok", first.body.verification_id]);
  });
});
