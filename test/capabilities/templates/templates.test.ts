/** Texts of a workspace's own replace the server's in its messages, and cannot do anything but be read. */
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type Config, parseConfig } from "../../../src/app.ts";
import { type SignedUp, useTestApp } from "../../support/app.ts";
import { limitsOf } from "../../support/limit-settings.ts";
import { protocols, type rpcs } from "../../support/protocols.ts";
import { verifyEmailOf } from "../../support/verified-email.ts";
import { SmtpSink } from "../channels/smtp-sink.ts";
import { goodHtml, goodPaymentHtml, goodTemplate, hostileTemplates } from "./hostile-templates.ts";

const sink = await SmtpSink.open();
const app = useTestApp({
  delivery: { ...parseConfig({}).delivery, smtp: { url: sink.url, from: "no-reply@acme.example" } },
  ...limitsOf({ DEFAULT_TIER: "unlimited", SIGN_UP_LIMIT: "1000" }),
} satisfies Partial<Config>);
afterAll(() => sink.close());

/** Of one pixel. */
const smallPng = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=";

let account: SignedUp;
let recipients = 0;
beforeEach(async () => {
  // So that the next account is not one too many.
  await app.time.advance({ seconds: 60 });
  account = await app.signUp();
});

const mint = async (scopes: readonly string[], mode: "live" | "test" = "test"): Promise<string> =>
  (await app.rest("POST", "/api-keys", { session: account.session, body: { name: mode, mode, scopes } })).body.key;

