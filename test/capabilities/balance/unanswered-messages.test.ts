/** Messages that a provider may have taken, although it did not answer: they are paid and counted once, whatever comes later. */
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import { freePort } from "../../support/free-port.ts";
import { protocols } from "../../support/protocols.ts";
import { HttpFake } from "../channels/http-fake.ts";
import { SmtpSink, smtpError } from "../channels/smtp-sink.ts";
import { accountsOf, openWorkspace, type PricedWorkspace, query, usePricedApp } from "./balance-fixture.ts";

const gateway = await HttpFake.open();
const sink = await SmtpSink.open();
const phones = parseConfig({
  SMS_URL: gateway.url,
  VOICE_URL: `http://127.0.0.1:${await freePort()}`,
  PROVIDER_SECRET: "x".repeat(32),
}).delivery;
const app = usePricedApp({ delivery: { ...phones, smtp: { url: sink.url, from: "no-reply@acme.example" } } });
afterAll(async () => {
  await gateway.close();
  await sink.close();
});
let recipients = 0;

describe.each(protocols)("over $name", (protocol) => {
  let workspace: PricedWorkspace;
  beforeEach(async () => {
    gateway.requests.length = 0;
    gateway.held = undefined;
    sink.behaviour = {};
    await app.time.advance({ seconds: 60 });
    workspace = await openWorkspace(app, 100);
  });
  const start = async (channel: "sms" | "voice" | "email"): Promise<string> => {
    const number = String(++recipients).padStart(4, "0");
    const recipient = channel === "email" ? `ada-${number}@example.com` : `+6591${number}00`;
    const input = { channel, recipient };
    const { code, body } = await protocol.call(app, "StartVerification", input, { key: workspace.key });
    expect(code).toBe("ok");
    return body.verification_id;
  };
  const balance = async () => (await protocol.call(app, "GetBalance", {}, { session: workspace.session })).body.amount;
  const messagesUsed = async () => {
    const { body } = await protocol.call(app, "GetUsage", {}, { session: workspace.session });
    return body.groups.reduce((sum: number, { messages }: { messages: number }) => sum + messages, 0);
  };
  const outbox = async () =>
    (
      await query<{ status: string; attempts: number }>(
        app.databaseUrl,
        "SELECT status, attempts FROM outbox WHERE workspace_id = $1",
        [workspace.workspaceId],
      )
    )[0];
  const attempted = () =>
    vi.waitFor(async () => expect((await outbox())?.attempts).toBeGreaterThan(0), { timeout: 20_000 });
  const ends = async (status: string, seconds: number) => {
    await app.time.advance({ seconds });
    await vi.waitFor(async () => expect((await outbox())?.status).toBe(status), { timeout: 20_000 });
  };
  const isLeft = async (amount: string, messages: number) => {
    expect([await balance(), await messagesUsed()]).toEqual([amount, messages]);
    await accountsOf(app.databaseUrl, workspace.workspaceId);
  };

  test.each([
    ["refuses it then", { status: 422 }, "failed", 30],
    ["takes it then", { status: 200 }, "sent", 30],
    ["does not answer until it expires", "hang up", "expired", 330],
  ] as const)("a provider that read a message, did not answer, and %s", async (_, later, status, seconds) => {
    gateway.answer = "hang up";
    await start("sms");
    await attempted();
    await isLeft("0.92", 1);
    gateway.answer = later;
    await ends(status, seconds);
    await isLeft("0.92", 1);
  });

  test("a provider that does not answer, and whose verification is canceled meanwhile", async () => {
    gateway.answer = "hang up";
    const held = Promise.withResolvers<void>();
    gateway.held = held.promise;
    const verification_id = await start("sms");
    await vi.waitFor(() => expect(gateway.requests).toHaveLength(1), { timeout: 20_000 });
    await protocol.call(app, "CancelVerification", { verification_id }, { key: workspace.key });
    held.resolve();
    await vi.waitFor(() => isLeft("0.92", 1), { timeout: 20_000 });
    await app.time.advance({ seconds: 60 });
    await isLeft("0.92", 1);
  });

  test("a mail server that closes the connection while it is given the content", async () => {
    sink.behaviour.onData = (destroy) => destroy();
    await start("email");
    await attempted();
    await ends("expired", 330);
    await isLeft("0.99", 1);
  });

  test("the price comes back if there was no connection to the provider", async () => {
    await start("voice");
    await attempted();
    await ends("expired", 330);
    await isLeft("1.00", 0);
  });

  test.each([
    ["450 to the recipient", "expired", 450],
    ["550 to the recipient", "failed", 550],
  ])("a mail server that answers %s has not taken the mail", async (_, status, code) => {
    sink.behaviour.onRecipient = () => {
      throw smtpError(code);
    };
    await start("email");
    await attempted();
    await ends(status, 330);
    await isLeft("1.00", 0);
  });

  test("an answer that says it is not sent gives the price back", async () => {
    gateway.answer = { status: 503 };
    await start("sms");
    await attempted();
    await ends("expired", 330);
    await isLeft("1.00", 0);
  });
});
