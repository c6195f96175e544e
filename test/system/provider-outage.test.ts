import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SmtpSink, smtpError } from "../capabilities/channels/smtp-sink.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { ServerProcess } from "../support/processes.ts";
import { codeIn, until } from "./load.ts";
import { WhatsappFake, type WhatsappTrouble } from "./whatsapp-fake.ts";

/** One server in a process of its own, with a mail server and WhatsApp that misbehave, one trouble after the other. */
const resources = new AsyncDisposableStack();
let server: ServerProcess;
let sink: SmtpSink;
let whatsapp: WhatsappFake;
let key: string;
/** By recipient: the ids of all verifications that were answered 201. */
const started = new Map<string, string>();
/** By recipient: the codes that arrived. */
const mails = new Map<string, string[]>();
/** What becomes of these is not delivery. */
const undeliverable = new Set<string>();

beforeAll(async () => {
  const database = await createMigratedDatabase();
  resources.defer(() => database.drop());
  sink = await SmtpSink.open();
  resources.defer(() => sink.close());
  whatsapp = resources.use(await WhatsappFake.open());
  const environment = {
    SMTP_URL: sink.url,
    MAIL_FROM: "Acme <no-reply@acme.example>",
    WHATSAPP_TOKEN: "token",
    WHATSAPP_PHONE_NUMBER_ID: "106540352242922",
    WHATSAPP_TEMPLATE: "login_code",
    WHATSAPP_API_URL: whatsapp.url,
  };
  server = resources.use(await ServerProcess.start({ databaseUrl: database.url, environment }));
  key = await server.mintKey();
  misbehave({});
});

afterAll(() => resources.disposeAsync());

/** Sets how the mail server behaves from now on; it notes what it takes. */
function misbehave(behaviour: SmtpSink["behaviour"]): void {
  sink.behaviour = {
    ...behaviour,
    onReceived({ to: [recipient = ""], source }) {
      mails.set(recipient, [...(mails.get(recipient) ?? []), codeIn(source)]);
    },
  };
}

/** Starts verifications, all of which are answered 201: whatever is wrong with a provider is no trouble of the caller. */
async function start(channel: "email" | "whatsapp", recipients: readonly string[]): Promise<void> {
  const answers = await Promise.all(
    recipients.map((recipient) => server.rest("POST", "/verify/start", { key, body: { channel, recipient } })),
  );
  expect(answers.map(({ status, body }) => [status, body.status])).toEqual(answers.map(() => [201, "pending"]));
  for (const [index, recipient] of recipients.entries()) {
    started.set(recipient, answers[index]?.body.verification_id);
  }
}

/** What `GET /verify/{id}` says of the one message to a recipient. */
async function deliveryTo(recipient: string) {
  const { body } = await server.rest("GET", `/verify/${started.get(recipient)}`, { key });
  expect(body.deliveries).toHaveLength(1);
  return body.deliveries[0];
}

async function deliveriesTo(recipients: readonly string[]) {
  return Promise.all(recipients.map(deliveryTo));
}

async function untilSent(recipients: readonly string[]): Promise<void> {
  await until(`${recipients[0]} and others are sent`, 60_000, async () => {
    const deliveries = await deliveriesTo(recipients);
    return deliveries.every(({ status }) => status === "sent");
  });
}

const addresses = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${name}-${index}@example.com`);
const numbers = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(2, "0")}`);

describe("mail", () => {
  test("while the mail server is down, messages wait and report why, WhatsApp goes on, and all are sent when it is back", async () => {
    const waiting = addresses("down", 9);
    const others = numbers("+65912300", 6);
    const { port } = sink;
    await sink.close();
    await start("email", waiting);
    await start("whatsapp", others);
    await untilSent(others);
    await until("something was tried again", 30_000, async () =>
      (await deliveriesTo(waiting)).some(({ attempts }) => attempts >= 2),
    );
    for (const delivery of await deliveriesTo(waiting)) {
      expect(delivery).toMatchObject({ status: "queued", provider_message_id: null, sent_at: null });
      expect(delivery.error).toBe(delivery.attempts === 0 ? null : "the mail server cannot be reached");
    }
    sink = await SmtpSink.open({}, port);
    misbehave({});
    await untilSent(waiting);
  });

  test("a slow mail server delays neither calls nor other channels, and gets ten mails at a time", async () => {
    const slow = addresses("slow", 25);
    const others = numbers("+65912301", 6);
    let atOnce = 0;
    let most = 0;
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    misbehave({
      async onData() {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await released;
        atOnce -= 1;
      },
    });
    await start("email", slow);
    await until("the mail server is busy", 30_000, () => atOnce === 10);
    await start("whatsapp", others);
    await untilSent(others);
    expect(slow.filter((recipient) => mails.has(recipient))).toEqual([]);
    release();
    await untilSent(slow);
    expect(most).toBe(10);
  });

  test("a refused recipient fails at once; greylisted recipients get their mail at the second attempt", async () => {
    const refused = "refused@example.com";
    const greylisted = addresses("grey", 8);
    const seen = new Set<string>();
    misbehave({
      onRecipient(address) {
        if (address === refused) {
          throw smtpError(550, `5.1.1 <${address}> unknown`);
        }
        if (!seen.has(address)) {
          seen.add(address);
          throw smtpError(451, "4.7.1 greylisted");
        }
      },
    });
    undeliverable.add(refused);
    await start("email", [refused, ...greylisted]);
    await untilSent(greylisted);
    expect((await deliveriesTo(greylisted)).map(({ attempts }) => attempts)).toEqual(greylisted.map(() => 2));
    expect(await deliveryTo(refused)).toMatchObject({
      status: "failed",
      attempts: 1,
      error: "the mail server answered 550 5.1.1 to RCPT TO",
    });
  });

  test("a mail server that disconnects in the middle of a mail gets it once more", async () => {
    let hangsUp = true;
    misbehave({
      onData(destroy) {
        if (hangsUp) {
          hangsUp = false;
          destroy();
        }
      },
    });
    await start("email", ["broken@example.com"]);
    await untilSent(["broken@example.com"]);
    expect(await deliveryTo("broken@example.com")).toMatchObject({ attempts: 2, error: null });
  });
});

