import { afterAll, beforeAll, expect, test } from "vitest";
import { HttpFake } from "../capabilities/channels/http-fake.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { ServerProcess } from "../support/processes.ts";
import { until } from "./load.ts";

/** Two servers with two providers of text messages, the first of which goes down and comes back. */
const resources = new AsyncDisposableStack();
let servers: readonly [ServerProcess, ServerProcess];
let first: HttpFake;
let second: HttpFake;
let key: string;
/** The ids of all verifications, by recipient. */
const started = new Map<string, string>();

const works = { status: 202 };
const down = { status: 503 };

beforeAll(async () => {
  const database = await createMigratedDatabase();
  resources.defer(() => database.drop());
  first = await HttpFake.open();
  resources.defer(() => first.close());
  second = await HttpFake.open();
  resources.defer(() => second.close());
  const environment = {
    SMS_URL: `${first.url}/?name=first ${second.url}/?name=second`,
    PROVIDER_SECRET: "a secret of the adapters that is long enough",
  };
  const start = () => ServerProcess.start({ databaseUrl: database.url, environment });
  servers = [resources.use(await start()), resources.use(await start())];
  key = await servers[0].mintKey();
});

afterAll(() => resources.disposeAsync());

/** Starts verifications on both servers in turn, all of which are answered 201. */
async function start(count: number): Promise<string[]> {
  const recipients = Array.from({ length: count }, (_, index) => `+6591${234_000 + started.size + index}`);
  const answers = await Promise.all(
    recipients.map((recipient, index) =>
      servers[index % 2 === 0 ? 0 : 1].rest("POST", "/verify/start", { key, body: { channel: "sms", recipient } }),
    ),
  );
  expect(answers.map(({ status, body }) => [status, body.status])).toEqual(answers.map(() => [201, "pending"]));
  for (const [index, recipient] of recipients.entries()) {
    started.set(recipient, answers[index]?.body.verification_id);
  }
  return recipients;
}

async function deliveriesTo(recipients: readonly string[]) {
  return Promise.all(
    recipients.map(async (recipient) => {
      const { body } = await servers[0].rest("GET", `/verify/${started.get(recipient)}`, { key });
      return body.deliveries[0];
    }),
  );
}

/** Waits until all are sent. Returns by which providers. */
async function providersOf(recipients: readonly string[]): Promise<string[]> {
  await until("the messages are sent", 30_000, async () =>
    (await deliveriesTo(recipients)).every(({ status }) => status === "sent"),
  );
  return (await deliveriesTo(recipients)).map(({ provider }) => provider);
}

/** How often a provider was given a message to each of these recipients. */
function requestsTo(provider: HttpFake, recipients: readonly string[]): number[] {
  const asked = provider.requests.map(({ body }) => JSON.parse(body).recipient);
  return recipients.map((recipient) => asked.filter((each) => each === recipient).length);
}

test("while both work, the first gets all messages", async () => {
  first.answer = works;
  second.answer = works;
  const recipients = await start(10);
  expect(new Set(await providersOf(recipients))).toEqual(new Set(["first"]));
  expect(second.requests).toEqual([]);
});

test("while the first is down, the second gets each message once, and soon nothing is asked of the first", async () => {
  first.answer = down;
  const startedAtMs = performance.now();
  const recipients = await start(60);
  expect(new Set(await providersOf(recipients))).toEqual(new Set(["second"]));
  const tookMs = performance.now() - startedAtMs;
  expect(requestsTo(second, recipients)).toEqual(recipients.map(() => 1));
  const attempts = (await deliveriesTo(recipients)).map((delivery) => delivery.attempts);
  expect(Math.max(...attempts)).toBe(2);
  const later = await start(10);
  expect(new Set(await providersOf(later))).toEqual(new Set(["second"]));
  for (const server of servers) {
    const paused = server.logLines.filter(({ event }) => event === "provider_paused");
    expect(new Set(paused.map(({ provider }) => provider))).toEqual(new Set(["first"]));
  }
  console.log(
    `first provider down: ${recipients.length} messages over the second in ${Math.round(tookMs)} ms, ` +
      `${attempts.filter((count) => count === 2).length} of them after an attempt at the first`,
  );
});

test("when the first is back, it gets the messages again", async () => {
  first.answer = works;
  await until("the first is tried again", 30_000, async () => {
    const [one = ""] = await start(1);
    return (await providersOf([one]))[0] === "first";
  });
  // The other server finds out by itself.
  await until("both servers use the first", 30_000, async () => {
    const recipients = await start(4);
    return (await providersOf(recipients)).every((provider) => provider === "first");
  });
});

test("while both are down, messages wait; when one is back, each is sent once", async () => {
  first.answer = down;
  second.answer = down;
  const recipients = await start(30);
  await until("all have been tried", 30_000, async () =>
    (await deliveriesTo(recipients)).some(({ attempts }) => attempts >= 2),
  );
  expect((await deliveriesTo(recipients)).every(({ status }) => status === "queued")).toBe(true);
  const asked = second.requests.length;
  second.answer = works;
  expect(new Set(await providersOf(recipients))).toEqual(new Set(["second"]));
  const taken = second.requests.slice(asked).map(({ body }) => JSON.parse(body).recipient);
  expect(taken.toSorted()).toEqual(recipients.toSorted());
});
