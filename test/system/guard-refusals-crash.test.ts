/** What the guard refuses is not sent, and is counted, while the servers that refuse it are killed. */
import pg from "pg";
import { expect, test } from "vitest";
import { countryRange } from "../../src/text/number-range.ts";
import { HttpFake } from "../capabilities/channels/http-fake.ts";
import { blockRange } from "../capabilities/guard/guard-calls.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { KillableServers } from "./killable-servers.ts";
import { inParallel, until } from "./load.ts";

const serverCount = 2;
const callsAtOnce = 4;
const killCount = 5;
/** A token comes back after three minutes, which is longer than the test may take. */
const sendsPerHour = 20;
const startsPerCountry = 60;

/** The first digits of numbers of countries, and how many follow. The countries are called one after the other. */
const countries: readonly (readonly [string, number])[] = [
  ["+6598", 6],
  ["+491512", 7],
  ["+33612", 6],
  ["+34612", 6],
  ["+39312", 7],
  ["+31612", 6],
  ["+61412", 6],
  ["+447400", 6],
  ["+9181234", 5],
  ["+46701", 6],
  ["+4790", 6],
  ["+48512", 6],
  ["+43664", 6],
  ["+32470", 6],
  ["+351912", 6],
  ["+30691", 7],
  ["+41781", 6],
  ["+36201", 6],
  ["+420601", 6],
  ["+3538501", 5],
  ["+358412", 6],
  ["+8190123", 5],
  ["+60123", 6],
  ["+66812", 6],
];
/** A range of the first country. */
const blocked = ["+65912", 5] as const;

const refusals = {
  blocked: [403, "recipient_blocked", "range_blocked"],
  limited: [429, "rate_limited", "country_limit"],
};

type Outcome = "sent" | "range_blocked" | "country_limit" | "unanswered";

