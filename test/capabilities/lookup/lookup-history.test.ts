/** The history of lookups: kept for workspaces that want one, found, erased and forgotten like verifications. */
import pg from "pg";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { password, type SignedUp, startTestApp, type TestApp, useTestApp } from "../../support/app.ts";
import { limitsOf } from "../../support/limit-settings.ts";
import { type Protocol, protocols } from "../../support/protocols.ts";
import { runCommand } from "../../support/run-command.ts";
import { verifyEmailOf } from "../../support/verified-email.ts";

const app = useTestApp(limitsOf({ DEFAULT_TIER: "unlimited", SIGN_UP_LIMIT: "1000" }), { sweepIntervalMs: 100 });
let other: TestApp;
let account: SignedUp;
let key: string;
beforeAll(async () => {
  other = await app.startAnother(limitsOf({ DEFAULT_TIER: "unlimited" }));
  return () => other[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await app.time.advance({ seconds: 60 });
  account = await app.signUp();
  await verifyEmailOf(app.databaseUrl, account.workspaceId);
  key = await mint("live");
});

const mint = async (mode: "live" | "test"): Promise<string> =>
  (await app.rest("POST", "/api-keys", { session: account.session, body: { name: mode, mode } })).body.key;
const keepHistory = async (lookup_history = true) => {
  const { body } = await app.rest("PATCH", "/workspace", { session: account.session, body: { lookup_history } });
  expect(body.lookup_history).toBe(lookup_history);
};

/** The JSON of a lookup, as far as a test asks. */
interface Listed {
  readonly lookup_id: string;
  readonly reference: string | null;
  readonly result: { readonly input: string };
}

function callsOf(protocol: Protocol, credential: { readonly key?: string; readonly session?: string }, server = app) {
  const call = (name: Parameters<Protocol["call"]>[1], input: Record<string, unknown> = {}, mode?: string) =>
    protocol.call(
      server,
      name,
      input,
      mode === undefined ? credential : { ...credential, headers: { "byond-mode": mode } },
    );
  const list = async (input: Record<string, unknown> = {}, mode?: string): Promise<Listed[]> => {
    const { code, body } = await call("ListLookups", input, mode);
    expect(code).toBe("ok");
    return body.lookups;
  };
  return {
    call,
    list,
    /** The history once it has so many lookups. */
    listed: (count: number, input: Record<string, unknown> = {}) =>
      vi.waitFor(async () => {
        const lookups = await list(input);
        expect(lookups).toHaveLength(count);
        return lookups;
      }, 5_000),
  };
}

const inputsOf = (lookups: readonly Listed[]) => lookups.map(({ result }) => result.input);

describe.each(protocols)("over $name", (protocol) => {
  test("nothing is kept until the workspace asks for it, on every server, and nothing more once it is switched off", async () => {
    const { call, list, listed } = callsOf(protocol, { key });
    const there = callsOf(protocol, { key }, other);
    await call("LookupNumber", { number: "+6591234567" });
    await there.call("LookupNumber", { number: "+6591234567" });
    await keepHistory();
    const answered = (await call("LookupNumber", { number: "+6591234568" })).body;
    await there.call("LookupNumber", { number: "+6591234569" });
    const lookups = await listed(2);
    // Each server measures by itself how long ago it was.
    expect(inputsOf(lookups).toSorted()).toEqual(["+6591234568", "+6591234569"]);
    expect(lookups.find(({ result }) => result.input === "+6591234568")).toEqual({
      lookup_id: expect.stringMatching(/^lkp_[0-9A-Za-z]{22}$/),
      reference: null,
      result: answered,
      created_at: expect.stringMatching(/Z$/),
    });
    await keepHistory(false);
    await call("LookupNumber", { number: "+6591234560" });
    await there.call("LookupNumber", { number: "+6591234560" });
    // What these servers write comes after what they held.
    await keepHistory();
    await call("LookupNumber", { number: "+6591234561" });
    await there.call("LookupNumber", { number: "+6591234562" });
    await listed(4);
    expect(inputsOf(await list({ number: "+6591234560" }))).toEqual([]);
  });

  test("single lookups with their fields, and items of batches with their references, invalid ones too", async () => {
    await keepHistory();
    const { call, listed } = callsOf(protocol, { key });
    const single = (await call("LookupNumber", { number: "+65 9123 4567" })).body;
    await listed(1);
    await call("BatchLookup", {
      country: "SG",
      numbers: [
        { number: "91234567", reference: "customer-17" },
        { number: "nonsense" },
        { number: "+65123" },
        { number: "" },
      ],
      fields: ["reason"],
    });
    const lookups = await listed(4);
    const found = lookups.map(({ reference, result }) => [reference, result]);
    expect(found).toContainEqual(["customer-17", expect.objectContaining({ number_e164: "+6591234567", valid: true })]);
    expect(found).toContainEqual([null, expect.objectContaining({ number_e164: null, reason: "not_a_number" })]);
    expect(found).toContainEqual([null, expect.objectContaining({ input: "+65123", valid: false })]);
    expect(lookups[3]?.result).toEqual(single);
    for (const each of lookups) {
      expect(await call("GetLookup", { lookup_id: each.lookup_id })).toEqual({ code: "ok", body: each });
    }
  });

  test("each workspace and each mode has a history of its own, and sessions name the mode", async () => {
    await keepHistory();
    const live = callsOf(protocol, { key });
    const sandbox = callsOf(protocol, { key: await mint("test") });
    const session = callsOf(protocol, { session: account.session });
    await live.call("LookupNumber", { number: "+6591234567" });
    await sandbox.call("LookupNumber", { number: "+6591234568" });
    const [ofLive] = await live.listed(1);
    const [ofSandbox] = await sandbox.listed(1);
    expect([await session.list(), await session.list({}, "test")]).toEqual([[ofLive], [ofSandbox]]);
    const lookup_id = ofLive?.lookup_id;
    expect((await sandbox.call("GetLookup", { lookup_id })).code).toBe("not_found");
    expect((await session.call("GetLookup", { lookup_id })).body).toEqual(ofLive);
    account = await app.signUp();
    await verifyEmailOf(app.databaseUrl, account.workspaceId);
    const others = callsOf(protocol, { key: await mint("live") });
    expect(await others.list()).toEqual([]);
    expect((await others.call("GetLookup", { lookup_id })).code).toBe("not_found");
    expect((await others.call("GetLookup", { lookup_id: "lkp_none" })).code).toBe("not_found");
  });

  test("the history is paged, newest first, and filtered by number and time", async () => {
    await keepHistory();
    const { call, list, listed } = callsOf(protocol, { key });
    const numbers = ["+6591234567", "(020) 7946", "+6591234567", "+442079460958"];
    const times: string[] = [];
    for (const [index, number] of numbers.entries()) {
      await call("LookupNumber", { number });
      await listed(index + 1);
      await app.time.advance({ seconds: 10 });
      times.push((await call("ListLookups", { page_size: 1 })).body.lookups[0].created_at);
    }
    const first = (await call("ListLookups", { page_size: 3 })).body;
    const second = (await call("ListLookups", { page_size: 3, page_token: first.next_page_token })).body;
    expect(inputsOf([...first.lookups, ...second.lookups])).toEqual(numbers.toReversed());
    expect([first.lookups.length, second.next_page_token]).toEqual([3, null]);
    expect(inputsOf(await list({ number: "tel:+65-9123-4567" }))).toEqual(["+6591234567", "+6591234567"]);
    expect(inputsOf(await list({ number: "(020) 7946" }))).toEqual(["(020) 7946"]);
    const one = (await call("ListLookups", { number: "+6591234567", page_size: 1 })).body;
    const two = { number: "+6591234567", page_size: 1, page_token: one.next_page_token };
    expect(inputsOf(await list(two))).toEqual(["+6591234567"]);
    const at = (seconds: number) => new Date(Date.parse(times[1] ?? "") + seconds * 1_000).toISOString();
    expect(inputsOf(await list({ created_after: at(5) }))).toEqual(numbers.slice(2).toReversed());
    expect(inputsOf(await list({ created_before: at(5) }))).toEqual(numbers.slice(0, 2).toReversed());
    expect((await call("ListLookups", { page_token: "x" })).body.fields).toHaveProperty("page_token");
  });

  test("erasing a recipient deletes its lookups in this mode, those that were just answered too", async () => {
    await keepHistory();
    const { call, list, listed } = callsOf(protocol, { key });
    await call("LookupNumber", { number: "+6591234568" });
    await call("LookupNumber", { number: "+65 9123 4567" });
    expect((await call("EraseRecipient", { recipient: "+6591234567" })).body).toEqual({ erased: 0 });
    expect(inputsOf(await listed(1))).toEqual(["+6591234568"]);
    // An address in the place of a number is one all the same.
    await call("LookupNumber", { number: "ada@example.com" });
    await call("EraseRecipient", { recipient: "Ada@example.com" });
    expect(inputsOf(await list())).toEqual(["+6591234568"]);
    // A number of an impossible length is no recipient: it goes with the history.
    await call("LookupNumber", { number: "+65 8124" });
    expect((await call("EraseRecipient", { recipient: "+658124" })).code).toBe("validation_error");
    expect(inputsOf(await listed(2))).toEqual(["+65 8124", "+6591234568"]);
  });

  test("a key without the scope reads no history", async () => {
    const { session } = account;
    const body = { name: "narrow", mode: "live", scopes: ["verify"] };
    const { call } = callsOf(protocol, { key: (await app.rest("POST", "/api-keys", { session, body })).body.key });
    expect((await call("ListLookups")).code).toBe("insufficient_scope");
    expect((await call("GetLookup", { lookup_id: "lkp_none" })).code).toBe("insufficient_scope");
  });
});

const rest = () => callsOf(protocols[0] as Protocol, { key });

/** All rows, as a thief of the database would read them. */
async function dump(of: TestApp): Promise<string> {
  const client = new pg.Client({ connectionString: of.databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query("SELECT lookup::text || encode(sealed, 'escape') AS text FROM lookup");
    return rows.map(({ text }) => text).join("\n");
  } finally {
    await client.end();
  }
}

test("the database has neither the numbers nor what was found in the clear, and sweeps them after RETENTION_DAYS", async () => {
  await keepHistory();
  const { call, list, listed } = rest();
  await call("LookupNumber", { number: "+6591234567" });
  await listed(1);
  expect(await dump(app)).not.toMatch(/91234567|Singapore|valid/);
  await app.time.advance({ seconds: 29 * 86_400 });
  expect(await list()).toHaveLength(1);
  await app.time.advance({ seconds: 86_401 });
  await vi.waitFor(async () => expect(await dump(app)).toBe(""), 5_000);
});

test("a server that stops writes every lookup that it has answered", async () => {
  await keepHistory();
  const numbers = Array.from({ length: 1_000 }, (_, index) => ({ number: `+659${1_000_000 + index}` }));
  {
    await using stopping = await app.startAnother(limitsOf({ DEFAULT_TIER: "unlimited" }));
    for (let batch = 0; batch < 3; batch++) {
      const { status } = await stopping.rest("POST", "/lookup/batch", { key, body: { numbers } });
      expect(status).toBe(200);
    }
  }
  const { call } = rest();
  const ids = new Set<string>();
  let page_token: string | null | undefined;
  do {
    const { body } = await call("ListLookups", { page_size: 100, ...(page_token ? { page_token } : {}) });
    for (const { lookup_id } of body.lookups) {
      ids.add(lookup_id);
    }
    page_token = body.next_page_token;
  } while (page_token);
  expect(ids.size).toBe(3_000);
});

test("the history of a workspace that is shut down is deleted with it", async () => {
  await keepHistory();
  const { call, listed } = rest();
  await call("LookupNumber", { number: "+6591234567" });
  await listed(1);
  const body = { password };
  expect((await app.rest("POST", "/auth/delete-account", { session: account.session, body })).status).toBe(200);
  await app.time.advance({ seconds: 601 });
  await vi.waitFor(async () => expect(await dump(app)).not.toContain(account.workspaceId), 10_000);
});

test("a rotation of the master secret moves the history: it is read, found and erased with the new secret alone", async () => {
  const [old, fresh] = ["the old secret which has thirty-two bytes", "the new secret which has thirty-two bytes"];
  await using before = await startTestApp({ secrets: [old] });
  const { session } = await before.signUp();
  await before.rest("PATCH", "/workspace", { session, body: { lookup_history: true } });
  const minted = await before.rest("POST", "/api-keys", { session, body: { name: "one", mode: "test" } });
  const lookups = callsOf(protocols[0] as Protocol, { key: minted.body.key }, before);
  await lookups.call("LookupNumber", { number: "+6591234567" });
  const shown = await lookups.listed(1);
  await before.app.close();
  await expect(before.startAnother({ secrets: [fresh] })).rejects.toThrow(
    "1 lookups of the history are sealed with it",
  );
  const secrets = [fresh, old];
  await using between = await before.startAnother({ secrets });
  const { list } = callsOf(protocols[0] as Protocol, { key: minted.body.key }, between);
  expect(await list({ number: "+6591234567" })).toEqual(shown);
  await runCommand("reseal", before.databaseUrl, { options: {}, input: "", secrets });
  await between.app.close();
  await using after = await before.startAnother({ secrets: [fresh] });
  const moved = callsOf(protocols[0] as Protocol, { key: minted.body.key }, after);
  expect(await moved.list({ number: "+6591234567" })).toEqual(shown);
  await moved.call("EraseRecipient", { recipient: "+6591234567" });
  expect(await moved.list()).toEqual([]);
});
