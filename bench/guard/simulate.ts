import { setTimeout as pause } from "node:timers/promises";
import { createApp, parseConfig } from "../../src/app.ts";
import { createLogger } from "../../src/observe/log.ts";
import { mintKey } from "../byond.ts";
import type { Postgres } from "../databases.ts";
import { MessageProvider } from "./message-provider.ts";
import { SimulatedTime } from "./simulated-time.ts";
import { type Ask, daySeconds, type Shape } from "./traffic.ts";

/** What became of a day. */
export interface Day {
  readonly shape: Shape;
  readonly pumped: Side;
  readonly people: Side;
  /** Of pumping, once it had begun: after how many seconds the guard first refused a code, and how many were sent by then. */
  readonly caught: { readonly afterSeconds: number; readonly sent: number } | undefined;
  /** Codes of pumping, by minute after it began. */
  readonly minutes: readonly Minute[];
}

interface Side {
  asked: number;
  sent: number;
  refused: number;
  /** Refused for another reason, such as the limit of a recipient. */
  limited: number;
}

interface Minute {
  asked: number;
  sent: number;
}

/** The clock moves in steps: what happens within one happens at its end. */
const stepSeconds = 15;
const callsAtOnce = 12;

interface Running extends Day {
  readonly key: string;
  caught: Day["caught"];
  readonly minutes: Minute[];
  readonly due: Ask[];
  readonly answers: { readonly atSeconds: number; readonly id: string; readonly recipient: string }[];
}

/** Has a server of its own go through the days of several workspaces at the same time. */
export async function simulate(
  postgres: Postgres,
  shapes: readonly Shape[],
  note: (text: string) => void,
): Promise<readonly Day[]> {
  const databaseUrl = await postgres.createDatabase();
  await using provider = await MessageProvider.open();
  const config = parseConfig({
    DATABASE_URL: databaseUrl,
    PORT: "0",
    SIGN_UP: "open",
    SIGN_UP_LIMIT: "1000000",
    DEFAULT_TIER: "unlimited",
    BYOND_SECRET: "a secret of the bench that is long enough",
    ...provider.environment,
  });
  let time: SimulatedTime | undefined;
  const clock = { now: () => time?.now() ?? new Date(), monotonicMs: () => time?.monotonicMs() ?? performance.now() };
  const shedding = {
    isActive: false,
    delaysMs: { loop: 0, database: 0 },
    arrived: () => undefined,
    sheds: () => false,
  };
  const app = await createApp(config, {
    logger: createLogger(() => undefined),
    clock,
    shedding,
    onFatal: (reason) => {
      throw reason;
    },
  });
  try {
    const days: Running[] = [];
    for (const shape of shapes) {
      days.push({
        shape,
        key: await mintKey(app.url, databaseUrl),
        pumped: { asked: 0, sent: 0, refused: 0, limited: 0 },
        people: { asked: 0, sent: 0, refused: 0, limited: 0 },
        caught: undefined,
        minutes: [],
        due: shape.asks.toSorted((one, other) => other.atSeconds - one.atSeconds),
        answers: [],
      });
    }
    await using simulated = await SimulatedTime.begin(databaseUrl);
    time = simulated;
    for (let now = stepSeconds; now <= daySeconds; now += stepSeconds) {
      await step({ url: app.url, time: simulated, provider, days, now });
      if (now % 3_600 === 0) {
        note(`hour ${now / 3_600}`);
      }
    }
    return days;
  } finally {
    await app.close();
  }
}

interface Step {
  readonly url: string;
  readonly time: SimulatedTime;
  readonly provider: MessageProvider;
  readonly days: readonly Running[];
  readonly now: number;
}

async function step({ url, time, provider, days, now }: Step): Promise<void> {
  const work = days.flatMap((day) => [
    ...takeDue(day.due, now).map((ask) => () => startOf(url, day, ask, now)),
    ...takeDue(day.answers, now).map((answer) => () => answerOf(url, day, answer, provider)),
  ]);
  await time.moveTo(now);
  if (work.length === 0) {
    return;
  }
  provider.accepts = (recipient) => !days.some((day) => isDisturbed(day.shape, recipient, now, "refused"));
  const before = provider.arrived;
  const sent = await inParallel(work);
  const expected = before + sent.filter((isSent) => isSent).length;
  for (let waited = 0; provider.arrived < expected && waited < 400; waited += 1) {
    await pause(5);
  }
  await time.numberEvents();
}

/** Takes those off the end of a list whose time has come. Lists of answers are short and in no order. */
function takeDue<T extends { readonly atSeconds: number }>(list: T[], now: number): T[] {
  const due = list.filter(({ atSeconds }) => atSeconds <= now);
  if (due.length > 0) {
    const left = list.filter(({ atSeconds }) => atSeconds > now);
    list.splice(0, list.length, ...left);
  }
  return due;
}

/** Asks for a code. True if its message leaves the server. */
async function startOf(url: string, day: Running, ask: Ask, now: number): Promise<boolean> {
  const side = ask.isPumped ? day.pumped : day.people;
  const minute = ask.isPumped ? minuteOf(day, now) : undefined;
  side.asked += 1;
  if (minute !== undefined) {
    minute.asked += 1;
  }
  const answer = await post(url, day.key, "/verify/start", { channel: "sms", recipient: ask.recipient });
  if (answer.status === 201) {
    side.sent += 1;
    if (minute !== undefined) {
      minute.sent += 1;
    }
    if (ask.answersAfterSeconds !== undefined && !isDisturbed(day.shape, ask.recipient, now)) {
      const atSeconds = now + ask.answersAfterSeconds;
      day.answers.push({ atSeconds, id: answer.body.verification_id, recipient: ask.recipient });
    }
    return !isDisturbed(day.shape, ask.recipient, now, "refused");
  }
  const code: string = answer.body.error.code;
  if (code === "recipient_blocked") {
    side.refused += 1;
    if (ask.isPumped) {
      day.caught ??= { afterSeconds: now - (day.shape.pumpedFrom ?? 0), sent: day.pumped.sent };
    }
  } else if (code === "rate_limited") {
    side.limited += 1;
  } else {
    throw new Error(`${ask.recipient}: ${JSON.stringify(answer.body)}`);
  }
  return false;
}

async function answerOf(
  url: string,
  day: Running,
  { id, recipient }: Running["answers"][number],
  provider: MessageProvider,
): Promise<boolean> {
  const code = provider.codes.get(recipient);
  if (code !== undefined) {
    await post(url, day.key, "/verify/check", { verification_id: id, code });
  }
  return false;
}

function minuteOf(day: Running, now: number): Minute {
  const index = Math.max(0, Math.floor((now - stepSeconds - (day.shape.pumpedFrom ?? 0)) / 60));
  while (day.minutes.length <= index) {
    day.minutes.push({ asked: 0, sent: 0 });
  }
  return day.minutes[index] as Minute;
}

function isDisturbed({ disturbances = [] }: Shape, recipient: string, now: number, kind?: "refused"): boolean {
  return disturbances.some(
    (one) =>
      (kind === undefined || one.kind === kind) &&
      now >= one.fromSeconds &&
      now < one.untilSeconds &&
      one.concerns(recipient),
  );
}

async function inParallel<T>(work: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: callsAtOnce }, async () => {
      for (let one = work[next++]; one !== undefined; one = work[next++]) {
        results.push(await one());
      }
    }),
  );
  return results;
}

async function post(url: string, key: string, path: string, body: object) {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-API-Key": key },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
}