describe("WhatsApp", () => {
  const troubles: readonly (readonly [string, string, WhatsappTrouble])[] = [
    ["says nothing", "+6591240001", "silence"],
    ["hangs up", "+6591240002", "hang up"],
    ["answers 429", "+6591240003", { status: 429, body: '{"error":{"code":130429}}', headers: { "Retry-After": "1" } }],
    ["answers 500", "+6591240004", { status: 500, body: '{"error":{"code":131000}}' }],
    ["answers 401", "+6591240005", { status: 401, body: '{"error":{"code":190}}' }],
    ["answers garbage", "+6591240006", { status: 200, body: "<html>It works!</html>" }],
  ];

  test("errors of every kind are overcome at the second attempt; a recipient without WhatsApp fails; mail goes on", async () => {
    const without = "+6591240007";
    const recipients = troubles.map(([, recipient]) => recipient);
    misbehave({});
    for (const [, recipient, trouble] of troubles) {
      whatsapp.troubles.set(recipient, [trouble]);
    }
    whatsapp.troubles.set(without, [{ status: 400, body: '{"error":{"code":131026}}' }]);
    undeliverable.add(without);
    await start("whatsapp", [...recipients, without]);
    await start("email", addresses("meanwhile", 6));
    await untilSent(addresses("meanwhile", 6));

    await untilSent(recipients);
    expect((await deliveriesTo(recipients)).map(({ attempts, error }) => [attempts, error])).toEqual(
      recipients.map(() => [2, null]),
    );
    expect(await deliveryTo(without)).toMatchObject({
      status: "failed",
      attempts: 1,
      provider_message_id: null,
      error: "the recipient cannot receive WhatsApp messages (400, code 131026)",
    });
  });

  test("while it refuses the token, messages wait and report why, and are sent when the token is valid again", async () => {
    const waiting = numbers("+65912500", 8);
    const refusal: WhatsappTrouble = { status: 401, body: '{"error":{"code":190}}' };
    for (const recipient of waiting) {
      whatsapp.troubles.set(recipient, [refusal, refusal]);
    }
    await start("whatsapp", waiting);
    await until("all were refused", 30_000, async () =>
      (await deliveriesTo(waiting)).every(({ attempts }) => attempts > 0),
    );
    const refused = (await deliveriesTo(waiting)).filter(({ status }) => status === "queued");
    expect(new Set(refused.map(({ error }) => error))).toEqual(new Set(["WhatsApp refused the token (401, code 190)"]));
    for (const recipient of waiting) {
      whatsapp.troubles.delete(recipient);
    }
    await untilSent(waiting);
  });
});

test("in the end every message answered with 201, unless refused, has arrived once with a valid code", async () => {
  let approved = 0;
  for (const [recipient, id] of started) {
    const codes = (recipient.startsWith("+") ? whatsapp.taken : mails).get(recipient) ?? [];
    expect([recipient, codes.length]).toEqual([recipient, undeliverable.has(recipient) ? 0 : 1]);
    if (codes[0] !== undefined) {
      const { body } = await server.rest("POST", "/verify/check", {
        key,
        body: { verification_id: id, code: codes[0] },
      });
      expect(body.status).toBe("approved");
      approved += 1;
    }
  }
  console.log(
    `provider trouble: ${started.size} answered 201 · ${approved} arrived once · ${undeliverable.size} refused`,
  );
  expect(approved).toBe(started.size - undeliverable.size);
});
