/** What is stored about a person can be exported: all that an erasure erases, and nothing of anybody else. */
import pg from "pg";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { password, type SignedUp, startTestApp, type TestApp, useTestApp } from "../../support/app.ts";
import { limitsOf } from "../../support/limit-settings.ts";
import { type Protocol, protocols } from "../../support/protocols.ts";
import { verifyEmailOf } from "../../support/verified-email.ts";
import { markUndeliverable } from "../suppressions/mark-undeliverable.ts";

// biome-ignore lint/suspicious/noExplicitAny: the JSON of answers
type Json = any;

const settings = {
  inbox: "all",
  allowsFixedCodes: true,
  ...limitsOf({ DEFAULT_TIER: "unlimited", SIGN_UP_LIMIT: "1000" }),
} as const;
const app = useTestApp(settings);
let account: SignedUp;
let numbers = 0;

beforeEach(async () => {
  await app.time.advance({ seconds: 60 });
  account = await signUp();
});

async function signUp(server: TestApp = app): Promise<SignedUp> {
  const signedUp = await server.signUp();
  await verifyEmailOf(server.databaseUrl, signedUp.workspaceId);
  return signedUp;
}

const mint = async (
  {
    mode = "live",
    scopes = ["verify"],
    ...of
  }: { mode?: string; scopes?: readonly string[] | null; session?: string } = {},
  server: TestApp = app,
): Promise<string> => {
  const { session = account.session } = of;
  const { body } = await server.rest("POST", "/api-keys", { session, body: { name: "key", mode, scopes } });
  return body.key;
};

/** A person whom no other test knows. */
function newPerson() {
  numbers += 1;
  return { phone: `+65912${String(numbers).padStart(5, "0")}`, mail: `ada-${numbers}@example.com` };
}

function callsOf(protocol: Protocol, key: string, server: TestApp = app) {
  const call = (name: Parameters<Protocol["call"]>[1], input: Record<string, unknown> = {}) =>
    protocol.call(server, name, input, { key });
  const page = async (input: Record<string, unknown>): Promise<Json> => {
    const { code, body } = await call("ExportRecipient", input);
    expect([code, body]).toEqual(["ok", expect.anything()]);
    return body;
  };
  return {
    call,
    page,
    async all(recipient: string, pageSize = 100): Promise<Json[]> {
      const records: Json[] = [];
      let token: string | null = null;
      do {
        const body: Json = await page({
          recipient,
          page_size: pageSize,
          ...(token === null ? {} : { page_token: token }),
        });
        expect(body.records.length).toBeLessThanOrEqual(pageSize);
        records.push(...body.records);
        token = body.next_page_token;
      } while (token !== null);
      return records;
    },
    async start(input: Record<string, unknown>): Promise<string> {
      const { code, body } = await call("StartVerification", input);
      expect([code, body]).toEqual(["ok", expect.anything()]);
      return body.verification_id;
    },
  };
}

const kinds = ["verification", "fixed_code", "suppression", "safe_list_entry", "lookup"] as const;
const kindOf = (record: Json) => kinds.filter((kind) => record[kind] !== null).join();

/** Everything that a workspace can hold of a person, in live mode. Returns the ids of the verifications, the oldest first. */
async function fillIn(protocol: Protocol, key: string, { phone, mail }: ReturnType<typeof newPerson>) {
  const { call, start } = callsOf(protocol, key);
  const asUser = (method: string, path: string, body: object) =>
    app.rest(method, path, { session: account.session, body });
  await asUser("PATCH", "/workspace", { lookup_history: true });
  expect((await asUser("POST", "/guard/safe-list", { number: phone })).status).toBe(201);
  const lookupKey = await mint({ scopes: ["lookup"] });
  const numbers = [{ number: phone }, { number: phone, reference: "again" }];
  await app.rest("POST", "/lookup/batch", { key: lookupKey, body: { numbers } });
  const first = await start({
    channel: "whatsapp",
    recipient: phone,
    metadata: { order: "4711" },
    end_user_ip: "2001:db8:1:2:3::4",
    device_id: "a device",
  });
  await call("ResendCode", { verification_id: first, channel: "email", recipient: mail });
  await vi.waitFor(
    async () => {
      const { body } = await call("GetVerification", { verification_id: first });
      expect(body.deliveries.map(({ status }: Json) => status)).toEqual(["sent", "sent"]);
    },
    { timeout: 20_000 },
  );
  await markUndeliverable(app.databaseUrl, first);
  const { body: fixed } = await asUser("POST", "/fixed-codes", { recipient: phone, password, code_length: 10 });
  const second = await start({
    channel: "sms",
    recipient: phone,
    payee: "Ada's Books",
    amount: { value: "12.50", currency: "EUR" },
  });
  return { first, second, fixed };
}

