/** The server of the last release and the one of today on one database, as in an upgrade that replaces the servers one by one. */
import { isDeepStrictEqual } from "node:util";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import released from "../../src/process/released-migrations.json" with { type: "json" };
import { SmtpSink, smtpError } from "../capabilities/channels/smtp-sink.ts";
import type { RestAnswer, RestCall } from "../support/app.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { ServerProcess } from "../support/processes.ts";
import { type LastRelease, unpackLastRelease } from "./last-release.ts";
import { codeIn, inParallel, until } from "./load.ts";

const password = "correct horse battery";
const account = (email: string) => ({ email, password, name: "Acme" });

/** What the old server did once the new one had migrated the database. */
const served = new Set<string>();

interface Server {
  readonly process: ServerProcess;
  /** Calls it, and expects this status. */
  call(status: number, method: string, path: string, call?: RestCall): Promise<RestAnswer["body"]>;
}

function serverOf(process: ServerProcess): Server {
  return {
    process,
    async call(status, method, path, call) {
      const answer = await process.rest(method, path, call);
      expect({ [`${method} ${path}`]: answer.status, body: answer.body }).toMatchObject({
        [`${method} ${path}`]: status,
      });
      return answer.body;
    },
  };
}

const resources = new AsyncDisposableStack();
let sink: SmtpSink;
let release: LastRelease;
let databaseUrl: string;
let old: Server;
let next: Server;
let session: string;
/** Of a start before the upgrade. */
let earlier: { readonly key: string; readonly id: string; readonly code: string };
/** Mails that are not taken yet. */
let isWithheld = (_recipient: string) => false;

const mailsTo = (recipient: string) => sink.mails.filter(({ to }) => to.includes(recipient));

/** The code in the last of that many mails to somebody. Those to owners of accounts have eight digits. */
async function codeTo(recipient: string, { count = 1, digits = 6 } = {}): Promise<string> {
  await until(`${count} mails to ${recipient}`, 60_000, () => mailsTo(recipient).length >= count);
  return codeIn(mailsTo(recipient)[count - 1]?.source ?? "", digits);
}

/** The names of those that were run, in order. */
async function findMigrations(): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query("SELECT name FROM schema_migration ORDER BY id");
    return rows.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

async function signUp(server: Server, email: string) {
  const { access_token: token, refresh_token: refresh } = await server.call(201, "POST", "/auth/sign-up", {
    body: account(email),
  });
  return { session: token, refresh };
}

async function start(server: Server, key: string, recipient: string): Promise<string> {
  const body = { channel: "email", recipient };
  return (await server.call(201, "POST", "/verify/start", { key, body })).verification_id;
}

async function check(server: Server, key: string, id: string, code: string): Promise<string> {
  return (await server.call(200, "POST", "/verify/check", { key, body: { verification_id: id, code } })).status;
}

