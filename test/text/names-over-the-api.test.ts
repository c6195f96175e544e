/** Rules for the names of accounts, workspaces, brands and keys, over the API. */
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "../../src/app.ts";
import { isolateIn } from "../../src/capabilities/channels/texts/bidi.ts";
import { decodeWords } from "../capabilities/channels/decode-words.ts";
import { SmtpSink } from "../capabilities/channels/smtp-sink.ts";
import { password, type SignedUp, startTestApp, type TestApp } from "../support/app.ts";
import { type Protocol, protocols } from "../support/protocols.ts";
import { addressAttacks } from "./disguised-addresses.ts";
import { realBrands } from "./real-brand-names.ts";

let sink: SmtpSink;
let app: TestApp;
let owner: SignedUp;
let key: string;
beforeAll(async () => {
  sink = await SmtpSink.open();
  const smtp = { url: sink.url, from: "no-reply@byond.example" };
  app = await startTestApp({ delivery: { ...parseConfig({}).delivery, smtp } });
  owner = await app.signUp();
  await onDatabase("UPDATE account SET email_verified_at = now(), ends_at = NULL");
  key = (await app.rest("POST", "/api-keys", { session: owner.session, body: { name: "a key" } })).body.key;
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await sink.close();
});

async function onDatabase(text: string, values: readonly unknown[] = []) {
  const client = new Client({ connectionString: app.databaseUrl });
  await client.connect();
  try {
    return await client.query(text, [...values]);
  } finally {
    await client.end();
  }
}

/** The mail of a verification, as a mail program shows it. */
async function mailOf(brand: string | undefined) {
  const recipient = `${crypto.randomUUID()}@example.com`;
  const before = sink.mails.length;
  const body = { channel: "email", recipient, ...(brand === undefined ? {} : { brand }) };
  const { status, body: answer } = await app.rest("POST", "/verify/start", { key, body });
  expect(answer.error).toBeUndefined();
  expect(status).toBe(201);
  for (let count = before + 1; ; count += 1) {
    const mail = (await sink.received(count)).at(count - 1);
    if (mail?.to.includes(recipient)) {
      return { subject: decodeWords(mail.header("Subject")), source: mail.source };
    }
  }
}

test("every real brand name of at most forty characters is in the mail's subject unchanged, those from right to left isolated", async () => {
  for (const brand of realBrands) {
    expect((await mailOf(brand)).subject).toBe(`Your ${isolateIn("ltr", brand)} verification code`);
  }
});

test.each([
  ["  Acme  ", "Acme"],
  ["\u3000Acme\u00a0\u2003Inc.\u2009", "Acme Inc."],
])("blanks around a brand, and more than one in it, do not reach the mail: %j", async (brand, shown) => {
  const { subject, source } = await mailOf(brand);
  expect(subject).toBe(`Your ${shown} verification code`);
  expect(source).toContain(`Your ${shown} code`);
});

test.each([
  ["  Umbrella  Corp. ", "Umbrella Corp."],
  ["=?utf-8?q?evil=2Ecom=2Flogin?=", "utf 8 q evil 2Ecom 2Flogin"],
  ["acme․com/login", "acme com login"],
  ["\u202e//evil.com", "evil com"],
])("an account that was called %j before names were checked is %j in mails", async (name, shown) => {
  await onDatabase("UPDATE workspace SET name = $1 WHERE id = $2", [name, owner.workspaceId]);
  // Every server reads the key anew.
  const { session } = owner;
  await app.rest("PATCH", "/workspace", { session, body: { ip_allowlist: ["0.0.0.0/0", "::/0"] } });
  expect((await mailOf(undefined)).subject).toBe(`Your ${shown} verification code`);
});

