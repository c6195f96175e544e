import type { SMTPServerOptions } from "smtp-server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createEmailChannel, type EmailOptions } from "../../../src/capabilities/channels/email/email.ts";
import type { Channel } from "../../../src/capabilities/channels/outgoing-message.ts";
import { decodeWords } from "./decode-words.ts";
import { codeMessage, fixedNow } from "./messages.ts";
import { SmtpSink, smtpError } from "./smtp-sink.ts";

const clock = { now: () => fixedNow };
let sink: SmtpSink;
let channel: Channel;

beforeEach(async () => {
  sink = await SmtpSink.open();
  channel = connect();
});
afterEach(async () => {
  channel.close?.();
  await sink.close();
});

function connect(options: Partial<EmailOptions> = {}): Channel {
  const base = { url: sink.url, from: "Acme <no-reply@acme.example>", maxConnections: 2 };
  return createEmailChannel({ ...base, ...options }, clock);
}

function send(message = codeMessage(), signal = new AbortController().signal) {
  return channel.send(message, { idempotencyKey: "dlv_1", signal });
}

describe("a mail", () => {
  test("arrives with its headers, its texts and nothing of the code in its subject", async () => {
    expect(await send()).toEqual({ kind: "sent", providerMessageId: "<dlv_1@acme.example>" });
    const [mail] = await sink.received(1);
    expect(mail).toMatchObject({ from: "no-reply@acme.example", to: ["jane@example.com"] });
    const source = mail?.source ?? "";
    const [headers = ""] = source.split("\r\n\r\n");
    expect(headers).toContain("From: Acme <no-reply@acme.example>");
    expect(headers).toContain("To: jane@example.com");
    expect(headers).toContain("Subject: Your Acme verification code");
    expect(headers).toContain("Message-ID: <dlv_1@acme.example>");
    expect(headers).toContain("Auto-Submitted: auto-generated");
    expect(headers).toContain("X-Entity-Ref-ID: dlv_1");
    expect(headers).not.toContain("493817");
    expect(source).toContain("text/plain");
    expect(source).toContain("text/html");
    expect(source.match(/493817/g)).toHaveLength(2);
  });

  test.each([
    "=?utf-8?q?evil=2Ecom=2Flogin?=",
    "=?UTF-8?B?ZXZpbC5jb20vbG9naW4=?=",
    "Acme =?utf-8?q?evil=2Ecom=2Flogin?= and more",
    "=?utf-8?q?e?= =?utf-8?q?vil.com?=",
    "=?utf-8*en?q?evil?=",
    "=?x?Q?a b?=",
    "=?utf-8?q?Müller?=",
    `=?utf-8?q?${"a".repeat(60)}?=`,
    "=?",
    "Müller & Söhne",
    '"Acme"',
    "株式会社",
    "👩‍💻 Ada's Code",
    "Acme",
  ])("has the very brand in its subject, once it was decoded: %j", async (brand) => {
    await send(codeMessage({ brand }));
    const [mail] = await sink.received(1);
    const subject = mail?.header("Subject") ?? "";
    expect(subject).toMatch(/^[\x20-\x7e]+$/);
    expect(decodeWords(subject)).toBe(`Your ${brand} verification code`);
  });

  test("has a Reply-To if MAIL_REPLY_TO is set", async () => {
    channel.close?.();
    channel = connect({ replyTo: "help@acme.example" });
    await send();
    const [mail] = await sink.received(1);
    expect(mail?.source).toContain("Reply-To: help@acme.example");
  });

  test("goes to one mailbox, even if the address has commas or brackets", async () => {
    await send(codeMessage({ recipient: '"a,b"@example.com' }));
    const [mail] = await sink.received(1);
    expect(mail?.to).toEqual(['"a,b"@example.com']);
  });

  test("has no headers injected by the brand", async () => {
    await send(codeMessage({ brand: "Acme\r\nBcc: eve@example.com" }));
    const [mail] = await sink.received(1);
    expect(mail?.to).toEqual(["jane@example.com"]);
    expect(mail?.source.split("\r\n\r\n")[0]).not.toMatch(/^Bcc:/m);
  });

  test("reuses a connection", async () => {
    for (let count = 0; count < 5; count += 1) {
      await send();
    }
    expect(sink.mails).toHaveLength(5);
    expect(sink.connections).toBe(1);
  });
});

describe("an address with letters beyond ASCII", () => {
  const josé = codeMessage({ recipient: "josé@example.com" });
  const reopen = async (options: SMTPServerOptions) => {
    channel.close?.();
    await sink.close();
    sink = await SmtpSink.open(options);
    channel = connect();
  };

  test("is sent unchanged if the mail server offers SMTPUTF8", async () => {
    expect(await send(josé)).toMatchObject({ kind: "sent" });
    expect(sink.mails[0]?.to).toEqual(["josé@example.com"]);
  });

  test("is never sent to a mail server without SMTPUTF8: the delivery fails with that reason", async () => {
    const recipients: string[] = [];
    await reopen({ hideSMTPUTF8: true });
    sink.behaviour.onRecipient = (address) => void recipients.push(address);
    expect(await send(josé)).toEqual({
      kind: "failed",
      reason: "the mail server takes no addresses with letters beyond ASCII (it does not offer SMTPUTF8)",
      provider: "works",
    });
    expect(await send()).toMatchObject({ kind: "sent" });
    expect(await send(codeMessage({ recipient: "ada@xn--bcher-kva.example" }))).toMatchObject({ kind: "sent" });
    // The sink shows domains as they are read.
    expect(recipients).toEqual(["jane@example.com", "ada@bücher.example"]);
  });

  test("is not sent as the sender's either; the sender's display name may have any letters", async () => {
    await reopen({ hideSMTPUTF8: true });
    channel.close?.();
    channel = connect({ from: "Müller <josé@acme.example>" });
    expect(await send()).toMatchObject({ kind: "failed", reason: expect.stringContaining("SMTPUTF8") });
    channel.close?.();
    channel = connect({ from: "Müller <no-reply@acme.example>" });
    expect(await send()).toMatchObject({ kind: "sent" });
  });

  test("is retried like any other if the mail server is down or the attempt is aborted", async () => {
    const given = new AbortController();
    given.abort(new Error("given up"));
    expect(await send(josé, given.signal)).toMatchObject({ kind: "retry" });
    await sink.close();
    expect(await send(josé)).toEqual({
      kind: "retry",
      reason: "the mail server cannot be reached",
      provider: "fails",
    });
  });
});