beforeAll(async () => {
  sink = await SmtpSink.open();
  resources.defer(() => sink.close());
  sink.behaviour = {
    onRecipient(recipient) {
      if (isWithheld(recipient)) {
        throw smtpError(451, "4.7.1 not yet");
      }
    },
  };
  release = resources.use(await unpackLastRelease());
  const database = await createTestDatabase();
  resources.defer(() => database.drop());
  databaseUrl = database.url;
  const environment = { SMTP_URL: sink.url, MAIL_FROM: "Acme <no-reply@acme.example>" };

  const oldProcess = resources.use(await ServerProcess.start({ databaseUrl, environment, program: release.program }));
  expect(await findMigrations()).toEqual(release.migrations.map(({ name }) => name));
  old = serverOf(oldProcess);
  const email = "owner@example.com";
  ({ session } = await signUp(old, email));
  await old.call(201, "POST", "/auth/verify-email", { session });
  await old.call(200, "POST", "/auth/verify-email/check", {
    session,
    body: { code: await codeTo(email, { digits: 8 }) },
  });
  const { key } = await old.call(201, "POST", "/api-keys", { session, body: { name: "before the upgrade" } });
  const id = await start(old, key, "before@example.com");
  earlier = { key, id, code: await codeTo("before@example.com") };
  isWithheld = (recipient) => recipient.startsWith("queued-");
  await start(old, key, "queued-before@example.com");

  const nextProcess = resources.use(await ServerProcess.start({ databaseUrl, environment }));
  next = serverOf(nextProcess);
  const { call } = old;
  old = {
    process: oldProcess,
    async call(status, method, path, request) {
      const answer = await call(status, method, path, request);
      const operation = release.operations.find((each) =>
        new RegExp(`^${each.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(`${method} ${path.split("?")[0]}`),
      );
      if (status < 300 && operation !== undefined) {
        served.add(operation);
      }
      return answer;
    },
  };
}, 180_000);
afterAll(() => resources.disposeAsync());

test("what is kept as the last release has the migrations that count as released", () => {
  expect(release.migrations).toEqual(released);
});

test("the new one migrates, and both serve", async () => {
  const applied = await findMigrations();
  expect(applied.length).toBeGreaterThan(release.migrations.length);
  expect(applied).toEqual(expect.arrayContaining(release.migrations.map(({ name }) => name)));
  expect([await old.process.readiness(), await next.process.readiness()]).toEqual([200, 200]);
});

test("what was started before is checked after", async () => {
  expect(await check(next, earlier.key, earlier.id, earlier.code)).toBe("approved");
  expect((await old.call(200, "GET", `/verify/${earlier.id}`, { key: earlier.key })).status).toBe("approved");
});

describe.each([
  ["old", "new"],
  ["new", "old"],
])("between the %s one and the %s one", (name) => {
  const pair = (): [Server, Server] => (name === "old" ? [old, next] : [next, old]);

  test("what one starts the other checks, resends, cancels, lists and erases", async () => {
    const [one, other] = pair();
    const { key } = earlier;
    const recipient = `user-of-${name}@example.com`;
    const id = await start(one, key, recipient);
    const code = await codeTo(recipient);
    const wrong = code === "123456" ? "654321" : "123456";
    expect(await check(other, key, id, wrong)).toBe("incorrect");
    expect(await check(one, key, id, wrong)).toBe("incorrect");
    expect((await other.call(200, "GET", `/verify/${id}`, { key })).attempts_left).toBe(3);
    await other.call(200, "POST", `/verify/${id}/resend`, { key });
    expect(await codeTo(recipient, { count: 2 })).toBe(code);
    expect(await check(other, key, id, code)).toBe("approved");
    expect(await check(one, key, id, code)).toBe("expired");
    // They are recorded in batches, after they were sent.
    await until("both messages are recorded", 60_000, async () => {
      const { deliveries } = await one.call(200, "GET", `/verify/${id}`, { key });
      return deliveries.every(({ status }: { status: string }) => status === "sent");
    });

    const second = await start(one, key, recipient);
    const unused = await codeTo(recipient, { count: 3 });
    await other.call(200, "POST", `/verify/${second}/cancel`, { key });
    expect(await check(one, key, second, unused)).toBe("expired");
    const { verifications } = await other.call(200, "GET", "/verifications?page_size=100", { key });
    expect(verifications.map((each: { verification_id: string }) => each.verification_id)).toEqual(
      expect.arrayContaining([id, second]),
    );
    expect(await one.call(200, "POST", "/verifications/erase", { key, body: { recipient } })).toEqual({ erased: 2 });
    for (const server of [one, other]) {
      const { recipient: erased, deliveries } = await server.call(200, "GET", `/verify/${id}`, { key });
      expect([erased, deliveries[0].recipient, deliveries[1].recipient]).toEqual([null, null, null]);
    }
  });

  test("a recipient has one budget for wrong codes and for messages", async () => {
    const [one, other] = pair();
    const { key } = earlier;
    const recipient = `limited-of-${name}@example.com`;
    const body = { channel: "email", recipient };
    const id = await start(one, key, recipient);
    await start(other, key, recipient);
    await start(one, key, recipient);
    await other.call(429, "POST", "/verify/start", { key, body });
    // Of other lengths than the code.
    for (const server of [one, other, one, other]) {
      expect(await check(server, key, id, "1234")).toBe("incorrect");
    }
    expect(await check(one, key, id, "1234")).toBe("locked");
    expect(await check(other, key, id, "1234")).toBe("locked");
  });

  test("an answer that one has stored the other replays", async () => {
    const [one, other] = pair();
    const { key } = earlier;
    const recipient = `replayed-of-${name}@example.com`;
    const call = { key, headers: { "Idempotency-Key": `start-${name}` }, body: { channel: "email", recipient } };
    const first = await one.call(201, "POST", "/verify/start", call);
    const { headers, body } = await other.process.rest("POST", "/verify/start", call);
    expect([headers.get("Idempotent-Replayed"), body]).toEqual(["true", first]);
    await other.call(422, "POST", "/verify/start", { ...call, body: { ...call.body, recipient: `x${recipient}` } });
  });

  test("keys of one hold at the other, and what one changes, rotates or revokes holds there at once", async () => {
    const [one, other] = pair();
    const create = async (body: object) => one.call(201, "POST", "/api-keys", { session, body: { name, ...body } });
    const lookup = (server: Server, status: number, key: string) =>
      server.call(status, "GET", "/lookup?number=%2B14155552671", { key });

    const { id, key } = await create({ scopes: ["lookup", "verify"] });
    for (const server of [other, one]) {
      expect(await lookup(server, 200, key)).toMatchObject({ valid: true });
    }
    await other.call(200, "PATCH", `/api-keys/${id}`, { session, body: { scopes: ["verify"] } });
    await lookup(one, 403, key);
    await lookup(other, 403, key);
    await one.call(200, "PATCH", `/api-keys/${id}`, { session, body: { scopes: ["lookup"] } });
    const rotated = await other.call(200, "POST", `/api-keys/${id}/rotate`, { session });
    await lookup(one, 200, rotated.key);
    await lookup(one, 401, key);
    expect(await other.call(200, "GET", `/api-keys/${id}`, { session })).toMatchObject({ id, scopes: ["lookup"] });
    const { keys } = await one.call(200, "GET", "/api-keys?page_size=100", { session });
    expect(keys.map((each: { id: string }) => each.id)).toContain(id);

    for (let round = 0; round < 10; round += 1) {
      const [revoker, user] = round % 2 === 0 ? [one, other] : [other, one];
      const made = await create({ scopes: ["lookup"] });
      await lookup(user, 200, made.key);
      await revoker.call(200, "DELETE", `/api-keys/${made.id}`, { session });
      await lookup(user, 401, made.key);
      await lookup(revoker, 401, made.key);
    }
  });

  test("the quota of a key is one for both", async () => {
    const [one, other] = pair();
    const body = { name, scopes: ["lookup"], requests_per_minute: 6 };
    const { key } = await one.call(201, "POST", "/api-keys", { session, body });
    const statuses: number[] = [];
    for (const server of [one, other, one, other, one, other, one, other]) {
      statuses.push((await server.process.rest("GET", "/lookup?number=%2B14155552671", { key })).status);
    }
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(6);
    expect(statuses.at(-1)).toBe(429);
    expect([...new Set(statuses)].sort()).toEqual([200, 429]);
  });

  test("sessions of one hold at the other, and end at both", async () => {
    const [one, other] = pair();
    const email = `person-of-${name}@example.com`;
    const signIn = (server: Server, secret = password) =>
      server.call(200, "POST", "/auth/sign-in", { body: { email, password: secret } });
    const me = (server: Server, status: number, token: string) =>
      server.call(status, "GET", "/auth/me", { session: token });

    const opened = await signUp(one, email);
    expect(await me(other, 200, opened.session)).toMatchObject({ email, verified: false });
    await other.call(201, "POST", "/auth/verify-email", { session: opened.session });
    const code = await codeTo(email, { digits: 8 });
    await one.call(200, "POST", "/auth/verify-email/check", { session: opened.session, body: { code } });
    expect(await me(other, 200, opened.session)).toMatchObject({ verified: true });

    await other.call(200, "PATCH", "/workspace", { session: opened.session, body: { name: `Of ${name}` } });
    expect(await one.call(200, "GET", "/workspace", { session: opened.session })).toMatchObject({ name: `Of ${name}` });

    const refreshed = await other.call(200, "POST", "/auth/refresh", { body: { refresh_token: opened.refresh } });
    await me(one, 200, refreshed.access_token);
    await one.call(200, "POST", "/auth/sign-out", { body: { refresh_token: refreshed.refresh_token } });
    await me(other, 401, refreshed.access_token);

    const [first, second] = [await signIn(one), await signIn(other)];
    await one.call(200, "POST", "/auth/logout-all", { session: second.access_token });
    await me(other, 401, first.access_token);
    await me(other, 401, second.access_token);

    const third = await signIn(other);
    const changed = await one.call(200, "POST", "/auth/change-password", {
      session: third.access_token,
      body: { current_password: password, new_password: `another ${password}` },
    });
    await me(other, 200, changed.access_token);
    await me(other, 401, third.access_token);

    const count = mailsTo(email).length;
    const { reset_id: resetId } = await one.call(201, "POST", "/auth/reset-password", { body: { email } });
    const confirmation = {
      reset_id: resetId,
      code: await codeTo(email, { count: count + 1, digits: 8 }),
      new_password: password,
    };
    await other.call(200, "POST", "/auth/reset-password/confirm", { body: confirmation });
    await me(one, 401, changed.access_token);

    const last = await signIn(one);
    const { key } = await one.call(201, "POST", "/api-keys", { session: last.access_token, body: { name } });
    await other.call(200, "GET", "/lookup?number=%2B14155552671", { key });
    await one.call(200, "POST", "/auth/delete-account", { session: last.access_token, body: { password } });
    await me(other, 401, last.access_token);
    await other.call(401, "GET", "/lookup?number=%2B14155552671", { key });
  });
});

test("an old one starts on the new schema, too", async () => {
  await using another = await old.process.startAnother();
  await serverOf(another).call(200, "GET", "/lookup?number=%2B14155552671", { key: earlier.key });
  expect(await another.stop()).toEqual({ code: 0, signal: null });
});

test("every operation of the old one has been served on the new schema", () => {
  expect(release.operations.filter((operation) => !served.has(operation))).toEqual([]);
});

test("what the old one does becomes events and is counted, too", async () => {
  const { key } = earlier;
  const headers = { "Byond-Mode": "live" };
  const countStarted = async () =>
    (await next.call(200, "GET", "/reports/verifications", { session, headers })).groups[0]?.started ?? 0;
  const before = await countStarted();
  const id = await start(old, key, "counted@example.com");
  expect(await check(old, key, id, await codeTo("counted@example.com"))).toBe("approved");
  const expected = ["verification.approved", "verification.delivered", "verification.started"];
  await until("its events", 60_000, async () => {
    const { events } = await next.call(200, "GET", `/events?subject=${id}`, { session, headers });
    return isDeepStrictEqual(events.map(({ type }: { type: string }) => type).sort(), expected);
  });
  await until("it is counted", 60_000, async () => (await countStarted()) > before);
});

test("the old one stops while both are called: nothing is lost, and nothing is sent twice", async () => {
  const { key } = earlier;
  const started = new Map<string, string>();
  const begin = async (server: Server, recipient: string) => {
    const body = { channel: "email", recipient };
    const answer = await server.process.rest("POST", "/verify/start", { key, body }).catch(() => undefined);
    if (answer !== undefined) {
      expect(answer).toMatchObject({ status: 201, body: { status: "pending" } });
      started.set(recipient, answer.body.verification_id);
    }
    return answer !== undefined;
  };
  // Messages that wait in the queue.
  await inParallel(10, async (index) => {
    expect(await begin(index % 2 === 0 ? old : next, `queued-${index}@example.com`)).toBe(true);
  });

  let exit: Promise<unknown> | undefined;
  await inParallel(8, async (caller) => {
    for (let index = 0; index < 40; index += 1) {
      const server = caller % 2 === 0 ? old : next;
      const isAnswered = await begin(server, `last-${caller}-${index}@example.com`);
      // Refused is only what comes after the stop.
      expect(isAnswered || (server === old && exit !== undefined)).toBe(true);
      if (started.size > 100) {
        exit ??= old.process.stop();
      }
    }
  });
  expect(await exit).toEqual({ code: 0, signal: null });

  isWithheld = () => false;
  started.set("queued-before@example.com", "");
  await until("everything has arrived", 120_000, () => [...started.keys()].every((each) => mailsTo(each).length > 0));
  await inParallel(8, async (checker) => {
    for (const [index, [recipient, id]] of [...started].entries()) {
      if (index % 8 === checker && id !== "") {
        expect(await check(next, key, id, await codeTo(recipient))).toBe("approved");
      }
    }
  });
  expect([...started.keys()].filter((each) => mailsTo(each).length !== 1)).toEqual([]);
});

test("neither has logged an error", () => {
  const errors = [old, next].flatMap(({ process }) => process.logLines.filter(({ level }) => level === "error"));
  expect(errors).toEqual([]);
});
