/** `refuse`: what email lookup says of a recipient, before a code is sent. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestApp, type TestApp } from "../../support/app.ts";
import { DnsServer, record } from "../email-lookup/dns-server.ts";

let dns: DnsServer;
let app: TestApp;
let key: string;
beforeAll(async () => {
  const exchange = { preference: 10, exchange: "mx.mail.example" };
  dns = await DnsServer.start({
    "mail.example": [record("mail.example", "MX", exchange)],
    "mailinator.com": [record("mailinator.com", "MX", exchange)],
    "null.example": [record("null.example", "MX", { preference: 0, exchange: "." })],
    "broken.example": "SERVFAIL",
  });
  app = await startTestApp({ emailDns: { isOn: true, servers: [dns.address] } });
  key = await app.mintKey({ mode: "test" });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await dns[Symbol.asyncDispose]();
});

const start = (body: object) => app.rest("POST", "/verify/start", { key, body: { channel: "email", ...body } });
const all = ["no_mail", "disposable", "role"];

test.each([
  ["ada@null.example", "is at a domain that takes no mail"],
  ["ada@nowhere.example", "is at a domain that takes no mail"],
  ["ada@mailinator.com", "is at a domain for addresses that are thrown away"],
  ["info@mail.example", "belongs to a task and not to a person"],
])("%s is refused: it %s", async (recipient, problem) => {
  const { status, body } = await start({ recipient, refuse: all });
  expect(status).toBe(422);
  expect(body.error).toMatchObject({ code: "validation_error", fields: { recipient: problem } });
  const list = await app.rest("GET", `/verifications?recipient=${recipient}`, { key });
  expect(list.body.verifications).toEqual([]);
});

test.each([
  ["an ordinary address", { recipient: "ada@mail.example", refuse: all }],
  ["a domain of which nothing is known", { recipient: "ada@broken.example", refuse: all }],
  ["what the call does not name", { recipient: "info@mailinator.com", refuse: ["no_mail"] }],
  ["a call that names nothing", { recipient: "info@null.example" }],
])("%s is not refused", async (_, body) => {
  expect((await start(body)).status).toBe(201);
});

test("a step of the fallback is refused, too; a phone number is not", async () => {
  const fallback = [{ channel: "email", recipient: "ada@null.example", after_seconds: 30 }];
  const body = { channel: "whatsapp", recipient: "+6591234567", fallback, refuse: ["no_mail"] };
  expect((await start(body)).body.error.fields).toEqual({
    "fallback[0].recipient": "is at a domain that takes no mail",
  });
  expect((await start({ channel: "whatsapp", recipient: "+6591234567", refuse: all })).status).toBe(201);
});

test("nobody is asked by calls that refuse nothing", async () => {
  const asked = dns.questions.length;
  await start({ recipient: "ada@other.example" });
  expect(dns.questions.length).toBe(asked);
});
