import { setTimeout } from "node:timers/promises";
import { mintKey, startByond } from "../byond.ts";
import { requestBytes } from "../load/http1.ts";
import { restCaller } from "../load/load.ts";
import { type MailSink, openMailSink } from "../mail-sink.ts";
import { startPeer } from "../peers.ts";
import { compareRounds, type Outcome, perSecond, type Reading, type Row, type Run, throughput } from "../row.ts";
import { startBody } from "../verify-workspace.ts";

const connections = 16;
const callsInRound = 1_000;

/** A server that sends codes by mail, and takes them. */
interface CodeServer {
  readonly url: string;
  /** The status of an answer to a start. */
  readonly startStatus: number;
  readonly start: (address: string) => string;
  /** `answer`: what the start said. */
  readonly check: (address: string, code: string, answer: string) => string;
}

interface RoundOfServer {
  /** Until the last mail had arrived. */
  readonly starts: Reading;
  readonly checks: Reading;
}

let addresses = 0;

/** Starts for addresses that are new, and then checks each of them with the right code. */
async function runRound(server: CodeServer, sink: MailSink): Promise<RoundOfServer> {
  const people = Array.from({ length: callsInRound }, () => `person-${addresses++}@example.com`);
  const answers: string[] = [];
  const before = sink.received();
  const person = (index: number) => people[index] ?? "";
  using starting = restCaller({
    url: server.url,
    connections,
    status: server.startStatus,
    request: (index) => server.start(person(index)),
    onAnswer: ({ text }, index) => {
      answers[index] = text;
    },
  });
  const startedMs = performance.now();
  const started = await starting.run({ calls: callsInRound });
  while (sink.received() < before + callsInRound) {
    await setTimeout(1);
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  using checking = restCaller({
    url: server.url,
    connections,
    status: 200,
    request: (index) => server.check(person(index), sink.codes.get(person(index)) ?? "", answers[index] ?? ""),
    onAnswer: ({ text }) => {
      if (text.includes('"status":"incorrect"')) {
        throw new Error("a right code was taken for a wrong one");
      }
    },
  });
  return {
    starts: { value: callsInRound / seconds, busy: started.busy },
    checks: throughput(await checking.run({ calls: callsInRound })),
  };
}

async function measure(run: Run, kind: keyof RoundOfServer): Promise<Outcome> {
  await using sink = await openMailSink();
  const databaseUrl = await run.postgres.createDatabase();
  const smtp = { SMTP_URL: sink.url, MAIL_FROM: "Bench <bench@example.com>" };
  await using byond = await startByond(databaseUrl, smtp);
  const key = await mintKey(byond.url, databaseUrl);
  await using betterAuth = await startPeer("better-auth", {
    DATABASE_URL: await run.postgres.createDatabase(),
    SMTP_URL: sink.url,
  });
  const ours: CodeServer = {
    url: byond.url,
    startStatus: 201,
    start: (address) => requestBytes("POST", "/api/v1/verify/start", { "X-API-Key": key }, startBody(address)),
    check: (_address, code, answer) => {
      const id = /"verification_id":"(\w+)"/.exec(answer)?.[1];
      return requestBytes("POST", "/api/v1/verify/check", { "X-API-Key": key }, { verification_id: id, code });
    },
  };
  const post = (path: string, body: unknown) =>
    requestBytes("POST", `/api/auth/${path}`, { Origin: "http://127.0.0.1" }, body);
  const theirs: CodeServer = {
    url: betterAuth.url,
    startStatus: 200,
    start: (email) => post("email-otp/send-verification-otp", { email, type: "sign-in" }),
    check: (email, otp) => post("sign-in/email-otp", { email, otp }),
  };
  // Its sign-up sent a mail of its own.
  await runRound(ours, sink);
  await runRound(theirs, sink);
  return await compareRounds(run, perSecond, async (round) => {
    const first = await runRound(round % 2 === 0 ? ours : theirs, sink);
    const second = await runRound(round % 2 === 0 ? theirs : ours, sink);
    const [ourRound, theirRound] = round % 2 === 0 ? [first, second] : [second, first];
    return { ours: ourRound[kind], theirs: theirRound[kind] };
  });
}

export const betterAuthRows: readonly Row[] = [
  {
    name: "better-auth-start",
    what: "start with delivery, until the mail has arrived",
    against: "better-auth, e-mail OTP, same PostgreSQL and mail server",
    now: "≥ 1.5",
    goal: "3",
    measure: (run) => measure(run, "starts"),
  },
  {
    name: "better-auth-check",
    what: "check",
    against: "better-auth, sign-in with the code",
    now: "≥ 3",
    goal: "5",
    measure: (run) => measure(run, "checks"),
  },
];
