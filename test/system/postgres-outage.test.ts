import { expect, test } from "vitest";
import { SmtpSink } from "../capabilities/channels/smtp-sink.ts";
import { createMigratedDatabase, type RestAnswer, type RestCall } from "../support/app.ts";
import { ServerProcess } from "../support/processes.ts";
import { codeIn, inParallel, until } from "./load.ts";
import { SilentProxy } from "./silent-proxy.ts";
import { StoppablePostgres } from "./stoppable-postgres.ts";

const usersAtOnce = 8;
/** Between two outages, and before the first and after the last one. */
const answersPerPhase = 60;
/** Refused calls that an outage lasts for, at least. */
const refusalsPerOutage = 40;

interface Started {
  readonly id: string;
  readonly recipient: string;
  /** What the calls with the right code were told. */
  readonly outcomes: string[];
}

test("PostgreSQL stops and crashes under load: calls are refused meanwhile, nothing is lost, and no code is approved twice", {
  timeout: 120_000,
}, async () => {
  await using resources = new AsyncDisposableStack();
  const postgres = resources.use(await StoppablePostgres.start());
  const sink = await SmtpSink.open();
  resources.defer(() => sink.close());
  const environment = { SMTP_URL: sink.url, MAIL_FROM: "Acme <no-reply@acme.example>" };
  const start = async () => resources.use(await ServerProcess.start({ databaseUrl: postgres.url, environment }));
  const servers = await Promise.all([start(), start()]);
  const [first, second] = servers;
  const key = await first.mintKey();
  const { session } = await first.signUp();
  const minted = await first.rest("POST", "/api-keys", { session, body: { name: "on the list" } });

  const codes = new Map<string, string>();
  let mails = 0;
  sink.behaviour.onReceived = ({ to: [recipient = ""], source }) => {
    mails += 1;
    codes.set(recipient, codeIn(source));
  };

  const started = new Map<string, Started>();
  const unexpected: unknown[] = [];
  let refusals = 0;
  let unknownOutcomes = 0;
  let tried = 0;
  let isOver = false;

  /** The answer, unless it is "not now" or, where the connection was lost under way, "not known". */
  const patient = async (answering: Promise<RestAnswer>): Promise<RestAnswer | undefined> => {
    const answer = await answering;
    if (answer.status === 504 && answer.body.error.code === "outcome_unknown") {
      unknownOutcomes += 1;
      return undefined;
    }
    if (answer.status !== 503) {
      return answer;
    }
    refusals += 1;
    const retryAfter = answer.headers.get("retry-after") ?? "";
    if (answer.body.error.code !== "unavailable" || !/^[1-9]\d*$/.test(retryAfter)) {
      unexpected.push({ body: answer.body, retryAfter });
    }
    return undefined;
  };
  const call = (server: ServerProcess, path: string, body: unknown) =>
    patient(server.rest("POST", path, { key, body }));
  const check = async (server: ServerProcess, { id, recipient, outcomes }: Started) => {
    const answer = await call(server, "/verify/check", { verification_id: id, code: codes.get(recipient) });
    if (answer !== undefined) {
      outcomes.push(answer.status === 200 ? answer.body.status : JSON.stringify(answer.body));
    }
  };
  const user = async () => {
    while (!isOver) {
      tried += 1;
      const recipient = `user-${tried}@example.com`;
      const server = servers[tried % servers.length] ?? first;
      const answer = await call(server, "/verify/start", { channel: "email", recipient });
      if (answer === undefined) {
        continue;
      }
      if (answer.status !== 201 || answer.body.status !== "pending") {
        unexpected.push(answer.body);
        continue;
      }
      const verification: Started = { id: answer.body.verification_id, recipient, outcomes: [] };
      started.set(recipient, verification);
      await until(`${recipient} has its mail`, 60_000, () => codes.has(recipient));
      // An impatient user: both with the right code, one at each server.
      await Promise.all([check(first, verification), check(second, verification)]);
    }
  };

  /** Reads, over and over. */
  const reader = async (method: string, path: string, credential: RestCall) => {
    while (!isOver) {
      for (const server of servers) {
        const answer = await patient(server.rest(method, path, credential));
        if (answer !== undefined && answer.status !== 200) {
          unexpected.push({ path, body: answer.body });
        }
      }
    }
  };

  const outage = async (takeAway: () => Promise<void>): Promise<number> => {
    const answeredBefore = started.size + answersPerPhase;
    await until("the load goes on", 60_000, () => started.size >= answeredBefore);
    const begunAtMs = performance.now();
    const refusedBefore = refusals + refusalsPerOutage;
    await takeAway();
    for (const server of servers) {
      await until("it is not ready", 10_000, async () => (await server.readiness()) === 503);
      expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    }
    await until("calls are refused", 60_000, () => refusals >= refusedBefore);
    await postgres.startAgain();
    const backAtMs = performance.now();
    const answeredThen = started.size;
    await until("both are ready again", 30_000, async () => {
      const statuses = await Promise.all(servers.map((server) => server.readiness()));
      return statuses.every((status) => status === 200);
    });
    await until("the load goes on again", 30_000, () => started.size > answeredThen);
    console.log(
      `postgres away for ${Math.round(backAtMs - begunAtMs)} ms, served again ${Math.round(performance.now() - backAtMs)} ms later`,
    );
    return backAtMs;
  };

  const users = Promise.all([
    inParallel(usersAtOnce, user),
    reader("GET", "/api-keys", { session }),
    reader("GET", `/api-keys/${minted.body.id}`, { session }),
    reader("GET", "/verifications", { key }),
    reader("GET", "/lookup?number=%2B6591234567", { key }),
  ]);
  await outage(() => postgres.stop());
  await outage(() => postgres.crash());
  const enough = started.size + answersPerPhase;
  await until("the load goes on after all that", 60_000, () => started.size >= enough);
  isOver = true;
  await users;

  await until("everything has arrived", 60_000, () => [...started.keys()].every((recipient) => codes.has(recipient)));
  // Where an answer was lost, asking again tells what it was.
  for (const verification of started.values()) {
    if (!verification.outcomes.includes("approved")) {
      const { body } = await first.rest("GET", `/verify/${verification.id}`, { key });
      if (body.status === "pending") {
        await check(first, verification);
      } else {
        expect(body).toMatchObject({ status: "approved" });
      }
    }
  }
  const verifications = [...started.values()];
  const approvals = verifications.map(({ outcomes }) => outcomes.filter((outcome) => outcome === "approved").length);
  const lostAnswers = approvals.filter((count) => count === 0).length;
  console.log(
    [
      `postgres outage: ${started.size} answered 201`,
      `${refusals} calls refused with 503, ${unknownOutcomes} with an outcome that is not known`,
      `${started.size} of ${started.size} arrived (${mails} mails)`,
      `${approvals.filter((count) => count === 1).length} approved once, ${lostAnswers} approved with the answer lost`,
    ].join(" · "),
  );
  expect(unexpected).toEqual([]);
  // Only what was under way when the connection was lost, twice: one check or start a user.
  expect(unknownOutcomes).toBeLessThanOrEqual(2 * 2 * usersAtOnce);
  expect(Math.max(...approvals)).toBe(1);
  expect(new Set(verifications.flatMap(({ outcomes }) => outcomes))).toEqual(new Set(["approved", "expired"]));
  const [row] = await postgres.query<{ approved: number }>(
    "SELECT count(*)::integer AS approved FROM verification WHERE status = 'approved' AND id = ANY ($1)",
    [verifications.map(({ id }) => id)],
  );
  expect(row?.approved).toBe(started.size);
  expect(servers.map((server) => server.exit)).toEqual([undefined, undefined]);
});