describe.each(protocols)("over $name", (protocol: Protocol) => {
  const refusalOf = async (rpc: Parameters<Protocol["call"]>[1], input: Record<string, unknown>) => {
    const { code, body } = await protocol.call(app, rpc, input, { session: owner.session });
    return code === "validation_error" ? body.fields : code;
  };
  const address = "must not contain a web address";
  /** What changes is the whole body over REST. */
  const within = (message: string) => (protocol.name === "REST" ? "" : `${message}.`);

  test("a name with a disguised address is refused as a brand, an account or a workspace", async () => {
    const through: string[] = [];
    // `display-name-rules.test.ts` has each of them refused; here it is that each of the three names is checked.
    for (const name of addressAttacks.filter((_, index) => index % 10 === 0)) {
      const start = { channel: "email", recipient: "ada@example.com", brand: name };
      const brand = await protocol.call(app, "StartVerification", start, { key });
      const signUp = await refusalOf("SignUp", { email: "ada@example.com", password, name });
      const workspace = await refusalOf("UpdateWorkspace", { name });
      const refusals = [brand.body.fields, signUp, workspace];
      const expected = [{ brand: address }, { name: address }, { [`${within("workspace")}name`]: address }];
      if (JSON.stringify(refusals) !== JSON.stringify(expected)) {
        through.push(`${name}: ${JSON.stringify(refusals)}`);
      }
    }
    expect(through).toEqual([]);
  });

  test("a name in which something cannot be seen is refused as a brand, a payee, an account or a workspace", async () => {
    const problem = "must not contain invisible characters, or marks over others";
    for (const name of ["Ac\u3164me", "Acme\ufe0f", "Ac\u034fme", "Ac\u2800me", "A\u0336cme"]) {
      const start = { channel: "email", recipient: "ada@example.com", brand: name };
      const payment = { payee: name, amount: { value: "1", currency: "EUR" } };
      const started = await protocol.call(app, "StartVerification", { ...start, ...payment }, { key });
      expect(started.body.fields).toEqual({ brand: problem, payee: problem });
      expect(await refusalOf("SignUp", { email: "ada@example.com", password, name })).toEqual({ name: problem });
      expect(await refusalOf("UpdateWorkspace", { name })).toEqual({ [`${within("workspace")}name`]: problem });
    }
    for (const name of ["Ac\u200bme", "Acme\u00ad", "Acme\u{e0041}"]) {
      const start = { channel: "email", recipient: "ada@example.com", brand: name };
      const started = await protocol.call(app, "StartVerification", start, { key });
      expect(started.body.fields).toEqual({ brand: "must not contain control characters" });
    }
    for (const name of ["دیجی\u200cکالا", "क्\u200dयोर", "👩\u200d💻 Ada", "I ❤\ufe0f NY"]) {
      const start = { channel: "email", recipient: `${crypto.randomUUID()}@example.com`, brand: name };
      const payment = { payee: name, amount: { value: "1", currency: "EUR" } };
      expect((await protocol.call(app, "StartVerification", { ...start, ...payment }, { key })).code).toBe("ok");
    }
  });

  test.each([
    [" ", "must not be blank"],
    ["\u3164", "must not be blank"],
    ["a\nb", "must not contain control characters"],
    ["a\u001b[31mb", "must not contain control characters"],
    ["\u202eyek", "must not contain control characters"],
  ])("%j is refused as the name of a key", async (name, problem) => {
    const made = (await protocol.call(app, "CreateApiKey", { name: "ok" }, { session: owner.session })).body;
    expect(await refusalOf("CreateApiKey", { name })).toEqual({ name: problem });
    expect(await refusalOf("UpdateApiKey", { id: made.id, name })).toEqual({ [`${within("api_key")}name`]: problem });
    expect(await refusalOf("UpdateWorkspace", { name })).toEqual({ [`${within("workspace")}name`]: problem });
    expect(await refusalOf("SignUp", { email: "ada@example.com", password, name })).toEqual({ name: problem });
  });

  test("the reason for a revocation is a single line", async () => {
    const made = (await protocol.call(app, "CreateApiKey", { name: "ok" }, { session: owner.session })).body;
    const problem = { reason: "must not contain control characters" };
    expect(await refusalOf("RevokeApiKey", { id: made.id, reason: "leaked\r\nok" })).toEqual(problem);
    expect(await refusalOf("RevokeApiKey", { id: made.id, reason: "leaked in CI: https://ci.example/7" })).toBe("ok");
  });

  test("the name of a key may contain a web address: only its owner sees it", async () => {
    expect(await refusalOf("CreateApiKey", { name: "https://ci.example.com/jobs?id=7" })).toBe("ok");
  });
});
