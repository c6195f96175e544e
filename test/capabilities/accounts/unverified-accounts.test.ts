/** What unverified accounts may do on servers that really send mail, and how they end. */
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type Config, parseConfig } from "../../../src/app.ts";
import { password, type SignedUp, startTestApp, type TestApp } from "../../support/app.ts";
import { type Protocol, protocols } from "../../support/protocols.ts";
import { SmtpSink } from "../channels/smtp-sink.ts";

let sink: SmtpSink;
let here: TestApp;
let there: TestApp;
const delivery = (url: string): Config["delivery"] => ({
  ...parseConfig({}).delivery,
  smtp: { url, from: "no-reply@byond.example" },
});
beforeAll(async () => {
  sink = await SmtpSink.open();
  here = await startTestApp({ delivery: delivery(sink.url) }, { sweepIntervalMs: 20 });
  there = await here.startAnother();
});
afterAll(async () => {
  await there[Symbol.asyncDispose]();
  await here[Symbol.asyncDispose]();
  await sink.close();
});

/** For what servers do in the background. */
const patience = { timeout: 10_000 };

const mailsTo = (email: string) => sink.mails.filter(({ to }) => to.includes(email));

/** The newest code to the address, once there are as many mails. */
async function codeTo(email: string, mails: number): Promise<string> {
  await vi.waitFor(() => expect(mailsTo(email)).toHaveLength(mails), patience);
  return /^ {4}(\d+)\r?$/m.exec(mailsTo(email).at(-1)?.source ?? "")?.[1] ?? "";
}

async function verify(protocol: Protocol, { session, email }: SignedUp): Promise<void> {
  await protocol.call(here, "StartEmailVerification", {}, { session });
  const code = await codeTo(email, 1);
  expect((await protocol.call(here, "CheckEmailVerification", { code }, { session })).body.verified).toBe(true);
}

describe.each(protocols)("over $name", (protocol: Protocol) => {
  let owner: SignedUp;
  beforeEach(async () => {
    owner = await here.signUp();
  });
  const mint = async (mode: string): Promise<string> =>
    (await protocol.call(here, "CreateApiKey", { name: mode, mode }, { session: owner.session })).body.key;
  const lookup = async (server: TestApp, key: string) =>
    (await protocol.call(server, "LookupNumber", { number: "1" }, { key })).code;
  const start = async (server: TestApp, key: string) =>
    (await protocol.call(server, "StartVerification", { channel: "email", recipient: "ada@example.net" }, { key }))
      .code;

  test("live keys are refused until the address is verified, and work on two servers at once from then on", async () => {
    const live = await mint("live");
    const sandbox = await mint("test");
    expect((await protocol.call(here, "ListVerifications", {}, { key: live })).code).toBe("email_not_verified");
    expect((await protocol.call(here, "ListVerifications", {}, { session: owner.session })).code).toBe("ok");
    for (const server of [here, there]) {
      expect(await start(server, live)).toBe("email_not_verified");
      expect(await lookup(server, live)).toBe("email_not_verified");
      expect(await lookup(server, sandbox)).toBe("ok");
      expect((await protocol.call(server, "GetMe", {}, { key: live })).body.verified).toBe(false);
    }
    expect(await start(here, sandbox)).toBe("ok");
    await verify(protocol, owner);
    expect([await lookup(there, live), await lookup(here, live)]).toEqual(["ok", "ok"]);
    expect(await start(there, live)).toBe("ok");
  });

  describe("beside a server where sign-up is closed, and one where nothing really leaves", () => {
    let closed: TestApp;
    let local: TestApp;
    beforeAll(async () => {
      closed = await here.startAnother({ delivery: delivery(sink.url), signUp: "closed" });
      local = await here.startAnother({});
    });
    afterAll(async () => {
      await local[Symbol.asyncDispose]();
      await closed[Symbol.asyncDispose]();
    });

    test("where sign-up is closed, or nothing really leaves, live keys are not refused", async () => {
      const live = await mint("live");
      expect([await lookup(closed, live), await lookup(local, live), await lookup(here, live)]).toEqual([
        "ok",
        "ok",
        "email_not_verified",
      ]);
    });

    test("unverified workspaces share a recipient's bucket where messages really leave, and verified ones do not", async () => {
      const recipient = `victim-${protocol.name}@example.net`;
      const begin = async (server: TestApp, key: string) =>
        (await protocol.call(server, "StartVerification", { channel: "email", recipient }, { key })).code;
      const liveKeyOf = async (account: SignedUp): Promise<string> => {
        const { session } = account;
        return (await protocol.call(here, "CreateApiKey", { name: "live" }, { session })).body.key;
      };
      const keys: string[] = [];
      for (let account = 0; account < 5; account += 1) {
        keys.push(await liveKeyOf(await here.signUp()));
      }
      const codes: string[] = [];
      for (const key of keys) {
        codes.push(await begin(closed, key));
      }
      expect(codes).toEqual(["ok", "ok", "ok", "rate_limited", "rate_limited"]);
      expect(await begin(local, keys[4] ?? "")).toBe("ok");
      const verified = await here.signUp();
      await verify(protocol, verified);
      expect(await begin(closed, await liveKeyOf(verified))).toBe("ok");
    });
  });

  test("codes that verify an address share a recipient's bucket too", async () => {
    const email = `contested-${protocol.name}@example.com`;
    const sessions: string[] = [];
    for (const secret of ["the first password", "the second password"]) {
      const { body } = await protocol.call(here, "SignUp", { email, password: secret, name: "Acme" });
      sessions.push(body.access_token);
    }
    const codes: string[] = [];
    for (const session of [...sessions, ...sessions]) {
      codes.push((await protocol.call(there, "StartEmailVerification", {}, { session })).code);
    }
    expect(codes).toEqual(["ok", "ok", "ok", "rate_limited"]);
  });

  test("an account ends after 72 hours with its keys and sessions, and is warned by one mail the day before", async () => {
    const key = await mint("test");
    const kept = await here.signUp();
    await verify(protocol, kept);
    await here.time.advance({ seconds: 48 * 3_600 - 60 });
    const late = await here.signUp();
    await swept();
    expect(mailsTo(owner.email)).toHaveLength(0);

    await here.time.advance({ seconds: 120 });
    await wasTold(owner);
    // Neither of the servers has claimed the mail as its own: it is due to whoever looks first, ten seconds later.
    await here.time.advance({ seconds: 11 });
    await vi.waitFor(() => expect(mailsTo(owner.email)).toHaveLength(1), patience);
    const { source } = mailsTo(owner.email)[0] ?? expect.fail();
    expect(source).toContain("Subject: Your Byond account ends tomorrow");
    expect(source).toContain("Content-Type: text/plain");
    expect(source).toContain("Content-Type: text/html");
    expect((await protocol.call(there, "GetMe", {}, { key })).code).toBe("ok");

    await here.time.advance({ seconds: 24 * 3_600 });
    await vi.waitFor(async () => expect(await lookup(there, key)).toBe("invalid_api_key"), patience);
    expect(await lookup(here, key)).toBe("invalid_api_key");
    for (const server of [here, there]) {
      const { code } = await protocol.call(server, "RefreshSession", { refresh_token: owner.refreshToken });
      expect(code).toBe("invalid_api_key");
    }
    const signIn = async ({ email }: SignedUp) => (await protocol.call(there, "SignIn", { email, password })).code;
    expect(await signIn(owner)).toBe("invalid_api_key");
    expect(await signIn(kept)).toBe("ok");
    expect(await signIn(late)).toBe("ok");
    expect(mailsTo(owner.email)).toHaveLength(1);
    expect(mailsTo(kept.email)).toHaveLength(1);
    const again = await protocol.call(here, "SignUp", { email: owner.email, password, name: "Again" });
    expect(again.code).toBe("ok");
  });

  test("an account that is verified after the warning stays", async () => {
    const { session } = owner;
    await here.time.advance({ seconds: 49 * 3_600 });
    await wasTold(owner);
    const fresh = (await protocol.call(here, "SignIn", { email: owner.email, password })).body.access_token ?? session;
    await protocol.call(here, "StartEmailVerification", {}, { session: fresh });
    const code = await vi.waitFor(() => {
      const found = mailsTo(owner.email).flatMap(({ source }) => /^ {4}(\d+)\r?$/m.exec(source)?.[1] ?? []);
      expect(found).toHaveLength(1);
      return found[0];
    }, patience);
    await protocol.call(here, "CheckEmailVerification", { code }, { session: fresh });
    await here.time.advance({ seconds: 48 * 3_600 });
    await swept();
    expect((await protocol.call(there, "SignIn", { email: owner.email, password })).code).toBe("ok");
  });
});