test("PostgreSQL stops responding: calls are refused in bounded time, and served again when it responds", {
  timeout: 120_000,
}, async () => {
  await using resources = new AsyncDisposableStack();
  const database = await createMigratedDatabase();
  resources.defer(() => database.drop());
  const proxy = resources.use(await SilentProxy.open(database.url));
  const sink = await SmtpSink.open();
  resources.defer(() => sink.close());
  const environment = { SMTP_URL: sink.url, MAIL_FROM: "Acme <no-reply@acme.example>" };
  const server = resources.use(await ServerProcess.start({ databaseUrl: proxy.url, environment }));
  const key = await server.mintKey();
  const session = (await server.signUp()).session;
  const start = (recipient: string) =>
    server.rest("POST", "/verify/start", { key, body: { channel: "email", recipient } });
  expect((await start("before@example.com")).status).toBe(201);
  // So that there are connections for the calls into the silence, and no message that takes them.
  await Promise.all(Array.from({ length: 8 }, (_, index) => start(`first-${index}@example.com`)));
  await until("the mails have arrived", 30_000, () => sink.mails.length === 9);

  proxy.fallSilent();
  const silentAtMs = performance.now();
  // More than there are connections to the database: some of the calls wait for one.
  const starts = Array.from({ length: 15 }, (_, index) => start(`during-${index}@example.com`));
  const answers = await Promise.all([
    server.rest("POST", "/api-keys", { session, body: { name: "during" } }),
    server.rest("GET", "/api-keys", { session }),
    ...starts,
  ]);
  const codes = answers.map(({ status, body }) => `${status} ${body.error.code}`);
  // Nothing was committed by the first two. A start that was sent into the silence may be carried out later.
  expect(codes.slice(0, 2)).toEqual(["503 unavailable", "503 unavailable"]);
  expect(new Set(codes.slice(2))).toEqual(new Set(["503 unavailable", "504 outcome_unknown"]));
  expect(await server.readiness()).toBe(503);
  console.log(
    `postgres silent: ${answers.length} calls refused within ${Math.round(performance.now() - silentAtMs)} ms`,
  );

  proxy.speakAgain();
  await until("it is ready again", 30_000, async () => (await server.readiness()) === 200);
  expect((await start("after@example.com")).status).toBe(201);
  await until("both have their mails", 30_000, () => {
    const recipients = sink.mails.flatMap(({ to }) => to);
    return recipients.includes("before@example.com") && recipients.includes("after@example.com");
  });
  expect(server.exit).toBeUndefined();
});