describe.each(protocols)("over $name", (protocol) => {
  let key: string;
  beforeEach(async () => {
    key = await mint(["templates", "verify"]);
  });
  const call = (name: keyof typeof rpcs, input: Record<string, unknown>) => protocol.call(app, name, input, { key });
  const put = async (input: Record<string, unknown>) => {
    const { code, body } = await call("PutTemplate", input);
    expect([code, body.fields]).toEqual(["ok", undefined]);
    return body;
  };
  /** Starts a verification in the sandbox, and returns its message from the inbox. */
  const messageOf = async (start: Record<string, unknown>) => {
    const recipient = start.channel === "email" ? `ada-${++recipients}@example.com` : start.recipient;
    const { code } = await call("StartVerification", { ...start, recipient });
    expect(code).toBe("ok");
    return vi.waitFor(
      async () => {
        const answer = await fetch(`${app.url}/dev/inbox`, {
          headers: { "X-API-Key": key, Accept: "application/json" },
        });
        const [message] = (await answer.json()).filter((each: { recipient: string }) => each.recipient === recipient);
        expect(message).toBeDefined();
        return message;
      },
      { timeout: 20_000 },
    );
  };

  test("a template is set, read, listed and deleted", async () => {
    const set = await put({ channel: "email", locale: "PT-br", ...goodTemplate, html: "<p>{{code}}</p>" });
    expect(set).toMatchObject({
      channel: "email",
      locale: "pt-BR",
      ...goodTemplate,
      html: "<p>{{code}}</p>",
      logo: null,
    });
    expect((await call("GetTemplate", { channel: "email", locale: "pt-br" })).body).toEqual(set);
    await put({ channel: "sms", locale: "default", text: "{{code}} is your {{brand}} code." });
    expect((await call("ListTemplates", {})).body.templates).toMatchObject([
      {
        channel: "email",
        locale: "pt-BR",
        subject: goodTemplate.subject,
        has_html: true,
        has_logo: false,
        segments: null,
      },
      { channel: "sms", locale: "default", subject: null, has_html: false, has_logo: false, segments: 1 },
    ]);
    const deleted = await call("DeleteTemplate", { channel: "email", locale: "pt-BR" });
    expect(deleted.body).toEqual({ channel: "email", locale: "pt-BR", deleted: true });
    for (const name of ["GetTemplate", "DeleteTemplate"] as const) {
      expect((await call(name, { channel: "email", locale: "pt-BR" })).code).toBe("not_found");
    }
  });

  test(`${hostileTemplates.length} hostile templates are refused, with the reason by field`, async () => {
    expect(hostileTemplates.length).toBeGreaterThanOrEqual(50);
    // What has no message cannot be sent over gRPC.
    const sendable = hostileTemplates.filter(({ channel }) => channel !== "whatsapp" || protocol.name === "REST");
    for (const { name, channel = "email", change, field, reason } of sendable) {
      const template = { channel, locale: "en", ...(channel === "email" ? goodTemplate : {}), ...change };
      for (const rpc of ["PutTemplate", "PreviewTemplate"] as const) {
        const { code, body } = await call(rpc, template);
        expect([name, code], JSON.stringify(body)).toEqual([name, "validation_error"]);
        expect([name, body.fields[field] ?? body.fields]).toEqual([name, expect.stringContaining(reason)]);
      }
    }
    expect((await call("ListTemplates", {})).body.templates).toEqual([]);
  });

  test("what designers write is accepted", async () => {
    for (const [index, html] of goodHtml.entries()) {
      const logo = html.includes("cid:logo") ? { logo: smallPng } : {};
      const template = { channel: "email", locale: "en", ...goodTemplate, html, ...logo };
      const { code, body } = await call("PutTemplate", template);
      expect([index, code, body.fields]).toEqual([index, "ok", undefined]);
    }
    const payment = { text: "{{code}} for {{amount}} to {{payee}}", html: goodPaymentHtml };
    await put({ channel: "email", locale: "en", ...payment });
    // A brand may stand at the beginning of a line, whatever it is called.
    await put({ channel: "sms", locale: "default", text: "{{brand}}: {{code}}" });
  });

  test("a message has the template of its locale, else of the language, else the default, else the server's text", async () => {
    const subjectFor = async (locale?: string) =>
      (await messageOf({ channel: "email", brand: "Acme", ...(locale === undefined ? {} : { locale }) })).subject;
    expect(await subjectFor("pt-BR")).not.toMatch(/^Own/);
    for (const locale of ["pt", "pt-BR", "he"]) {
      await put({ channel: "email", locale, subject: `Own ${locale} of {{brand}}`, text: "{{code}}" });
    }
    expect(await subjectFor("pt-BR")).toBe("Own pt-BR of Acme");
    expect(await subjectFor("pt-br-x-old")).toBe("Own pt-BR of Acme");
    expect(await subjectFor("pt-PT")).toBe("Own pt of Acme");
    expect(await subjectFor("iw")).toBe("Own he of Acme");
    expect(await subjectFor("fr")).not.toMatch(/^Own/);
    await put({ channel: "email", locale: "default", subject: "Own of {{brand}}", text: "{{code}}" });
    expect(await subjectFor("fr")).toBe("Own of Acme");
    expect(await subjectFor()).toBe("Own of Acme");
    await call("DeleteTemplate", { channel: "email", locale: "default" });
    expect(await subjectFor("fr")).not.toMatch(/^Own/);
  });

  test("where the server's text would be English, a message has the template of its locale, else the default, else the English one", async () => {
    const subjectFor = async (locale?: string) => {
      const { subject } = await messageOf({
        channel: "email",
        brand: "Acme",
        ...(locale === undefined ? {} : { locale }),
      });
      const { body } = await call("PreviewTemplate", { channel: "email", locale: locale ?? "default" });
      expect(body.subject).toBe(subject);
      return subject;
    };
    for (const locale of ["en", "en-GB", "sv"]) {
      await put({ channel: "email", locale, subject: `Own ${locale}`, text: "{{code}}" });
    }
    expect(await subjectFor()).toBe("Own en");
    expect(await subjectFor("nb-NO")).toBe("Own en");
    expect(await subjectFor("en-US")).toBe("Own en");
    expect(await subjectFor("en-GB")).toBe("Own en-GB");
    expect(await subjectFor("sv-SE")).toBe("Own sv");
    expect(await subjectFor("fr")).not.toMatch(/^Own/);
    await put({ channel: "email", locale: "default", subject: "Own default", text: "{{code}}" });
    expect(await subjectFor()).toBe("Own default");
    expect(await subjectFor("nb-NO")).toBe("Own default");
    expect(await subjectFor("fr")).toBe("Own default");
    expect(await subjectFor("en-US")).toBe("Own en");
  });

  test("names of the other direction are isolated in plain text, as they are in HTML", async () => {
    await put({ channel: "email", locale: "default", subject: "{{brand}}: x", text: "{{brand}}: {{code}}" });
    await put({ channel: "email", locale: "ar", subject: "رمز {{brand}}", text: "رمز {{brand}}: {{code}}" });
    const inEnglish = await messageOf({ channel: "email", brand: "بنك", locale: "en" });
    expect(inEnglish).toMatchObject({
      subject: "\u2068بنك\u2069: x",
      text: expect.stringContaining("\u2068بنك\u2069: 000000"),
      html: expect.stringContaining("<bdi>بنك</bdi>: <bdi>000000</bdi>"),
    });
    expect((await messageOf({ channel: "email", brand: "Acme", locale: "en" })).subject).toBe("Acme: x");
    expect((await messageOf({ channel: "email", brand: "Acme", locale: "ar" })).subject).toBe("رمز \u2068Acme\u2069");
  });

  test.each([
    ["zh-HK", ["zh-HK", "zh-TW", "zh-Hant"]],
    ["zh-TW", ["zh-TW", "zh-Hant"]],
    ["zh-Hant-MO", ["zh-Hant-MO", "zh-Hant", "zh-TW"]],
    ["zh-SG", ["zh-SG", "zh", "zh-CN", "zh-Hans"]],
    ["zh-Hans-HK", ["zh-Hans-HK", "zh-Hans", "zh", "zh-CN"]],
    ["pt-PT", ["pt-PT", "pt", "pt-BR"]],
  ])("Chinese and Portuguese of %s have the templates that their readers read", async (locale, wanted) => {
    const stored = ["zh", "zh-CN", "zh-Hans", "zh-TW", "zh-Hant", "pt", "pt-BR", ...wanted.slice(0, 1)];
    for (const each of new Set(stored)) {
      await put({ channel: "email", locale: each, subject: `Own ${each}`, text: "{{code}}" });
    }
    for (const best of wanted) {
      const { body } = await call("PreviewTemplate", { channel: "email", locale });
      expect(body).toMatchObject({ subject: `Own ${best}`, template_locale: best });
      await call("DeleteTemplate", { channel: "email", locale: best });
    }
    expect((await call("PreviewTemplate", { channel: "email", locale })).body.template_locale).toBeNull();
  });

  test("a payment has the template that names it, and a code without one has the other", async () => {
    await put({
      channel: "email",
      locale: "en",
      subject: "Own {{brand}}",
      text: "{{code}} for {{amount}} to {{payee}}",
    });
    const start = { channel: "email", brand: "Acme", locale: "en" };
    const payment = { payee: "<Books>", amount: { value: "249.9", currency: "EUR" } };
    const approval = await messageOf({ ...start, ...payment });
    expect(approval.text).toContain("000000 for €249.90 to <Books>");
    expect(approval.html).toContain("<bdi>&lt;Books&gt;</bdi>");
    expect((await messageOf(start)).subject).not.toMatch(/^Own/);
    await put({ channel: "email", locale: "en", subject: "Own {{brand}}", text: "{{code}}" });
    expect((await messageOf(start)).subject).toBe("Own Acme");
    expect((await messageOf({ ...start, ...payment })).subject).not.toMatch(/^Own/);
  });

  test("values are escaped at their place, and placeholders in them are not filled in", async () => {
    await put({
      channel: "email",
      locale: "default",
      subject: "{{brand}}",
      text: "{{brand}}\n\n{{ code }}\n\n{{minutes}}",
      html: '<table width="100%"><tr><td style="color: #123456"><b>{{brand}}</b> {{code}} &lt;for {{minutes}}&gt;<br></td></tr></table>',
    });
    const brand = `<b>"A" & {{code}}</b>`;
    const message = await messageOf({ channel: "email", brand, autofill_domain: "acme.example" });
    expect(message.subject).toBe(brand);
    expect(message.text).toContain(`${brand}\n\n000000\n\n5\n\n@acme.example #000000\n`);
    expect(message.html).toContain(
      '<table width="100%"><tr><td style="color: #123456"><b><bdi>&lt;b&gt;&quot;A&quot; &amp; {{code}}&lt;/b&gt;</bdi></b> <bdi>000000</bdi> &lt;for <bdi>5</bdi>&gt;<br></td></tr></table>',
    );
    expect(message.html).toContain(">@acme.example #000000</p>");
    expect(message.html).not.toMatch(/https?:|href=|@import|url\(/);
  });
});

test("a live mail carries its logo in itself, and each mode has templates of its own", async () => {
  await verifyEmailOf(app.databaseUrl, account.workspaceId);
  const { session } = account;
  const body = { subject: "Own {{brand}}", text: "Hello\n\n{{code}}\n\nBye", logo: smallPng, accent_color: "#102030" };
  expect((await app.rest("PUT", "/templates/email/default", { session, body })).status).toBe(200);
  const inSandbox = await app.rest("GET", "/templates", { session, headers: { "Byond-Mode": "test" } });
  expect(inSandbox.body.templates).toEqual([]);
  const live = await mint(["verify"], "live");
  const start = { channel: "email", recipient: "ada@example.com", brand: "Acme" };
  expect((await app.rest("POST", "/verify/start", { key: live, body: start })).status).toBe(201);
  const [mail] = await sink.received(1);
  expect(mail?.header("Subject")).toBe("Own Acme");
  expect(mail?.source).toMatch(/<img src="cid:logo" alt="Acme"/);
  expect(mail?.source).toMatch(/background-color: #102030; color: #ffffff;[^>]*>\d{6}<\/div>/);
  expect(mail?.source).toMatch(/Content-Type: image\/png; name=logo\.png.*Content-Id: <logo>/is);
});

test("a mail of a template has no line that mail servers cut, no entity in its subject, and a reference of its own", async () => {
  await verifyEmailOf(app.databaseUrl, account.workspaceId);
  const key = await mint(["templates", "verify"], "live");
  const before = (await sink.received(0)).length;
  const body = {
    subject: "{{brand}}'s <code>",
    text: "{{brand}} {{code}}",
    html: `<p>{{code}} ${"No line break: ".repeat(400)} {{brand}}</p>`,
  };
  expect((await app.rest("PUT", "/templates/email/default", { key, body })).status).toBe(200);
  for (const recipient of ["grace@example.com", "joan@example.com"]) {
    const start = { channel: "email", recipient, brand: "O'Neil & $& $1" };
    expect((await app.rest("POST", "/verify/start", { key, body: start })).status).toBe(201);
  }
  const mails = (await sink.received(before + 2)).slice(before);
  for (const mail of mails) {
    expect(mail.header("Subject")).toBe("O'Neil & $& $1's <code>");
    expect(Math.max(...mail.raw.split("\r\n").map((line) => line.length))).toBeLessThanOrEqual(998);
  }
  expect(new Set(mails.map((mail) => mail.header("X-Entity-Ref-ID"))).size).toBe(2);
});

test("what one server stores is in the next message of another, and of a hundred templates none is one too many", async () => {
  await using there = await app.startAnother();
  const key = await mint(["templates", "verify"]);
  const sent = async () => {
    const recipient = `ada-${++recipients}@example.com`;
    const body = { channel: "email", recipient, brand: "Acme" };
    expect((await there.rest("POST", "/verify/start", { key, body })).status).toBe(201);
    return (await there.messageTo(recipient)).subject;
  };
  for (const subject of ["First", "Second"]) {
    expect(await sent()).not.toBe(subject);
    const body = { subject, text: "{{code}}" };
    expect((await app.rest("PUT", "/templates/email/default", { key, body })).status).toBe(200);
    expect(await sent()).toBe(subject);
  }
  await app.rest("DELETE", "/templates/email/default", { key });
  expect(await sent()).not.toBe("Second");
  const locales = Array.from({ length: 104 }, (_, index) => `en-x-a${index}`);
  const put = (locale: string, index: number) =>
    [app, there][index % 2]?.rest("PUT", `/templates/sms/${locale}`, { key, body: { text: "{{code}}" } });
  // A few at a time: each waits for the one before it.
  const answers: Awaited<ReturnType<typeof put>>[] = [];
  for (let first = 0; first < locales.length; first += 8) {
    answers.push(...(await Promise.all(locales.slice(first, first + 8).map(put))));
  }
  expect(answers.filter((answer) => answer?.status === 200).length).toBe(100);
  expect(answers.filter((answer) => answer?.body.error?.code === "limit_reached").length).toBe(4);
});
