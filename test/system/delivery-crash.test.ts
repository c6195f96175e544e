import { expect, test } from "vitest";
import { type ReceivedMail, SmtpSink, smtpError } from "../capabilities/channels/smtp-sink.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { KillableServers } from "./killable-servers.ts";
import { codeIn, inParallel, until } from "./load.ts";

const serverCount = 3;
const startCount = 2_000;
/** Of them: codes of 30 seconds to people whose mail server takes nothing before they have expired. */
const withheldCount = 60;
const callsAtOnce = 5;
const killCount = 5;

interface Started {
  readonly id: string;
  readonly recipient: string;
  readonly expiresAtMs: number;
}

test("every message answered with 201 arrives in time, and rarely twice, while servers are killed at random", {
  timeout: 300_000,
}, async () => {
  await using resources = new AsyncDisposableStack();
  const database = await createMigratedDatabase();
  resources.defer(() => database.drop());
  const sink = await SmtpSink.open();
  resources.defer(() => sink.close());
  const environment = { SMTP_URL: sink.url, MAIL_FROM: "Acme <no-reply@acme.example>" };
  const servers = resources.use(await KillableServers.start(serverCount, { databaseUrl: database.url, environment }));
  const key = await servers.any().mintKey();

  const started = new Map<string, Started>();
  const arrivals = new Map<string, { readonly code: string; readonly atMs: number }[]>();
  sink.behaviour = {
    onRecipient(address) {
      const expiresAtMs = started.get(address)?.expiresAtMs ?? Number.POSITIVE_INFINITY;
      if (isWithheld(address) && Date.now() < expiresAtMs) {
        throw smtpError(451, "4.7.1 not yet");
      }
    },
    onReceived(mail) {
      const recipient = recipientOf(mail);
      const copies = arrivals.get(recipient) ?? [];
      arrivals.set(recipient, [...copies, { code: codeIn(mail.source), atMs: Date.now() }]);
    },
  };

  const begunAtMs = performance.now();
  let tried = 0;
  let unanswered = 0;
  const killing = servers.killAtRandom(killCount, startCount, () => started.size);
  await inParallel(callsAtOnce, async () => {
    while (started.size < startCount) {
      tried += 1;
      const recipient = tried <= withheldCount ? `withheld-${tried}@example.com` : `user-${tried}@example.com`;
      const body = { channel: "email", recipient, ttl_seconds: isWithheld(recipient) ? 30 : 300 };
      const answer = await servers
        .any()
        .rest("POST", "/verify/start", { key, body })
        .catch(() => undefined);
      if (answer === undefined) {
        // Nobody knows whether that was started. Nobody was told that it was.
        unanswered += 1;
        continue;
      }
      expect(answer).toMatchObject({ status: 201, body: { status: "pending" } });
      const { verification_id: id, expires_at: expiresAt } = answer.body;
      started.set(recipient, { id, recipient, expiresAtMs: Date.parse(expiresAt) });
    }
  });
  const loadSeconds = (performance.now() - begunAtMs) / 1_000;
  await killing;

  const wanted = [...started.values()].filter(({ recipient }) => !isWithheld(recipient));
  const withheld = [...started.values()].filter(({ recipient }) => isWithheld(recipient));
  await until("everything has arrived", 60_000, () => wanted.every(({ recipient }) => arrivals.has(recipient)));
  const arrived = wanted.filter(({ recipient }) => arrivals.has(recipient)).length;
  const arrivedSeconds = (performance.now() - begunAtMs) / 1_000;

  const checked = new Map<string, string>();
  const toCheck = [...wanted];
  await inParallel(callsAtOnce, async () => {
    for (let next = toCheck.pop(); next !== undefined; next = toCheck.pop()) {
      const code = arrivals.get(next.recipient)?.[0]?.code ?? "";
      const { body } = await servers
        .any()
        .rest("POST", "/verify/check", { key, body: { verification_id: next.id, code } });
      checked.set(next.recipient, body.status);
    }
  });
  const lastExpiryMs = Math.max(...withheld.map(({ expiresAtMs }) => expiresAtMs));
  await until("the withheld codes have expired", 60_000, () => Date.now() > lastExpiryMs);
  await until("the outbox has given them up", 30_000, async () => {
    const statuses = await Promise.all(withheld.map(({ id }) => servers.any().rest("GET", `/verify/${id}`, { key })));
    return statuses.every(({ body }) => body.deliveries[0].status === "expired");
  });

  const copies = [...arrivals.values()].flat();
  const duplicates = copies.length - arrivals.size;
  const late = [...arrivals].flatMap(([recipient, mails]) => {
    const expiresAtMs = started.get(recipient)?.expiresAtMs ?? Number.POSITIVE_INFINITY;
    return mails.filter(({ atMs }) => atMs >= expiresAtMs);
  });
  const approved = [...checked.values()].filter((status) => status === "approved").length;
  console.log(
    [
      `crash: ${started.size} answered 201 in ${loadSeconds.toFixed(1)} s (${unanswered} got no answer)`,
      `${servers.kills} servers killed with -9`,
      `${arrived} of ${wanted.length} arrived within ${arrivedSeconds.toFixed(1)} s`,
      `${duplicates} duplicates (${((duplicates / copies.length) * 100).toFixed(2)} %)`,
      `${approved} codes accepted`,
      `${late.length} mails after their expiry (${withheld.length} held back until then)`,
    ].join(" · "),
  );
  expect(servers.kills).toBe(killCount);
  expect(servers.unexpectedExits).toEqual([]);
  expect(arrived).toBe(wanted.length);
  expect(approved).toBe(wanted.length);
  expect(late).toEqual([]);
  expect(withheld.length).toBeGreaterThan(withheldCount / 2);
  expect(duplicates).toBeLessThan(copies.length / 100);
  for (const mails of arrivals.values()) {
    expect(new Set(mails.map(({ code }) => code)).size).toBe(1);
  }
});

function isWithheld(recipient: string): boolean {
  return recipient.startsWith("withheld-");
}

function recipientOf(mail: ReceivedMail): string {
  const [recipient = ""] = mail.to;
  return recipient;
}
