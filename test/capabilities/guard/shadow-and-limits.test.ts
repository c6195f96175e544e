/** What the guard counts: limits of countries and ranges, what it would have refused, and what it did refuse. */
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

const premium = "+19002530000";
const invalid = "+19995551234";

describe.each(protocols)("over $name", (protocol) => {
  const live = (server = app) => guardCalls(protocol, server, workspace, workspace.live);
  const sandbox = () => guardCalls(protocol, app, workspace, workspace.sandbox);
  /** The report of the day, once it has counted as many sends. */
  const reportOf = (sends: number, mode: "live" | "test" = "live") =>
    vi.waitFor(
      async () => {
        const credentials = { session: workspace.session, headers: { "Byond-Mode": mode } };
        const { body } = await protocol.call(app, "GetGuardReport", { period: "24h" }, credentials);
        expect(body.refused + body.would_refuse).toBe(sends);
        const { period_start: _, period_end: __, ...counts } = body;
        return counts;
      },
      { timeout: 20_000 },
    );
  const refusals = async (key = workspace.live) =>
    (await guardCalls(protocol, app, workspace, key).call("ListEvents", { type: "guard_refusal.recorded" })).body
      .events;

  test("a limit of a country is exact under parallel starts on two servers, and gives the seconds to wait", async () => {
    const [here, there] = [live(), live(other)];
    await here.update({ sends_per_hour_per_country: 5 });
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? here : there).start(newNumber())),
    );
    const refused = answers.filter(({ code }) => code !== "ok");
    expect(refused.map(({ code, body }) => [code, body.reason])).toEqual(
      Array(7).fill(["rate_limited", "country_limit"]),
    );
    for (const { body } of refused) {
      expect(body.retry_after).toBeGreaterThanOrEqual(1);
      expect(body.retry_after).toBeLessThanOrEqual(720);
    }
    expect((await there.start("+4915112345678")).code).toBe("ok");
    expect(await reportOf(7)).toEqual({
      refused: 7,
      would_refuse: 0,
      reasons: [{ reason: "country_limit", refused: 7, would_refuse: 0 }],
      countries: [{ country: "SG", refused: 7, would_refuse: 0 }],
    });
    await here.update({ sends_per_hour_per_country: 0 });
    expect((await there.start(newNumber())).code).toBe("ok");
  });

  test("a limit of a range concerns numbers that begin alike, and a refused send takes no token of another limit", async () => {
    const { start, update } = live();
    await update({ sends_per_hour_per_range: 2, sends_per_hour_per_country: 4 });
    const codes = [];
    for (const prefix of ["+65911", "+65911", "+65911", "+65911", "+65922", "+65922"]) {
      codes.push((await start(newNumber(prefix))).body.reason ?? "ok");
    }
    expect(codes).toEqual(["ok", "ok", "range_limit", "range_limit", "ok", "ok"]);
    expect((await start(newNumber("+65933"))).body.reason).toBe("country_limit");
  });

  test("in shadow every code is sent, and what would have been refused is in events and in the report", async () => {
    const { start, update, call } = live();
    await update({ guard_mode: "shadow", blocked_countries: ["DE"], sends_per_hour_per_country: 2 });
    await blockRange(app, workspace.workspaceId, "+65900x");
    const started = [];
    for (const recipient of [
      premium,
      "+4915112345678",
      newNumber("+65900"),
      newNumber("+65911"),
      newNumber("+65911"),
      newNumber("+65911"),
    ]) {
      const { code, body } = await start(recipient);
      expect(code).toBe("ok");
      started.push(body.verification_id);
    }
    const report = await reportOf(4);
    expect(report).toMatchObject({ refused: 0, would_refuse: 4 });
    expect(report.reasons.map(({ reason }: { reason: string }) => reason).toSorted()).toEqual([
      "country_limit",
      "country_not_allowed",
      "premium_rate",
      "range_blocked",
    ]);
    expect(report.countries[0]).toEqual({ country: "SG", refused: 0, would_refuse: 2 });
    const [last, blocked, country, first] = (await refusals()).map(({ data }: { data: object }) => data);
    expect(last).toMatchObject({ reason: "country_limit", enforced: false, verification_id: started[5] });
    expect(blocked).toMatchObject({ reason: "range_blocked", number_range: "+65900x", country: "SG", channel: "sms" });
    expect(country).toMatchObject({ reason: "country_not_allowed", country: "DE" });
    expect(first).toMatchObject({ reason: "premium_rate", country: "US", verification_id: started[0] });
    expect((await call("ResendCode", { verification_id: started[0] })).code).toBe("ok");
    await reportOf(5);
  });

  test("a refusal is recorded once, with or without an Idempotency-Key, and names no recipient", async () => {
    const { start, update } = live();
    await update({ blocked_countries: ["SG"] });
    const number = newNumber();
    expect((await start(number)).code).toBe("recipient_blocked");
    const headers = { "Idempotency-Key": "a key" };
    const input = { channel: "sms", recipient: number };
    const answer = await protocol.call(app, "StartVerification", input, { key: workspace.live, headers });
    expect(answer.code).toBe("recipient_blocked");
    expect(await reportOf(2)).toEqual({
      refused: 2,
      would_refuse: 0,
      reasons: [{ reason: "country_not_allowed", refused: 2, would_refuse: 0 }],
      countries: [{ country: "SG", refused: 2, would_refuse: 0 }],
    });
    const events = await refusals();
    expect(events).toHaveLength(2);
    expect(events[0].data).toEqual({
      id: expect.stringMatching(/^grf_[0-9A-Za-z]{22}$/),
      reason: "country_not_allowed",
      enforced: true,
      channel: "sms",
      country: "SG",
      number_range: expect.stringMatching(/^\+65\d+x$/),
      verification_id: null,
    });
    expect(JSON.stringify(events)).not.toContain(number);
  });

  test("a refusal that is final is answered again for its Idempotency-Key and counted once; another one is a new try", async () => {
    const { update } = live();
    const startWith = (idempotencyKey: string, recipient: string, server = app) =>
      protocol.call(
        server,
        "StartVerification",
        { channel: "sms", recipient },
        { key: workspace.live, headers: { "Idempotency-Key": idempotencyKey } },
      );
    const first = await startWith("final", premium);
    expect([first.code, first.body.reason]).toEqual(["validation_error", "premium_rate"]);
    for (const server of [app, other]) {
      const { code, body } = await startWith("final", premium, server);
      // Each server names its own address, as the test has no PUBLIC_URL.
      const own = { request_id: body.request_id, documentation_url: body.documentation_url };
      expect([code, body]).toEqual([first.code, { ...first.body, ...own }]);
    }
    await reportOf(1);
    await update({ blocked_countries: ["SG"] });
    const number = newNumber();
    for (const server of [app, other]) {
      const { code, body } = await startWith("not now", number, server);
      expect([code, body.reason]).toEqual(["recipient_blocked", "country_not_allowed"]);
    }
    const { reasons } = await reportOf(3);
    expect(reasons).toEqual([
      { reason: "country_not_allowed", refused: 2, would_refuse: 0 },
      { reason: "premium_rate", refused: 1, would_refuse: 0 },
    ]);
    await update({ blocked_countries: [] });
    const sent = await startWith("not now", number);
    expect(sent.code).toBe("ok");
    expect(await startWith("not now", number, other)).toEqual(sent);
    expect(await refusals()).toHaveLength(3);
  });

  test("numbers that the plan does not have are only counted, until the workspace refuses them", async () => {
    const { start, update } = live();
    const { code, body } = await start(invalid);
    expect(code).toBe("ok");
    expect(await reportOf(1)).toMatchObject({ refused: 0, would_refuse: 1 });
    const [event] = await refusals();
    expect(event.data).toMatchObject({
      reason: "invalid_number",
      enforced: false,
      verification_id: body.verification_id,
    });
    await update({ refuse_invalid_numbers: true });
    const refused = await start("+19995551235");
    expect([refused.code, refused.body.reason, refused.body.fields]).toEqual([
      "validation_error",
      "invalid_number",
      { recipient: "must be a number of its country's numbering plan" },
    ]);
    expect(await reportOf(2)).toMatchObject({ refused: 1, would_refuse: 1 });
  });

  test("in shadow, numbers that the plan does not have are counted for what would have refused them", async () => {
    const { start, update } = live();
    await update({ guard_mode: "shadow", sends_per_hour_per_range: 1 });
    await blockRange(app, workspace.workspaceId, "+19995x");
    const started = [];
    for (const recipient of [invalid, "+19985551234", "+19985551235"]) {
      const { code, body } = await start(recipient);
      expect(code).toBe("ok");
      started.push(body.verification_id);
    }
    await reportOf(3);
    expect(
      (await refusals()).map(({ data }: { data: Record<string, unknown> }) => [data.reason, data.verification_id]),
    ).toEqual([
      ["range_limit", started[2]],
      ["invalid_number", started[1]],
      ["range_blocked", started[0]],
    ]);
    await update({ refuse_invalid_numbers: true });
    expect((await start("+19985551236")).code).toBe("ok");
    const { reasons } = await reportOf(4);
    expect(reasons).toContainEqual({ reason: "invalid_number", refused: 0, would_refuse: 2 });
  });

  test("a guard that is off judges nothing; both modes have reports of their own", async () => {
    const { start, update } = live();
    await update({ blocked_countries: ["SG"] });
    expect((await sandbox().start(newNumber())).code).toBe("recipient_blocked");
    await reportOf(1, "test");
    await update({ guard_mode: "off" });
    for (const recipient of [premium, newNumber(), invalid]) {
      expect((await start(recipient)).code).toBe("ok");
    }
    expect(await reportOf(0)).toEqual({ refused: 0, would_refuse: 0, reasons: [], countries: [] });
  });
});

test("what a workspace has not chosen is as GUARD_MODE says", async () => {
  await using shadow = await app.startAnother({ delivery: guardedDelivery, guardMode: "shadow" });
  const [protocol] = protocols;
  if (protocol === undefined) throw new TypeError("there are protocols");
  const { call, start, update } = guardCalls(protocol, shadow, workspace, workspace.live);
  const session = guardCalls(protocol, shadow, workspace);
  expect((await session.call("GetGuard")).body.guard_mode).toBe("shadow");
  expect((await start(premium)).code).toBe("ok");
  await update({ guard_mode: "enforce" });
  expect((await call("StartVerification", { channel: "sms", recipient: premium })).code).toBe("validation_error");
});