test("where no mail is sent, accounts do not end", async () => {
  await using local = await startTestApp({}, { sweepIntervalMs: 20 });
  const { email } = await local.signUp();
  // Far enough for the announcement, then for the end that an announcement puts off by a day.
  for (const hours of [100, 25]) {
    await local.time.advance({ seconds: hours * 3_600 });
    // Two rounds of sweeps, as they remove full buckets.
    for (let round = 0; round < 2; round += 1) {
      await query(local, "INSERT INTO throttle VALUES ('test', $1, byond_now())", [`full ${round}`]);
      await vi.waitFor(async () => expect(await query(local, "SELECT FROM throttle")).toBe(0), patience);
    }
  }
  const answer = await local.rest("POST", "/auth/sign-in", { body: { email, password } });
  expect(answer.status).toBe(200);
});

/** Waits until both servers have swept whatever was due when it was called. */
async function swept(): Promise<void> {
  // Three: two of them may be swept by rounds that were under way on the two servers.
  for (let round = 0; round < 3; round += 1) {
    const { userId } = await here.signUp();
    await query(here, "UPDATE account SET ends_at = byond_now(), end_announced_at = byond_now() WHERE id = $1", [
      userId,
    ]);
    await vi.waitFor(
      async () => expect(await query(here, "SELECT FROM account WHERE id = $1", [userId])).toBe(0),
      patience,
    );
  }
}

async function wasTold({ userId }: SignedUp): Promise<void> {
  const told = "SELECT FROM account WHERE id = $1 AND end_announced_at IS NOT NULL";
  await vi.waitFor(async () => expect(await query(here, told, [userId])).toBe(1), patience);
}

/** How many rows there are. */
async function query({ databaseUrl }: TestApp, text: string, values: readonly string[] = []): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query(text, [...values])).rowCount ?? 0;
  } finally {
    await client.end();
  }
}