describe.each(protocols)("over $name", (protocol) => {
  test("an export has all that is held, in full, with events, and without codes", async () => {
    const key = await mint();
    const person = newPerson();
    const { first, second, fixed } = await fillIn(protocol, key, person);
    const { all, page } = callsOf(protocol, key);
    const records = await vi.waitFor(
      async () => {
        const found = await all(person.phone);
        expect(found.find(({ fixed_code }) => fixed_code !== null).events).toHaveLength(1);
        expect(found[0].events).not.toEqual([]);
        return found;
      },
      { timeout: 20_000 },
    );
    expect(records.map(kindOf)).toEqual([
      "verification",
      "verification",
      "fixed_code",
      "suppression",
      "safe_list_entry",
      "lookup",
      "lookup",
    ]);
    const [newest, oldest] = records;
    expect(newest).toMatchObject({
      verification: {
        verification_id: second,
        recipient: `+65••••${person.phone.slice(-4)}`,
        payee: "Ada's Books",
        amount: { value: "12.50", currency: "EUR" },
      },
      recipients: [person.phone],
      end_user_ip: null,
    });
    expect(oldest).toMatchObject({
      verification: { verification_id: first, metadata: { order: "4711" }, deliveries: [{}, {}] },
      recipients: [person.phone, person.mail],
      end_user_ip: "2001:db8:1:2::/64",
    });
    expect(oldest.events.at(-1)).toMatchObject({
      type: "verification.started",
      data: { verification_id: first, metadata: { order: "4711" } },
    });
    const { fixed_code, suppression, safe_list_entry, lookup } = Object.assign(
      {},
      ...records.map((record) => ({ [kindOf(record)]: record })),
    );
    expect(fixed_code).toMatchObject({
      fixed_code: { id: fixed.id, code: null, recipient: `+65••••${person.phone.slice(-4)}` },
      recipients: [person.phone],
      events: [{ type: "fixed_code.created" }],
    });
    expect(suppression).toMatchObject({
      suppression: { channel: "whatsapp", verification_id: first },
      recipients: [person.phone],
      events: [],
    });
    expect(safe_list_entry).toMatchObject({ safe_list_entry: { number_range: null }, recipients: [person.phone] });
    expect(lookup).toMatchObject({ lookup: { result: { number_e164: person.phone } }, recipients: [person.phone] });
    const text = JSON.stringify(records);
    expect(text).not.toContain(fixed.code);
    expect(
      (await page({ recipient: ` ${person.phone.slice(0, 4)} ${person.phone.slice(4)}`, page_size: 100 })).records,
    ).toEqual(records);
    // The other address of the person finds the verification, and what is held of the address alone.
    expect((await all(person.mail.toUpperCase())).map((record) => [kindOf(record), record.recipients])).toEqual([
      ["verification", [person.phone, person.mail]],
      ["suppression", [person.mail]],
    ]);
  });

  test("pages of any size have the same records, each once, and tokens of other lists are refused", async () => {
    const key = await mint();
    const person = newPerson();
    await fillIn(protocol, key, person);
    const { all, call, page } = callsOf(protocol, key);
    const whole = await all(person.phone);
    const ids = (records: readonly Json[]) => records.map((record) => Object.values(record[kindOf(record)])[0]);
    for (const pageSize of [1, 2, 3, 7, whole.length]) {
      expect(ids(await all(person.phone, pageSize))).toEqual(ids(whole));
    }
    const { records, next_page_token } = await page({ recipient: person.phone, page_size: whole.length });
    expect([records.length, next_page_token]).toEqual([whole.length, null]);
    const { body } = await app.rest("GET", "/api-keys?page_size=1", { session: account.session });
    const refused = await call("ExportRecipient", { recipient: person.phone, page_token: body.next_page_token });
    expect([refused.code, refused.body.fields]).toEqual([
      "validation_error",
      { page_token: "must be the next_page_token of the page before" },
    ]);
  });

  test("what is exported is what an erasure erases: after it there is nothing left to export", async () => {
    const key = await mint();
    const person = newPerson();
    await fillIn(protocol, key, person);
    const { all, call } = callsOf(protocol, key);
    expect(await all(person.phone)).not.toEqual([]);
    expect((await call("EraseRecipient", { recipient: person.phone })).body).toEqual({ erased: 2 });
    expect(await all(person.phone)).toEqual([]);
    // Erased as the second recipient of the verification; as a recipient, it is a person of its own.
    expect((await all(person.mail)).map(kindOf)).toEqual(["suppression"]);
    await call("EraseRecipient", { recipient: person.mail });
    expect(await all(person.mail)).toEqual([]);
  });

  test("erasing the second recipient of a verification erases both from it, and leaves what is stored of the first alone", async () => {
    const key = await mint();
    const person = newPerson();
    await fillIn(protocol, key, person);
    const { all, call } = callsOf(protocol, key);
    expect((await call("EraseRecipient", { recipient: person.mail })).body).toEqual({ erased: 1 });
    expect(await all(person.mail)).toEqual([]);
    const left = ["verification", "fixed_code", "suppression", "safe_list_entry", "lookup", "lookup"];
    expect((await all(person.phone)).map(kindOf)).toEqual(left);
  });

  test("a lookup that was answered is in the export, however short a time ago", async () => {
    const key = await mint({ scopes: ["verify", "lookup"] });
    await app.rest("PATCH", "/workspace", { session: account.session, body: { lookup_history: true } });
    const { all, call } = callsOf(protocol, key);
    const { phone } = newPerson();
    await call("LookupNumber", { number: phone });
    expect((await all(phone)).map(kindOf)).toEqual(["lookup"]);
  });

  test("each mode and each workspace is exported by itself, and only the exact address", async () => {
    const { mail } = newPerson();
    const [live, sandbox] = [await mint(), await mint({ mode: "test" })];
    const { session } = await signUp();
    const stranger = await mint({ session });
    const ids = [];
    for (const key of [live, sandbox, stranger]) {
      ids.push(await callsOf(protocol, key).start({ channel: "email", recipient: mail }));
    }
    await callsOf(protocol, live).start({ channel: "email", recipient: mail.replace("@", "+tag@") });
    for (const [index, key] of [live, sandbox, stranger].entries()) {
      const records = await callsOf(protocol, key).all(mail);
      expect(records.map(({ verification }) => verification.verification_id)).toEqual([ids[index]]);
    }
  });

  test("a key must name the scope verify, or have all", async () => {
    const { mail: recipient } = newPerson();
    const codeWith = async (scopes: readonly string[] | null) =>
      (await callsOf(protocol, await mint({ scopes })).call("ExportRecipient", { recipient })).code;
    expect([await codeWith(["verify"]), await codeWith(["*"])]).toEqual(["ok", "ok"]);
    expect([await codeWith(null), await codeWith(["reports", "lookup", "events"])]).toEqual([
      "insufficient_scope",
      "insufficient_scope",
    ]);
    const withSession = await protocol.call(app, "ExportRecipient", { recipient }, { session: account.session });
    expect(withSession.code).toBe("invalid_api_key");
    const malformed = await callsOf(protocol, await mint()).call("ExportRecipient", { recipient: "nobody" });
    expect([malformed.code, Object.keys(malformed.body.fields)]).toEqual(["validation_error", ["recipient"]]);
  });

  test("what was stored under an older master secret is exported, too", async () => {
    const [old, fresh] = ["the old secret which has thirty-two bytes", "the new secret which has thirty-two bytes"];
    await using before = await startTestApp({ ...settings, secrets: [old, fresh] });
    account = await signUp(before);
    const key = await mint({}, before);
    const { mail, phone } = newPerson();
    const first = await callsOf(protocol, key, before).start({ channel: "email", recipient: mail });
    await before.rest("POST", "/guard/safe-list", { session: account.session, body: { number: phone } });
    await before.app.close();
    await using after = await before.startAnother({ ...settings, secrets: [fresh, old] });
    const { all, start } = callsOf(protocol, key, after);
    const second = await start({ channel: "email", recipient: mail });
    const records = await all(mail, 1);
    expect(records.map(({ verification, recipients }) => [verification.verification_id, recipients])).toEqual([
      [second, [mail]],
      [first, [mail]],
    ]);
    expect((await all(phone)).map(({ recipients }) => recipients)).toEqual([[phone]]);
  });
});