test("what the guard refuses is never sent and counted once, and limits of countries are exact, while servers are killed", {
  timeout: 300_000,
}, async () => {
  await using resources = new AsyncDisposableStack();
  const database = await createMigratedDatabase();
  resources.defer(() => database.drop());
  const sms = await HttpFake.open();
  resources.defer(() => sms.close());
  const environment = { SMS_URL: sms.url, PROVIDER_SECRET: "x".repeat(32) };
  const servers = resources.use(await KillableServers.start(serverCount, { databaseUrl: database.url, environment }));
  const { session, workspaceId } = await servers.any().signUp();
  const { key } = (await servers.any().rest("POST", "/api-keys", { session, body: { name: "a key" } })).body;
  const settings = { sends_per_hour_per_country: sendsPerHour };
  expect((await servers.any().rest("PATCH", "/guard", { session, body: settings })).status).toBe(200);
  await blockRange({ databaseUrl: database.url }, workspaceId, `${blocked[0]}x`);
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  resources.defer(() => client.end());

  const startCount = countries.length * startsPerCountry;
  const outcomes = new Map<string, Outcome>();
  let tried = 0;
  const killing = servers.killAtRandom(killCount, startCount, () => tried);
  await inParallel(callsAtOnce, async () => {
    while (tried < startCount || servers.kills < killCount) {
      const own = countries[Math.min(Math.floor(tried / startsPerCountry), countries.length - 1)] ?? blocked;
      tried += 1;
      const isBlocked = tried % 4 === 0;
      const [prefix, digits] = isBlocked ? blocked : own;
      const recipient = prefix + String(tried).padStart(digits, "0");
      const answer = await servers
        .any()
        .rest("POST", "/verify/start", { key, body: { channel: "sms", recipient } })
        .catch(() => undefined);
      if (answer === undefined) {
        outcomes.set(recipient, "unanswered");
      } else if (answer.status === 201 && !isBlocked) {
        outcomes.set(recipient, "sent");
      } else {
        const { code, reason } = answer.body.error ?? {};
        expect([answer.status, code, reason]).toEqual(isBlocked ? refusals.blocked : refusals.limited);
        outcomes.set(recipient, reason);
      }
    }
  });
  await killing;

  const rows = async (text: string, values: readonly unknown[] = []) => (await client.query(text, [...values])).rows;
  const count = async (text: string) => Number((await rows(text))[0]?.count);
  const messages = "SELECT count(*) FROM outbox WHERE status = 'pending'";
  await until("no message waits", 60_000, async () => (await count(messages)) === 0);
  const unnumbered = "SELECT count(*) FROM event_pending";
  await until("every event has a position", 20_000, async () => (await count(unnumbered)) === 0);

  // Every country got what its limit allows, those starts included whose server was killed before it answered.
  const started = await rows(
    `SELECT guard_country_range(number_range) AS country, count(*)::integer AS count, count(*) FILTER (WHERE number_range = $1)::integer AS blocked
     FROM verification GROUP BY guard_country_range(number_range) ORDER BY guard_country_range(number_range) COLLATE "C"`,
    [`${blocked[0]}x`],
  );
  expect(started).toEqual(
    countries
      .map(([prefix]) => countryRange(prefix + "0".repeat(9)))
      .toSorted()
      .map((country) => ({ country, count: sendsPerHour, blocked: 0 })),
  );

  const numbersOf = (...asked: readonly Outcome[]) =>
    [...outcomes].filter(([, outcome]) => asked.includes(outcome)).map(([number]) => number);
  const texts = sms.requests.map(({ body }): string => JSON.parse(body).recipient);
  const reached = new Set(texts);
  expect(numbersOf("sent").filter((number) => !reached.has(number))).toEqual([]);
  expect(numbersOf("range_blocked", "country_limit").filter((number) => reached.has(number))).toEqual([]);
  expect(reached.size).toBe(countries.length * sendsPerHour);

  // A refusal is recorded before its answer, so that one without an answer is counted once or not at all.
  const events = await rows(
    `SELECT snapshot ->> 'reason' AS reason, count(*)::integer AS count, count(DISTINCT subject_id)::integer AS refusals,
       bool_and((snapshot ->> 'enforced')::boolean) AS enforced
     FROM event WHERE type = 'guard_refusal.recorded' GROUP BY 1 ORDER BY 1`,
  );
  expect(events.map(({ reason, enforced }) => [reason, enforced])).toEqual([
    ["country_limit", true],
    ["range_blocked", true],
  ]);
  const unanswered = numbersOf("unanswered");
  const withoutAnswer = {
    range_blocked: unanswered.filter((number) => number.startsWith(blocked[0])).length,
    country_limit: unanswered.filter((number) => !number.startsWith(blocked[0]) && !reached.has(number)).length,
  };
  for (const reason of ["range_blocked", "country_limit"] as const) {
    const told = numbersOf(reason).length;
    const event = events.find((each) => each.reason === reason);
    expect(event?.refusals).toBe(event?.count);
    expect(event?.count).toBeGreaterThanOrEqual(told);
    expect(event?.count).toBeLessThanOrEqual(told + withoutAnswer[reason]);
  }
  const headers = { "Byond-Mode": "live" };
  const { body: report } = await servers.any().rest("GET", "/guard/report?period=24h", { session, headers });
  const refused = events.reduce((sum, event) => sum + event.count, 0);
  expect([report.refused, report.would_refuse]).toEqual([refused, 0]);
  expect(Object.fromEntries(report.reasons.map((each: Counted) => [each.reason, each.refused]))).toEqual(
    Object.fromEntries(events.map((event) => [event.reason, event.count])),
  );

  console.log(
    [
      `guard: ${tried} starts over ${serverCount} servers, ${servers.kills} times one was killed with -9 and replaced`,
      `${reached.size} codes sent, ${sendsPerHour} to each of ${countries.length} countries, none to the blocked range`,
      `${refused} refusals in events and in the report, ${unanswered.length} starts without an answer`,
      `${texts.length - reached.size} messages sent twice by their provider's count`,
    ].join(" · "),
  );
  expect(servers.kills).toBe(killCount);
  expect(servers.unexpectedExits).toEqual([]);
  // A message is sent twice if its server is killed between sending and recording.
  expect(texts.length - reached.size).toBeLessThan(reached.size / 20);
});

interface Counted {
  readonly reason: string;
  readonly refused: number;
}
