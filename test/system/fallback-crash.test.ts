import pg from "pg";
import { expect, test } from "vitest";
import { HttpFake } from "../capabilities/channels/http-fake.ts";
import { SmtpSink, smtpError } from "../capabilities/channels/smtp-sink.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { KillableServers } from "./killable-servers.ts";
import { inParallel, until } from "./load.ts";
import { WhatsappFake } from "./whatsapp-fake.ts";

const serverCount = 2;
const startCount = 400;
const callsAtOnce = 4;
const killCount = 3;
const noAccount = { status: 400, body: JSON.stringify({ error: { code: 131026 } }) };

/** A third each: the mail is refused at once; the mail server is slow for ever; the number has no WhatsApp, either. */
const kindOf = (number: number) => (["refused", "slow", "textOnly"] as const)[number % 3] ?? "refused";

test("while servers are killed, each step of a fallback is taken once, and none is lost", {
  timeout: 300_000,
}, async () => {
  await using resources = new AsyncDisposableStack();
  const database = await createMigratedDatabase();
  resources.defer(() => database.drop());
  const mail = await SmtpSink.open();
  resources.defer(() => mail.close());
  mail.behaviour = {
    onRecipient(address) {
      throw address.startsWith("slow") ? smtpError(451, "4.7.1 not yet") : smtpError(550, "5.7.1 refused");
    },
  };
  const whatsapp = resources.use(await WhatsappFake.open());
  const texts = await HttpFake.open();
  resources.defer(() => texts.close());
  const environment = {
    SMTP_URL: mail.url,
    MAIL_FROM: "Acme <no-reply@acme.example>",
    WHATSAPP_TOKEN: "token",
    WHATSAPP_PHONE_NUMBER_ID: "1",
    WHATSAPP_TEMPLATE: "code",
    WHATSAPP_API_URL: whatsapp.url,
    SMS_URL: texts.url,
    PROVIDER_SECRET: "x".repeat(32),
  };
  const servers = resources.use(await KillableServers.start(serverCount, { databaseUrl: database.url, environment }));
  const key = await servers.any().mintKey();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  resources.defer(() => client.end());

  const begunAtMs = performance.now();
  const started = new Map<string, { readonly phone: string; readonly kind: ReturnType<typeof kindOf> }>();
  let tried = 0;
  let unanswered = 0;
  const killing = servers.killAtRandom(killCount, startCount, () => started.size);
  await inParallel(callsAtOnce, async () => {
    while (started.size < startCount) {
      tried += 1;
      const kind = kindOf(tried);
      const phone = `+6591${String(tried).padStart(6, "0")}`;
      if (kind === "textOnly") {
        whatsapp.troubles.set(phone, [noAccount, noAccount]);
      }
      const fallback = [
        { channel: "whatsapp", recipient: phone, after_seconds: 5 },
        { channel: "sms", after_seconds: 600 },
      ];
      const body = { channel: "email", recipient: `${kind}-${tried}@example.com`, fallback };
      const answer = await servers
        .any()
        .rest("POST", "/verify/start", { key, body })
        .catch(() => undefined);
      if (answer === undefined) {
        unanswered += 1;
        continue;
      }
      expect(answer).toMatchObject({ status: 201, body: { status: "pending" } });
      started.set(answer.body.verification_id, { phone, kind });
    }
  });
  await killing;

  const textsTo = (phone: string) => texts.requests.filter(({ body }) => body.includes(phone));
  const arrivedAt = ({ phone, kind }: { readonly phone: string; readonly kind: string }) =>
    kind === "textOnly" ? textsTo(phone).length : (whatsapp.taken.get(phone) ?? []).length;
  await until("every code has arrived by its last way", 60_000, () =>
    [...started.values()].every((each) => arrivedAt(each) > 0),
  );
  const seconds = (performance.now() - begunAtMs) / 1_000;

  // Every message that was written, those of starts that nobody was told of included.
  const { rows: messages } = await client.query<{ subject: string; lane: string; count: number }>(
    `SELECT subject_id AS subject, lane, count(*)::integer AS count FROM outbox
     WHERE kind = 'verification_code_with_fallback' GROUP BY subject_id, lane`,
  );
  const twice = messages.filter(({ count }) => count > 1);
  const readSteps = async () => {
    const { rows } = await client.query<{ id: string; status: string }>(
      "SELECT id, status FROM outbox WHERE kind = 'verification_fallback'",
    );
    return rows;
  };
  // A code may have arrived before its server has recorded it, or by one that was killed before.
  await until("every step is recorded", 120_000, async () =>
    (await readSteps()).every(({ status }) => status === "sent" || status === "expired"),
  );
  const steps = await readSteps();
  const taken = steps.filter(({ status }) => status === "sent");
  const sends = [...started.values()].reduce((sum, each) => sum + arrivedAt(each), 0);
  console.log(
    [
      `fallback: ${started.size} starts answered 201 (${unanswered} got no answer), all arrived within ${seconds.toFixed(1)} s`,
      `${serverCount} servers, ${servers.kills} times one was killed with -9 and replaced`,
      `${taken.length} steps taken, ${twice.length} of them twice, none lost`,
      `${sends - started.size} messages sent twice by their provider's count`,
    ].join(" · "),
  );
  expect(servers.kills).toBe(killCount);
  expect(servers.unexpectedExits).toEqual([]);
  expect(twice).toEqual([]);
  const statusOf = new Map(steps.map(({ id, status }) => [id, status]));
  for (const [id, { kind }] of started) {
    const expected = kind === "textOnly" ? ["sent", "sent"] : ["sent", "expired"];
    expect([kind, statusOf.get(`${id}/1`), statusOf.get(`${id}/2`)]).toEqual([kind, ...expected]);
  }
  // A message is sent twice if its server is killed between sending and recording.
  expect(sends - started.size).toBeLessThan(startCount / 20);
});
