/** `POST /email/verify`: what is known of an address, over REST and gRPC, from a DNS server of the test's own. */
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EmailProblem, EmailService, MailDomainStatus } from "../../../gen/byond/v1/email_pb.ts";
import { suggestDomain } from "../../../src/capabilities/email-lookup/suggest-domain.ts";
import { startTestApp, type TestApp } from "../../support/app.ts";
import { DnsServer, record } from "./dns-server.ts";

let dns: DnsServer;
let app: TestApp;
let key: string;
beforeAll(async () => {
  const exchange = { preference: 10, exchange: "mx.mail.example" };
  const takesMail = ["mail.example", "gmail.com", "mailinator.com", "xn--bcher-kva.example"];
  dns = await DnsServer.start(Object.fromEntries(takesMail.map((name) => [name, [record(name, "MX", exchange)]])));
  app = await startTestApp({ emailDns: { isOn: true, servers: [dns.address] } });
  key = await app.mintKey({ scopes: ["email"] });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await dns[Symbol.asyncDispose]();
});

const lookUp = async (email: string) => (await app.rest("POST", "/email/verify", { key, body: { email } })).body;

const ordinary = {
  valid: true,
  reason: null,
  domain_status: "accepts_mail",
  mail_server: "mx.mail.example",
  needs_smtputf8: false,
  role: false,
  free_provider: false,
  disposable: false,
  suggestion: null,
};

test("an ordinary address", async () => {
  expect(await lookUp(" Ada@Mail.example ")).toEqual({
    ...ordinary,
    input: " Ada@Mail.example ",
    email: "ada@mail.example",
    domain: "mail.example",
  });
});

test.each([
  ["Support+shop@mail.example", { role: true, email: "support+shop@mail.example" }],
  ["ada@gmail.com", { free_provider: true, disposable: false }],
  ["ada@mailinator.com", { disposable: true, free_provider: false }],
  ["ada@deep.below.mailinator.com", { disposable: true, domain_status: "not_found", mail_server: null }],
  ["josé@bücher.example", { needs_smtputf8: true, email: "josé@xn--bcher-kva.example", domain_status: "accepts_mail" }],
  ["ada@gmial.com", { suggestion: "ada@gmail.com", domain_status: "not_found" }],
])("%s", async (email, expected) => {
  expect(await lookUp(email)).toMatchObject({ valid: true, ...expected });
});

test.each([
  ["ada", "no_at_sign"],
  [`ada@${"a".repeat(300)}`, "too_long"],
  [`${"a".repeat(65)}@mail.example`, "too_long"],
  [`${"a".repeat(64)}@${"é.".repeat(28)}example`, "too_long"],
  ['"ada lovelace"@mail.example', "invalid_local_part"],
  ["ada..lovelace@mail.example", "invalid_local_part"],
  ["@mail.example", "invalid_local_part"],
  ["ada@localhost", "invalid_domain"],
  ["ada@[192.0.2.1]", "invalid_domain"],
  ["ada@mail_1.example", "invalid_domain"],
])("%j is no address: %s", async (email, reason) => {
  const asked = dns.questions.length;
  expect(await lookUp(email)).toEqual({
    input: email,
    valid: false,
    reason,
    email: null,
    domain: null,
    domain_status: "unknown",
    mail_server: null,
    needs_smtputf8: false,
    role: false,
    free_provider: false,
    disposable: false,
    suggestion: null,
  });
  expect(dns.questions.length).toBe(asked);
});

test("the same over gRPC", async () => {
  const client = createClient(EmailService, createGrpcTransport({ baseUrl: app.url }));
  const call = { headers: { "X-API-Key": key } };
  expect(await client.lookupEmail({ email: "ada@mail.example" }, call)).toMatchObject({
    valid: true,
    email: "ada@mail.example",
    domainStatus: MailDomainStatus.ACCEPTS_MAIL,
    mailServer: "mx.mail.example",
  });
  expect(await client.lookupEmail({ email: "ada@" }, call)).toMatchObject({ reason: EmailProblem.INVALID_DOMAIN });
});

test("it takes the scope `email`, and an address", async () => {
  const other = await app.mintKey({ scopes: ["lookup"] });
  const body = { email: "ada@mail.example" };
  expect((await app.rest("POST", "/email/verify", { key: other, body })).body.error.code).toBe("insufficient_scope");
  expect((await app.rest("POST", "/email/verify", { body })).status).toBe(401);
  for (const wrong of [{}, { email: "" }, { email: "a".repeat(321) }, { email: 1 }, { email: "a@b.example", x: 1 }]) {
    expect((await app.rest("POST", "/email/verify", { key, body: wrong })).body.error.code).toBe("validation_error");
  }
  expect(app.logLines.join("\n")).not.toContain("ada@mail.example");
});

test("with EMAIL_DNS=off nobody is asked", async () => {
  await using off = await app.startAnother({ emailDns: { isOn: false, servers: [dns.address] } });
  const asked = dns.questions.length;
  const { body } = await off.rest("POST", "/email/verify", { key, body: { email: "ada@elsewhere.example" } });
  expect(body).toMatchObject({ valid: true, domain_status: "unknown", mail_server: null });
  expect(dns.questions.length).toBe(asked);
});

describe("typing mistakes", () => {
  test.each([
    ["gmial.com", "gmail.com"],
    ["gmal.com", "gmail.com"],
    ["gmaill.com", "gmail.com"],
    ["gnail.com", "gmail.com"],
    ["gmail.co", "gmail.com"],
    ["gmail.con", "gmail.com"],
    ["hotmial.com", "hotmail.com"],
    ["yahooo.com", "yahoo.com"],
    ["outlok.com", "outlook.com"],
    ["icloud.cm", "icloud.com"],
    ["acme.con", "acme.com"],
  ])("%s → %s", (domain, meant) => {
    expect(suggestDomain(domain)).toBe(meant);
  });

  test.each(
    "gmail.com aon.com bol.com man.com mtn.com love.com mailo.com mailw.com 263.com gmx.com gmx.de email.com mail.com mac.com me.com hotmail.fi yahoo.fi gmx.at ymail.com hotmail.it hotmail.de yahoo.ca wp.pl qq.com acme.co acme.io proton.me"
      .split(" ")
      .map((domain) => [domain]),
  )("%s is no mistake", (domain) => {
    expect(suggestDomain(domain)).toBeUndefined();
  });
});
