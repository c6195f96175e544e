import pg from "pg";
import { expect, test, vi } from "vitest";
import { endUserLimits } from "../../../src/capabilities/verify/send-limits.ts";
import { startTestApp } from "../../support/app.ts";
import { limitsOf } from "../../support/limit-settings.ts";
import { protocols } from "../../support/protocols.ts";

test("an end user has a limit of their own; a start that names none has none", () => {
  const settings = { sourceSendsPerMinute: undefined, endUserSendsPerHour: 10 };
  expect(endUserLimits(settings, { addressKey: undefined, deviceIndexes: [] })).toEqual([]);
  expect(endUserLimits(settings, { addressKey: "2001:db8::/64", deviceIndexes: ["x", "y"] })).toEqual([
    {
      bucket: "end_user",
      keys: ["end-user:2001:db8::/64", "device:x", "device:y"],
      limit: { burst: 10, periodSeconds: 360 },
      message: "Too many codes for this end user. Try again later.",
    },
  ]);
});

test("fifty parallel starts from one source with a limit of twenty start exactly twenty, over two servers", async () => {
  await using app = await startTestApp(limitsOf({ SOURCE_SEND_LIMIT: "20" }));
  await using other = await app.startAnother(limitsOf({ SOURCE_SEND_LIMIT: "20" }));
  const key = await app.mintKey({ mode: "test" });
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      (index % 2 === 0 ? app : other).rest("POST", "/verify/start", {
        key,
        body: { channel: "email", recipient: `ada-${index}@example.com` },
      }),
    ),
  );
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
  const refused = answers.find(({ status }) => status !== 201);
  expect([refused?.status, refused?.body.error.message]).toEqual([
    429,
    "Too many codes from this IP address. Try again later.",
  ]);
  expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
});

test("a start that the recipient's limit refuses does not count against its source", async () => {
  await using app = await startTestApp(limitsOf({ SOURCE_SEND_LIMIT: "4" }));
  const key = await app.mintKey({ mode: "test" });
  const start = async (recipient: string) =>
    (await app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient } })).status;
  const statuses = [];
  for (const recipient of ["a", "a", "a", "a", "a", "b", "c"]) {
    statuses.push(await start(`${recipient}@example.com`));
  }
  expect(statuses).toEqual([201, 201, 201, 429, 429, 201, 429]);
});

test("forty parallel starts with Idempotency-Keys are all answered where sources have a limit", async () => {
  await using app = await startTestApp(limitsOf({ SOURCE_SEND_LIMIT: "1000" }));
  const key = await app.mintKey({ mode: "test" });
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      app.rest("POST", "/verify/start", {
        key,
        headers: { "Idempotency-Key": `start-${index}` },
        body: { channel: "email", recipient: `ada-${index}@example.com` },
      }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(201));
});

test("a resend that has nothing to do does not count against its source", async () => {
  await using app = await startTestApp(limitsOf({ SOURCE_SEND_LIMIT: "2" }));
  const key = await app.mintKey({ mode: "test" });
  const start = (recipient: string) =>
    app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient } });
  const { verification_id: id } = (await start("ada@example.com")).body;
  await app.rest("POST", `/verify/${id}/cancel`, { key });
  for (const _ of Array(3)) {
    expect((await app.rest("POST", `/verify/${id}/resend`, { key, body: {} })).status).toBe(200);
  }
  expect((await start("grace@example.com")).status).toBe(201);
  expect((await start("joan@example.com")).status).toBe(429);
});

test.each(protocols)("over $name, the IPv6 addresses of one /64 are one end user", async (protocol) => {
  await using app = await startTestApp(limitsOf({ END_USER_SEND_LIMIT: "2" }));
  const key = await app.mintKey({ mode: "test" });
  const start = (end_user_ip: string, index: number) =>
    protocol.call(
      app,
      "StartVerification",
      { channel: "email", recipient: `ada${index}@example.com`, end_user_ip },
      { key },
    );
  const codes: string[] = [];
  for (const [index, last] of ["0:7::1", "0:7:2::", "0:7:ffff::3", "0:8::1"].entries()) {
    codes.push((await start(`2001:db8:${last}`, index)).code);
  }
  expect(codes).toEqual(["ok", "ok", "rate_limited", "ok"]);
});

test.each(protocols)(
  "over $name, who loses the last code of an end user to a start of the same moment is told so",
  async (protocol) => {
    await using app = await startTestApp(limitsOf({ END_USER_SEND_LIMIT: "4" }));
    const key = await app.mintKey({ mode: "test" });
    const start = (name: string) => {
      const recipient = `${name}@example.com`;
      return protocol.call(
        app,
        "StartVerification",
        { channel: "email", recipient, end_user_ip: "203.0.113.7" },
        { key },
      );
    };
    for (const name of ["ada", "grace", "joan"]) {
      expect((await start(name)).code).toBe("ok");
    }
    const blocker = new pg.Client({ connectionString: app.databaseUrl });
    await blocker.connect();
    try {
      await blocker.query("BEGIN");
      await blocker.query("SELECT FROM throttle WHERE key LIKE 'end-user:%' FOR UPDATE");
      const answers = Promise.all([start("mary"), start("jean")]);
      // A connection of its own: what a transaction sees of the activity is as it was when it looked first.
      const observer = new pg.Client({ connectionString: app.databaseUrl });
      await observer.connect();
      const waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
      await vi.waitFor(async () => expect((await observer.query(waiting)).rowCount).toBe(2), 20_000);
      await observer.end();
      await blocker.query("ROLLBACK");
      const [refused, ...others] = (await answers).filter(({ code }) => code !== "ok");
      expect(others).toEqual([]);
      expect([refused?.code, refused?.body.message]).toEqual([
        "rate_limited",
        "Too many codes for this end user. Try again later.",
      ]);
      expect(refused?.body.retry_after).toBe(900);
    } finally {
      await blocker.end();
    }
  },
);
