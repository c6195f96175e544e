/** What the command `reseal` does with recipients on safe lists: they stay safe, and are read and found with the new master secret alone. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { createKeyring } from "../../src/crypto/keyring.ts";
import {
  type GuardedWorkspace,
  guardCalls,
  guardedDelivery,
  newNumber,
  signUpGuarded,
} from "../capabilities/guard/guard-calls.ts";
import { rowsOf } from "../capabilities/verify/verify-calls.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { protocols } from "../support/protocols.ts";
import { runCommand } from "../support/run-command.ts";

const old = "the old secret which has thirty-two bytes";
const fresh = "the new secret which has thirty-two bytes";
const config = { delivery: guardedDelivery };
const [rest] = protocols;
if (rest === undefined) throw new TypeError("there are protocols");

let before: TestApp;
let workspace: GuardedWorkspace;
/** A key that manages the guard. */
let manager: string;
beforeEach(async () => {
  before = await startTestApp({ ...config, secrets: [old, fresh] });
  workspace = await signUpGuarded(before);
  const body = { name: "manager", scopes: ["guard"] };
  manager = (await before.rest("POST", "/api-keys", { session: workspace.session, body })).body.key;
});
afterEach(() => before[Symbol.asyncDispose]());

const reseal = () => runCommand("reseal", before.databaseUrl, { options: {}, input: "", secrets: [fresh, old] });

const managing = (app: TestApp) => guardCalls(rest, app, workspace, manager);
const codeOf = async (app: TestApp, recipient: string) =>
  (await guardCalls(rest, app, workspace, workspace.live).start(recipient)).code;
const entriesOf = async (app: TestApp) => (await managing(app).call("ListSafeListEntries")).body.entries;
const add = async (app: TestApp, number: string) => (await managing(app).call("AddSafeListEntry", { number })).body;

test("after a reseal, recipients on the safe list are safe, read and taken off with the new secret alone", async () => {
  await managing(before).update({ allowed_countries: ["DE"] });
  const [safe, other] = [newNumber(), newNumber()];
  const entry = await add(before, safe);
  const range = await add(before, "+65977x");
  await before.app.close();

  await expect(before.startAnother({ ...config, secrets: [fresh] })).rejects.toThrow(
    "1 recipients on safe lists are sealed with it",
  );

  const between = await before.startAnother({ ...config, secrets: [fresh, old] });
  expect(await add(between, safe)).toEqual(entry);
  expect([await codeOf(between, safe), await codeOf(between, other)]).toEqual(["ok", "recipient_blocked"]);
  await reseal();
  await reseal();
  // This server has the entries in memory as they were.
  expect(await codeOf(between, safe)).toBe("ok");
  await between.app.close();

  await using after = await before.startAnother({ ...config, secrets: [fresh] });
  expect(await entriesOf(after)).toEqual([range, entry]);
  for (const number of [safe, newNumber("+65977")]) {
    expect(await codeOf(after, number)).toBe("ok");
  }
  expect(await codeOf(after, other)).toBe("recipient_blocked");
  expect((await managing(after).call("DeleteSafeListEntry", { id: entry.id })).code).toBe("ok");
  expect(await codeOf(after, safe)).toBe("recipient_blocked");
  await add(after, safe);
  expect((await rest.call(after, "EraseRecipient", { recipient: safe }, { key: workspace.live })).code).toBe("ok");
  expect(await entriesOf(after)).toEqual([range]);
});

test("more recipients than a batch holds are all resealed, and ranges stay as they are", async () => {
  await add(before, "+65977x");
  for (const mode of ["live", "test"]) {
    const credentials = { session: workspace.session, headers: { "Byond-Mode": mode } };
    // Seven at a time: they wait for one row of the workspace.
    for (let added = 0; added < 105; added += 7) {
      const answers = Array.from({ length: 7 }, () =>
        rest.call(before, "AddSafeListEntry", { number: newNumber() }, credentials),
      );
      expect((await Promise.all(answers)).filter(({ code }) => code !== "ok")).toEqual([]);
    }
  }
  await before.app.close();
  await reseal();
  const secret = "encode(substring(recipient_sealed FROM 1 FOR 4), 'hex')";
  expect(
    await rowsOf(
      before,
      `SELECT ${secret} AS secret, count(*)::integer AS count FROM safe_list_entry GROUP BY 1 ORDER BY 1`,
    ),
  ).toEqual([
    { secret: createKeyring([fresh]).current.id, count: 210 },
    { secret: null, count: 1 },
  ]);
});
