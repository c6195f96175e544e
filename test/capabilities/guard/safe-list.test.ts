/** Who manages the guard, and what is on its safe list is never refused. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
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

describe.each(protocols)("over $name", (protocol) => {
  const live = (server = app) => guardCalls(protocol, server, workspace, workspace.live);
  const session = (server = app) => guardCalls(protocol, server, workspace);

  test("a recipient or a range on the safe list is not refused, on every server from the answer on, until it is taken off", async () => {
    const { call, update } = session();
    const there = live(other);
    await update({ allowed_countries: ["DE"], sends_per_hour_per_range: 1 });
    await blockRange(app, workspace.workspaceId, "+65911x");
    const recipient = newNumber("+65911");
    const codeOf = async (number = newNumber("+65911")) => (await there.start(number)).code;
    expect(await codeOf(recipient)).toBe("recipient_blocked");
    const entry = (await call("AddSafeListEntry", { number: recipient })).body;
    expect(entry).toEqual({
      id: expect.stringMatching(/^gsl_[0-9A-Za-z]{22}$/),
      recipient: `+65••••${recipient.slice(-4)}`,
      number_range: null,
      created_at: expect.any(String),
    });
    expect([await codeOf(recipient), await codeOf()]).toEqual(["ok", "recipient_blocked"]);
    const range = (await call("AddSafeListEntry", { number: "+65911x" })).body;
    expect(range).toMatchObject({ recipient: null, number_range: "+65911x" });
    expect([await codeOf(), await codeOf(), await codeOf(newNumber("+65922"))]).toEqual([
      "ok",
      "ok",
      "recipient_blocked",
    ]);
    expect((await call("AddSafeListEntry", { number: "+65911x" })).body.id).toBe(range.id);
    expect((await call("ListSafeListEntries")).body).toEqual({ entries: [range, entry] });
    expect((await call("DeleteSafeListEntry", { id: range.id })).body).toEqual({ id: range.id, deleted: true });
    expect((await call("DeleteSafeListEntry", { id: range.id })).code).toBe("not_found");
    expect(await codeOf()).toBe("recipient_blocked");
  });

  test("a range of any length is matched", async () => {
    const { call, update } = session();
    await update({ allowed_countries: ["DE"] });
    for (const [range, number] of [
      ["+6591x", "+6591345678"],
      ["+65945x", "+6594567891"],
      ["+121255x", "+12125550123"],
    ] as const) {
      expect((await live().start(number)).code).toBe("recipient_blocked");
      expect((await call("AddSafeListEntry", { number: range })).code).toBe("ok");
      expect([range, (await live().start(number)).code]).toEqual([range, "ok"]);
    }
    expect((await live().start("+6594667900")).code).toBe("recipient_blocked");
  });

  test("erasing a recipient takes it off the safe list of its mode", async () => {
    const { call, update } = session();
    await update({ allowed_countries: ["DE"] });
    const recipient = newNumber();
    await call("AddSafeListEntry", { number: recipient });
    expect((await live(other).start(recipient)).code).toBe("ok");
    expect((await live().call("EraseRecipient", { recipient })).code).toBe("ok");
    expect((await call("ListSafeListEntries")).body).toEqual({ entries: [] });
    expect((await live(other).start(recipient)).code).toBe("recipient_blocked");
  });

  test("each mode has a safe list of its own, and no workspace finds what another one has", async () => {
    const { call, update } = session();
    await update({ allowed_countries: ["DE"] });
    const recipient = newNumber();
    const { id } = (await call("AddSafeListEntry", { number: recipient })).body;
    const blockId = await blockRange(app, workspace.workspaceId, "+65911x");
    const sandbox = guardCalls(protocol, app, workspace, workspace.sandbox);
    expect((await sandbox.start(recipient)).code).toBe("recipient_blocked");
    const inSandbox = { session: workspace.session, headers: { "Byond-Mode": "test" } };
    expect((await protocol.call(app, "ListSafeListEntries", {}, inSandbox)).body).toEqual({ entries: [] });
    expect((await protocol.call(app, "DeleteSafeListEntry", { id }, inSandbox)).code).toBe("not_found");
    workspace = await signUpGuarded(app);
    const another = session();
    expect((await another.call("DeleteSafeListEntry", { id })).code).toBe("not_found");
    expect((await another.call("DeleteGuardBlock", { id: blockId })).code).toBe("not_found");
    expect((await another.call("GetGuard")).body.allowed_countries).toEqual([]);
  });

  test("what cannot be meant is refused by field", async () => {
    const { call } = session();
    const fieldsOf = async (name: Parameters<typeof call>[0], input: object) =>
      (await call(name, { ...input })).body.fields;
    expect(await fieldsOf("AddSafeListEntry", {})).toEqual({ number: "is required" });
    for (const number of [
      "ada@example.com",
      "65912x",
      "+65912",
      "+65912345678x",
      "+6591234567x",
      "+659123459x",
      "+659123x",
      "+1212555012x",
      "+x",
    ]) {
      expect([number, await fieldsOf("AddSafeListEntry", { number })]).toEqual([
        number,
        {
          number:
            "must be a phone number in E.164 form, such as +6591234567, or a range of numbers of one country, such as +65912x, with five digits fewer",
        },
      ]);
    }
    const prefix = protocol.name === "REST" ? "" : "guard.";
    const countries = { allowed_countries: ["DE", "UK"], blocked_countries: ["XX", "SG", "YY"] };
    const unknown = "must be the code of a country that has phone numbers, such as SG";
    expect(await fieldsOf("UpdateGuard", countries)).toEqual({
      [`${prefix}allowed_countries[1]`]: "must be GB for the United Kingdom",
      [`${prefix}blocked_countries[0]`]: unknown,
      [`${prefix}blocked_countries[2]`]: unknown,
    });
    expect(await fieldsOf("UpdateGuard", { allowed_countries: ["sg"] })).toEqual({
      [`${prefix}allowed_countries[0]`]: "must be a two-letter country code in upper case, such as SG",
    });
    expect(Object.keys(await fieldsOf("UpdateGuard", { sends_per_hour_per_range: -1 }))).toEqual([
      `${prefix}sends_per_hour_per_range`,
    ]);
  });

  test("a key manages the guard only if it names the scope, and a sandbox key not what both modes share", async () => {
    const mint = async (mode: "live" | "test", scopes: readonly string[]) =>
      (await app.rest("POST", "/api-keys", { session: workspace.session, body: { name: "guard", mode, scopes } })).body
        .key;
    const [named, unnamed] = [await mint("live", ["guard"]), await mint("live", ["verify"])];
    const sandbox = await mint("test", ["guard"]);
    const codeOf = async (key: string, name: Parameters<typeof protocol.call>[1], input: object = {}) =>
      (await protocol.call(app, name, { ...input }, { key })).code;
    for (const name of ["GetGuard", "ListGuardBlocks", "ListSafeListEntries", "GetGuardReport"] as const) {
      expect([name, await codeOf(named, name)]).toEqual([name, "ok"]);
      expect([name, await codeOf(unnamed, name)]).toEqual([name, "insufficient_scope"]);
      expect([name, await codeOf(workspace.live, name)]).toEqual([name, "insufficient_scope"]);
    }
    expect(await codeOf(named, "UpdateGuard", { guard_mode: "shadow" })).toBe("ok");
    // A range of more than one country is none, and the range of a country is one.
    for (const number of ["+1x", "+2x", "+12x", "+7x", "+99x"]) {
      expect([number, await codeOf(sandbox, "AddSafeListEntry", { number })]).toEqual([number, "validation_error"]);
    }
    expect(await codeOf(sandbox, "AddSafeListEntry", { number: "+62x" })).toBe("ok");
    expect(await codeOf(sandbox, "AddSafeListEntry", { number: "+65912x" })).toBe("ok");
    expect(await codeOf(sandbox, "UpdateGuard", { guard_mode: "off" })).toBe("insufficient_scope");
    expect(await codeOf(sandbox, "ListGuardBlocks")).toBe("insufficient_scope");
  });
});