describe("a mail server that", () => {
  test("refuses the recipient (550) fails the delivery", async () => {
    sink.behaviour.onRecipient = () => {
      throw smtpError(550, "5.1.1 jane@example.com unknown");
    };
    expect(await send()).toEqual({
      kind: "failed",
      reason: "the mail server answered 550 5.1.1 to RCPT TO",
      undeliverable: true,
      provider: "works",
    });
  });

  test("greylists (451) is tried again later", async () => {
    sink.behaviour.onRecipient = () => {
      throw smtpError(451, "4.7.1 come back");
    };
    expect(await send()).toEqual({
      kind: "retry",
      reason: "the mail server answered 451 4.7.1 to RCPT TO",
      provider: "works",
    });
    sink.behaviour = {};
    expect(await send()).toMatchObject({ kind: "sent" });
  });

  test("refuses the content (554) fails the delivery", async () => {
    sink.behaviour.onReceived = () => {
      throw smtpError(554, "5.7.1 493817 looks like spam");
    };
    expect(await send()).toEqual({
      kind: "failed",
      reason: "the mail server answered 554 5.7.1 to DATA",
      provider: "works",
    });
  });

  test("disconnects in the middle of the message is tried again later, not by nodemailer itself", async () => {
    let tries = 0;
    sink.behaviour.onData = (destroy) => {
      tries += 1;
      destroy();
    };
    expect(await send()).toEqual({
      kind: "retry",
      reason: "the mail server closed the connection",
      provider: "fails",
      mayBeSent: true,
    });
    expect(tries).toBe(1);
    expect(sink.mails).toHaveLength(0);
  });

  test("is down is tried later", async () => {
    await sink.close();
    expect(await send()).toEqual({
      kind: "retry",
      reason: "the mail server cannot be reached",
      provider: "fails",
    });
  });

  test("closed an idle connection is reached over a new one", async () => {
    await send();
    const { port } = sink;
    await sink.close();
    sink = await SmtpSink.open({}, port);
    expect(await send()).toMatchObject({ kind: "sent" });
    expect(sink.mails).toHaveLength(1);
  });

  test("refuses our credentials is tried later, and the reason does not contain them", async () => {
    await sink.close();
    sink = await SmtpSink.open({
      authOptional: false,
      authMethods: ["PLAIN"],
      allowInsecureAuth: true,
      onAuth: (_auth, _session, callback) => callback(smtpError(535, "no user byond with hunter2")),
    });
    channel.close?.();
    channel = connect({ url: `smtp://byond:hunter2@127.0.0.1:${sink.port}?ignoreTLS=true` });
    expect(await send()).toEqual({
      kind: "retry",
      reason: "the mail server refused the credentials (535)",
      provider: "fails",
    });
  });

  test("does not offer TLS gets nothing where TLS is required", async () => {
    await sink.close();
    sink = await SmtpSink.open({ disabledCommands: ["STARTTLS"] });
    channel.close?.();
    channel = connect({ url: `smtp://127.0.0.1:${sink.port}?requireTLS=true` });
    expect(await send()).toMatchObject({ kind: "retry", provider: "fails" });
    expect(sink.mails).toHaveLength(0);
  });

  test("speaks no TLS on an smtps:// URL is reported as that, not as unreachable", async () => {
    channel.close?.();
    channel = connect({ url: `smtps://127.0.0.1:${sink.port}` });
    expect(await send()).toEqual({
      kind: "retry",
      reason: expect.stringMatching(/^no TLS with the mail server: ERR_SSL_[A-Z_]+$/),
      provider: "fails",
    });
  });

  test("has an untrusted certificate gets nothing, unless the URL allows it", async () => {
    channel.close?.();
    channel = connect({ url: `smtp://127.0.0.1:${sink.port}` });
    expect(await send()).toEqual({
      kind: "retry",
      reason: expect.stringMatching(/^the mail server's certificate is not valid: [A-Z_]*CERT[A-Z_]*$/),
      provider: "fails",
    });
    expect(sink.mails).toHaveLength(0);

    channel.close?.();
    channel = connect({ url: `smtp://127.0.0.1:${sink.port}?tls.rejectUnauthorized=false` });
    expect(await send()).toMatchObject({ kind: "sent" });
  });
});

test("an aborted attempt sends nothing, even if the server was about to accept it", async () => {
  const abort = new AbortController();
  let reachData = () => {};
  const atData = new Promise<void>((resolve) => {
    reachData = resolve;
  });
  let goOn = () => {};
  sink.behaviour.onRecipient = () => {
    reachData();
    return new Promise<void>((resolve) => {
      goOn = resolve;
    });
  };
  const sending = send(codeMessage(), abort.signal);
  await atData;
  abort.abort();
  expect(await sending).toMatchObject({ kind: "retry" });
  goOn();
  sink.behaviour = {};
  await send(codeMessage({ recipient: "second@example.com" }));
  expect(sink.mails.map((mail) => mail.to)).toEqual([["second@example.com"]]);
});
