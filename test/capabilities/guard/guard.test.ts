/** Codes that cost money and verify nobody are refused before anything is sent, by rules that hold on every server at once. */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type TestApp, useTestApp } from "../../support/app.ts";
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
let other: TestApp;
let workspace: GuardedWorkspace;
beforeAll(async () => {
  other = await app.startAnother({ delivery: guardedDelivery });
});
beforeEach(async () => {
  workspace = await signUpGuarded(app);
});
afterAll(() => other[Symbol.asyncDispose]());

const defaults = {
  guard_mode: "enforce",
  allowed_countries: [],
  blocked_countries: [],
  sends_per_hour_per_country: null,
  sends_per_hour_per_range: null,
  refuse_invalid_numbers: false,
  hook: null,
};

const premium = "+19002530000";

describe.each(protocols)("over $name", (protocol) => {
  const live = (server = app) => guardCalls(protocol, server, workspace, workspace.live);
  const sandbox = (server = app) => guardCalls(protocol, server, workspace, workspace.sandbox);

  test("premium-rate and shared-cost numbers are refused on every channel of phones, and in both modes", async () => {
    for (const { start } of [live(), sandbox()]) {
      for (const channel of ["sms", "voice", "whatsapp"]) {
        const { code, body } = await start(premium, { channel });
        expect([channel, code, body.fields, body.reason]).toEqual([
          channel,
          "validation_error",
          { recipient: "must not be a premium-rate or satellite number" },
          "premium_rate",
        ]);
      }
      expect((await start("+41840123456", { channel: "voice" })).body.reason).toBe("shared_cost");
      for (const satellite of ["+870772001234", "+881612345678", "+88213300123", "+979123456789", "+88812345678901"]) {
        expect([satellite, (await start(satellite)).body.reason]).toEqual([satellite, "premium_rate"]);
      }
      for (const international of ["+80012345678", "+80812345678"]) {
        const { code, body } = await start(international);
        expect([international, code, body.fields, body.reason]).toEqual([
          international,
          "validation_error",
          { recipient: "must not be a shared-cost or international freephone number" },
          "shared_cost",
        ]);
      }
      expect((await start(newNumber())).code).toBe("ok");
    }
  });

  test("a change of the countries on one server holds for the next start on the other", async () => {
    const [here, there] = [live(), live(other)];
    expect((await there.start(newNumber())).code).toBe("ok");
    for (const [blocked, expected] of [
      [["SG"], "recipient_blocked"],
      [[], "ok"],
      [["SG", "DE"], "recipient_blocked"],
    ] as const) {
      expect(await here.update({ blocked_countries: blocked })).toEqual({ ...defaults, blocked_countries: blocked });
      expect((await there.start(newNumber())).code).toBe(expected);
    }
    expect(await here.update({ blocked_countries: [], allowed_countries: ["DE"] })).toEqual({
      ...defaults,
      allowed_countries: ["DE"],
    });
    const { code, body } = await there.start(newNumber());
    expect([code, body.reason, body.message]).toEqual([
      "recipient_blocked",
      "country_not_allowed",
      "No code is sent to this recipient: its country is not allowed.",
    ]);
    expect((await there.start("+4915112345678")).code).toBe("ok");
  });

  test("a number whose digits do not tell its country is blocked with the main country of its calling code, and allowed with any of them", async () => {
    const { start, update } = live();
    const numbers = ["+449999999999", "+11234567890"];
    const judged = async (changes: Record<string, unknown>) => {
      await update({ allowed_countries: [], blocked_countries: [], ...changes });
      return Promise.all(numbers.map(async (number) => (await start(number)).code));
    };
    const blocked = "recipient_blocked";
    expect(await judged({ blocked_countries: ["GB"] })).toEqual([blocked, "ok"]);
    expect(await judged({ blocked_countries: ["US", "GB"] })).toEqual([blocked, blocked]);
    expect(await judged({ blocked_countries: ["JE", "CA"] })).toEqual(["ok", "ok"]);
    expect(await judged({ allowed_countries: ["DE", "SG"] })).toEqual([blocked, blocked]);
    expect(await judged({ allowed_countries: ["GB", "SG"] })).toEqual(["ok", blocked]);
    expect(await judged({ allowed_countries: ["JE", "CA"] })).toEqual(["ok", "ok"]);
    expect(await judged({ allowed_countries: ["JE", "CA"], blocked_countries: ["GB", "US"] })).toEqual([
      blocked,
      blocked,
    ]);
  });

  test("the number of a fallback is judged when the code is sent by mail, before anything is sent, on every server at once", async () => {
    const startMail = async (number: string, { start } = live(), first: object[] = []) => {
      const mail = `${crypto.randomUUID()}@example.com`;
      const fallback = [...first, { channel: "sms", recipient: number }];
      const { code, body } = await start(mail, { channel: "email", fallback });
      return { mail, answer: [code, body.reason, body.fields] };
    };
    const field = "fallback[0].recipient";
    const wrong = { [field]: "must not be a premium-rate or satellite number" };
    for (const calls of [live(), sandbox()]) {
      const { mail, answer } = await startMail(premium, calls);
      expect(answer).toEqual(["validation_error", "premium_rate", wrong]);
      expect((await app.inbox()).filter(({ recipient }) => recipient === mail)).toEqual([]);
    }
    expect((await startMail(newNumber())).answer[0]).toBe("ok");
    // The number is named by the second step.
    expect((await startMail(premium, live(), [{ channel: "voice" }])).answer[2]).toEqual({
      "fallback[1].recipient": wrong[field],
    });
    await live().update({ blocked_countries: ["SG"] });
    expect((await startMail(newNumber(), live(other))).answer.slice(0, 2)).toEqual([
      "recipient_blocked",
      "country_not_allowed",
    ]);
    const safe = newNumber();
    await guardCalls(protocol, app, workspace).call("AddSafeListEntry", { number: safe });
    expect((await startMail(safe, live(other))).answer[0]).toBe("ok");
    await live().update({ guard_mode: "shadow" });
    expect((await startMail(newNumber())).answer[0]).toBe("ok");
    await live().update({ guard_mode: "off" });
    expect((await startMail(premium, live(other))).answer[0]).toBe("ok");
    await vi.waitFor(async () => {
      const seen = (await live().call("ListEvents", { type: "guard_refusal.recorded" })).body.events;
      expect(
        seen.map(({ data }: { data: Record<string, unknown> }) => [data.reason, data.channel, data.enforced]),
      ).toEqual([
        ["country_not_allowed", "sms", false],
        ["country_not_allowed", "sms", true],
        ["premium_rate", "voice", true],
        ["premium_rate", "sms", true],
      ]);
    }, 5_000);
  });

  test("a range that is blocked gets no codes until its block is deleted, on every server at once", async () => {
    const [here, there] = [live(), live(other)];
    const id = await blockRange(app, workspace.workspaceId, "+65912x");
    const number = newNumber("+659123");
    for (const { start } of [here, there]) {
      const { code, body } = await start(number);
      expect([code, body.reason]).toEqual(["recipient_blocked", "range_blocked"]);
    }
    expect((await here.start(newNumber("+6598"))).code).toBe("ok");
    expect((await sandbox().start(number)).code).toBe("ok");
    const session = guardCalls(protocol, app, workspace);
    const { blocks } = (await session.call("ListGuardBlocks")).body;
    expect(blocks).toMatchObject([{ id, number_range: "+65912x", started: 120, approved: 3 }]);
    expect((await session.call("DeleteGuardBlock", { id })).body).toEqual({ id, deleted: true });
    expect((await session.call("DeleteGuardBlock", { id })).code).toBe("not_found");
    expect((await there.start(number)).code).toBe("ok");
    expect((await session.call("ListGuardBlocks")).body).toEqual({ blocks: [] });
  });
});