/** The kind of records that an export has of each table that an erasure changes. */
const kindOfTable: Readonly<Record<string, (typeof kinds)[number]>> = {
  verification: "verification",
  // The deliveries of a verification.
  outbox: "verification",
  fixed_code: "fixed_code",
  suppression: "suppression",
  safe_list_entry: "safe_list_entry",
  lookup: "lookup",
};

test("every table that an erasure changes is among the records of an export, and every table with the index of a recipient is erased", async () => {
  const query = vi.spyOn(pg.Client.prototype, "query");
  const key = await mint();
  await app.rest("POST", "/verifications/erase", { key, body: { recipient: newPerson().mail } });
  const texts = (query.mock.calls as readonly unknown[][]).map(([config]) => (config as pg.QueryConfig).text ?? "");
  query.mockRestore();
  const text = texts.find((one) => one.includes("second_recipient_sealed = NULL")) ?? "";
  const changed = new Set([...text.matchAll(/\b(?:UPDATE|DELETE FROM) (\w+)/g)].map(([, table]) => String(table)));
  expect([...changed].toSorted()).toEqual(Object.keys(kindOfTable).toSorted());
  const client = new pg.Client({ connectionString: app.databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ table: string }>(`
    SELECT DISTINCT table_name AS table FROM information_schema.columns
    WHERE column_name IN ('recipient_index', 'second_recipient_index', 'number_index')`);
  await client.end();
  expect(rows.map(({ table }) => table).filter((table) => !changed.has(table))).toEqual([]);
});
