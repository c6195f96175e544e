import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { parseConfig } from "../../src/app.ts";
import { BounceReader } from "../../src/capabilities/bounces/bounce-reader.ts";
import { parseBouncesUrl } from "../../src/capabilities/bounces/bounces-url.ts";
import { Database } from "../../src/database/database.ts";
import { reportForms } from "../capabilities/bounces/report-forms.ts";
import { SmtpSink } from "../capabilities/channels/smtp-sink.ts";
import { missingOf } from "../clients/toolchains.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { connectionTo } from "../support/database-address.ts";
import { captureLog } from "../support/log-capture.ts";
import { standardSchema } from "../support/schema.ts";
import { verifyEmailOf } from "../support/verified-email.ts";
import { Dovecot } from "./dovecot.ts";

const missing = missingOf(["dovecot"]);

/** Mail that came back, in a mailbox of Dovecot: from the start of a verification to the refusal of the next one. */
describe.skipIf(missing !== undefined)(`over IMAP to Dovecot${missing === undefined ? "" : `: no ${missing}`}`, () => {
  const resources = new AsyncDisposableStack();
  const log = captureLog();
  let dovecot: Dovecot;
  let sink: SmtpSink;
  let app: TestApp;
  let database: Database;
  let key: string;
  let recipients = 0;

  beforeAll(async () => {
    dovecot = resources.use(await Dovecot.start());
    sink = await SmtpSink.open();
    resources.defer(() => sink.close());
    const smtp = { url: sink.url, from: "Acme <no-reply@acme.example>", bouncesTo: "bounces@acme.example" };
    app = resources.use(await startTestApp({ delivery: { ...parseConfig({}).delivery, smtp } }));
    const { session, workspaceId } = await app.signUp();
    await verifyEmailOf(app.databaseUrl, workspaceId);
    key = (await app.rest("POST", "/api-keys", { session, body: { name: "live" } })).body.key;
    const connection = await connectionTo(app.databaseUrl);
    database = await Database.open({ connection, logger: log.logger, ...standardSchema });
    resources.defer(() => database.close());
  });

  afterAll(() => resources.disposeAsync());

  /** What reads the mailbox in a server, without its timer. */
  function reader(serverId: string, url: string): BounceReader & AsyncDisposable {
    const events = { committed: () => undefined };
    const address = parseBouncesUrl(url);
    const made = new BounceReader({ database, clock: app.time, logger: log.logger, events, serverId, address });
    return Object.assign(made, { [Symbol.asyncDispose]: () => made.stop() });
  }

  const start = (recipient: string) =>
    app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient } });
  const deliveryOf = async (id: string) => (await app.rest("GET", `/verify/${id}`, { key })).body.deliveries[0];

  /** Starts a verification whose mail comes back in this form. */
  async function bounced(form: keyof typeof reportForms) {
    recipients += 1;
    const recipient = `ada-${recipients}@example.com`;
    const { status, body } = await start(recipient);
    expect(status).toBe(201);
    const id: string = body.verification_id;
    await vi.waitFor(async () => expect((await deliveryOf(id)).status).toBe("sent"), 10_000);
    const mail = sink.mails.find(({ to }) => to.includes(recipient));
    await dovecot.deliver(reportForms[form]?.(mail?.header("Message-ID") ?? "", recipient) ?? "");
    return { id, recipient };
  }

  /** The mail failed, and its recipient gets no other one. */
  async function expectUndeliverable({ id, recipient }: { readonly id: string; readonly recipient: string }) {
    expect(await deliveryOf(id)).toMatchObject({ status: "failed", error: expect.stringMatching(/came back: 5\.1\./) });
    const { status, body } = await start(recipient);
    expect([status, body.error?.code]).toEqual([422, "undeliverable"]);
  }

  test("a server reads over imaps what came back in every form, and marks it as seen; other mail is left alone", async () => {
    await dovecot.deliver("From: somebody@example.com\r\nSubject: Hello\r\n\r\nHello");
    const all = await Promise.all(Object.keys(reportForms).map(bounced));
    await using server = await app.startAnother({ bounces: parseBouncesUrl(dovecot.url("imaps")) });
    await vi.waitFor(() => expect(server.logLines.join()).toContain('"event":"bounces_recorded","count":5'), 10_000);
    for (const each of all) {
      await expectUndeliverable(each);
    }
    expect((await dovecot.flags()).toSorted()).toEqual([[], ...all.map(() => ["\\Seen"])]);
  });

  test("over STARTTLS, the password is sent encrypted", async () => {
    const before = dovecot.logins.length;
    const one = await bounced("Postfix");
    await using starttls = reader("starttls", dovecot.url("imap"));
    await starttls.poll();
    await expectUndeliverable(one);
    expect(dovecot.logins.length).toBeGreaterThan(before);
    expect(dovecot.logins.filter((line) => !/, TLS,/.test(line))).toEqual([]);
  });

  test("a certificate that nobody vouches for is refused unless the URL allows it", async () => {
    const before = dovecot.logins.length;
    await using strict = reader("strict", dovecot.url("imaps", ""));
    await strict.poll();
    expect(log.lines.at(-1)).toMatch(/"event":"bounces_unavailable".*SELF_SIGNED/);
    expect(dovecot.logins).toHaveLength(before);
  });

  test("of two servers one reads the mailbox, and the other goes on where it stopped", async () => {
    await using first = reader("first", dovecot.url("imaps"));
    await using second = reader("second", dovecot.url("imaps"));
    await first.poll();
    const before = dovecot.logins.length;
    await second.poll();
    expect(dovecot.logins).toHaveLength(before);
    const one = await bounced("Exim");
    await first.stop();
    await second.poll();
    await expectUndeliverable(one);
    expect(log.lines.at(-1)).toContain('"event":"bounces_recorded","count":1');
  });

  test("a connection that is cut costs no bounce, and none is read twice", async () => {
    await using only = reader("only", dovecot.url("imaps"));
    await only.poll();
    const one = await bounced("Gmail");
    await dovecot.kill();
    await only.poll();
    expect(log.lines.at(-1)).toContain('"event":"bounces_unavailable"');
    await dovecot.startAgain();
    await only.poll();
    await expectUndeliverable(one);
    expect(log.lines.slice(-2).join()).toMatch(/"event":"bounces_recorded","count":1.*"event":"bounces_available"/s);
  });
});
