/** What the overview says: each verification once, in the hour of its start, and only to its own workspace and mode. */
import { describe, expect, test, vi } from "vitest";
import { type SignedUp, startTestApp, type TestApp, useTestApp } from "../../support/app.ts";
import { type Answer, type Credentials, type Protocol, protocols } from "../../support/protocols.ts";
import { check, rowsOf, start, startAndRead, wrongFor } from "../verify/verify-calls.ts";

const app = useTestApp({}, { sweepIntervalMs: 200 });
const [rest] = protocols as readonly [Protocol, Protocol];

const nothing = {
  started: 0,
  delivered: 0,
  approved: 0,
  expired: 0,
  locked: 0,
  canceled: 0,
  channel_unavailable: 0,
  failed_messages: 0,
  conversion_percent: null,
};

async function newKey(account: SignedUp, mode: "live" | "test" = "test", more: object = {}, on: TestApp = app) {
  const body = { name: "reports", mode, ...more };
  return String((await on.rest("POST", "/api-keys", { session: account.session, body })).body.key);
}

async function overview(credentials: Credentials, input: object = {}, on: TestApp = app, protocol = rest) {
  const { code, body } = await protocol.call(on, "GetOverview", { ...input }, credentials);
  expect(code).toBe("ok");
  return body;
}

/** Waits until the overview says so of verifications: events are counted a moment after their commit. */
async function overviewOnce(counts: object, credentials: Credentials, input: object = {}, on: TestApp = app) {
  return vi.waitFor(async () => {
    const body = await overview(credentials, input, on);
    expect(body.verifications).toMatchObject(counts);
    return body;
  }, 10_000);
}

/** Every number of the buckets, added up. */
// biome-ignore lint/suspicious/noExplicitAny: a test reads JSON of which it says itself what it expects
function sumOfBuckets({ buckets }: any) {
  const { conversion_percent: _, ...names } = nothing;
  return Object.fromEntries(
    Object.keys(names).map((name) => [
      name,
      buckets.reduce(
        (sum: number, bucket: Record<string, Record<string, number>>) => sum + (bucket.verifications?.[name] ?? 0),
        0,
      ),
    ]),
  );
}

describe.each(protocols)("over $name", (protocol) => {
  test("a new workspace has an overview of zeros, for each period", async () => {
    const account = await app.signUp();
    const key = await newKey(account);
    for (const [period, seconds, count] of [
      [undefined, 3_600, 24],
      ["24h", 3_600, 24],
      ["7d", 86_400, 7],
      ["30d", 86_400, 30],
    ] as const) {
      const body = await overview({ key }, period === undefined ? {} : { period }, app, protocol);
      const empty = { p50_ms: null, p95_ms: null, ranges: [] };
      const starts = body.buckets.map((bucket: { readonly start: string }) => bucket.start);
      const startMs = Date.parse(body.period_start);
      expect(body).toEqual({
        period_start: expect.any(String),
        period_end: expect.any(String),
        bucket_seconds: seconds,
        verifications: nothing,
        channels: [],
        buckets: starts.map((beginning: string) => ({
          start: beginning,
          verifications: nothing,
          channels: [],
          requests: expect.any(Number),
          failed_requests: 0,
        })),
        time_to_delivery: empty,
        time_to_approval: empty,
        requests: { total: expect.any(Number), failed: 0, errors: [] },
        request_limit: null,
      });
      expect(starts.map((beginning: string) => Date.parse(beginning))).toEqual(
        Array.from({ length: count }, (_, index) => startMs + index * seconds * 1_000),
      );
      // Hours and days of UTC, of which the current one is the last.
      expect(startMs % (seconds * 1_000)).toBe(0);
      expect(Date.parse(body.period_end)).toBe(startMs + count * seconds * 1_000);
      const nowMs = app.time.now().getTime();
      expect(nowMs).toBeGreaterThanOrEqual(Date.parse(starts.at(-1)));
      expect(nowMs).toBeLessThan(Date.parse(body.period_end));
    }
  });

  test("periods that there are not are refused, and so are keys without the scope", async () => {
    const account = await app.signUp();
    const refusal = async (credentials: Credentials): Promise<Answer> =>
      protocol.call(app, "GetOverview", {}, credentials);
    expect((await refusal({ key: await newKey(account, "test", { scopes: ["verify"] }) })).code).toBe(
      "insufficient_scope",
    );
    expect((await refusal({ key: await newKey(account, "test", { scopes: ["reports"] }) })).code).toBe("ok");
    expect((await refusal({})).code).toBe("invalid_api_key");
    const { body } = await app.rest("GET", "/reports/overview?period=1h", { session: account.session });
    expect(body.error.fields).toEqual({ period: expect.stringContaining("24h") });
  });

  test("each end is counted once, with the channel of the start, whatever was sent and however often", async () => {
    const account = await app.signUp();
    const key = await newKey(account);
    const name = `${protocol.name}-${account.userId}`.toLowerCase();
    const address = (what: string) => `${what}-${name}@example.com`;
    const approved = await startAndRead(app, key, address("approved"));
    await overviewOnce({ started: 1, delivered: 1 }, { key });
    // A second message of the same verification: it was delivered already.
    expect((await app.rest("POST", `/verify/${approved.id}/resend`, { key, body: {} })).status).toBe(200);
    const locked = await startAndRead(app, key, address("locked"));
    const canceled = await startAndRead(app, key, address("canceled"));
    await startAndRead(app, key, address("pending"));
    await overviewOnce({ started: 4, delivered: 4 }, { key });
    expect(await check(app, key, approved.id, approved.code)).toBe("approved");
    await check(app, key, approved.id, approved.code);
    for (let attempt = 0; attempt < 7; attempt++) {
      await check(app, key, locked.id, wrongFor(locked));
    }
    for (let attempt = 0; attempt < 2; attempt++) {
      await app.rest("POST", `/verify/${canceled.id}/cancel`, { key });
    }
    await start(app, key, "+6591234567", { channel: "voice" });
    const counts = { started: 5, delivered: 4, approved: 1, locked: 1, canceled: 1, channel_unavailable: 1 };
    const body = await overviewOnce(counts, { key });
    const report = await overview({ key }, {}, app, protocol);
    expect(report).toMatchObject({
      verifications: { ...nothing, ...counts, conversion_percent: 25 },
      channels: [
        { channel: "voice", verifications: { ...nothing, started: 1, channel_unavailable: 1 } },
        {
          channel: "email",
          verifications: {
            ...nothing,
            started: 4,
            delivered: 4,
            approved: 1,
            locked: 1,
            canceled: 1,
            conversion_percent: 25,
          },
        },
      ],
    });
    expect(sumOfBuckets(body)).toEqual({ expired: 0, failed_messages: 0, ...counts });
    const deliveries = report.time_to_delivery.ranges.reduce(
      (sum: number, range: { readonly count: number }) => sum + range.count,
      0,
    );
    expect(deliveries).toBe(4);
    expect(report.time_to_delivery.p95_ms).toBeGreaterThan(0);
    expect(report.time_to_approval.p50_ms).toBeGreaterThan(0);
    expect(report.channels[0].time_to_delivery).toEqual({ p50_ms: null, p95_ms: null, ranges: [] });
  });

  test("the modes of a workspace share nothing, and a session names the one that it reads", async () => {
    const account = await app.signUp();
    const { session } = account;
    const live = await newKey(account, "live");
    const sandbox = await newKey(account, "test");
    await start(app, live, "+6591234567", { channel: "voice" });
    for (const attempt of [1, 2]) {
      await start(app, sandbox, `mode-${attempt}-${protocol.name}@example.com`);
    }
    await overviewOnce({ started: 1 }, { key: live });
    await overviewOnce({ started: 2 }, { key: sandbox });
    const startedBy = async (credentials: Credentials) =>
      (await overview(credentials, {}, app, protocol)).verifications.started;
    expect(await startedBy({ key: live })).toBe(1);
    expect(await startedBy({ key: sandbox })).toBe(2);
    expect(await startedBy({ session })).toBe(1);
    expect(await startedBy({ session, headers: { "Byond-Mode": "test" } })).toBe(2);
    const refused = await protocol.call(app, "GetOverview", {}, { key: live, headers: { "Byond-Mode": "test" } });
    expect(refused.code).toBe("invalid_request");
    const other = await app.signUp();
    expect(await startedBy({ session: other.session, headers: { "Byond-Mode": "test" } })).toBe(0);
    expect(await startedBy({ key: await newKey(other, "test") })).toBe(0);
  });
});

test("a verification counts in the hour of its start, in UTC, whenever it ends; days are those of UTC, too", async () => {
  await using own = await startTestApp({}, { sweepIntervalMs: 2 ** 30 });
  const account = await own.signUp();
  const key = await newKey(account, "test", {}, own);
  const hourMs = 3_600_000;
  const sinceMidnightMs = own.time.now().getTime() % (24 * hourMs);
  // Three minutes before the midnight after the next: the code is still valid on the day after.
  const untilMs = 48 * hourMs - sinceMidnightMs - 180_000;
  await own.time.advance({ seconds: Math.ceil(untilMs / 1_000) });
  const started = await startAndRead(own, key, "night@example.com", { ttl_seconds: 3_600 });
  await overviewOnce({ started: 1, delivered: 1 }, { key }, {}, own);
  await own.time.advance({ seconds: 600 });
  const next = await startAndRead(own, key, "morning@example.com");
  expect(await check(own, key, started.id, started.code)).toBe("approved");
  expect(await check(own, key, next.id, wrongFor(next))).toBe("incorrect");
  const hours = await overviewOnce({ started: 2, delivered: 2, approved: 1 }, { key }, { period: "24h" }, own);
  const days = await overview({ key }, { period: "7d" }, own);
  for (const { buckets } of [hours, days]) {
    expect(buckets.slice(-2).map(({ verifications }: { readonly verifications: object }) => verifications)).toEqual([
      { ...nothing, started: 1, delivered: 1, approved: 1, conversion_percent: 100 },
      { ...nothing, started: 1, delivered: 1, conversion_percent: 0 },
    ]);
    expect(buckets.at(-1).start.slice(11)).toBe("00:00:00Z");
  }
  expect(hours.time_to_approval.ranges.at(-1)).toEqual({ below_ms: null, count: 1 });
  expect(hours.time_to_approval.p50_ms).toBe(600_000);
  await own.time.advance({ seconds: 86_400 });
  expect((await overview({ key }, {}, own)).verifications).toEqual(nothing);
  expect((await overview({ key }, { period: "30d" }, own)).verifications.started).toBe(2);
});

test("what expires is counted when the sweep finds it, and its message that was not sent as failed", async () => {
  const account = await app.signUp();
  const key = await newKey(account);
  await startAndRead(app, key, "expires@example.com", { ttl_seconds: 30 });
  await overviewOnce({ started: 1, delivered: 1 }, { key });
  await app.time.advance({ seconds: 31 });
  const { verifications } = await overviewOnce({ expired: 1 }, { key });
  expect(verifications).toEqual({ ...nothing, started: 1, delivered: 1, expired: 1, conversion_percent: 0 });
});

test("an event without what is counted stops nobody's events", async () => {
  const account = await app.signUp();
  const key = await newKey(account);
  await rowsOf(
    app,
    `INSERT INTO event_pending (workspace_id, mode, type, subject_id, created_at, snapshot)
     VALUES ($1, 'test', 'verification.started', 'vrf_x', byond_now(), '{}')`,
    [account.workspaceId],
  );
  await start(app, key, "after@example.com");
  const { verifications } = await overviewOnce({ started: 1 }, { key });
  expect(verifications.started).toBe(1);
});

test("the current version of an erased recipient's numbers stays: they name nobody", async () => {
  const account = await app.signUp();
  const key = await newKey(account);
  const { id, code } = await startAndRead(app, key, "erased@example.com");
  await check(app, key, id, code);
  await overviewOnce({ approved: 1 }, { key });
  await app.rest("POST", "/verifications/erase", { key, body: { recipient: "erased@example.com" } });
  expect((await overview({ key })).verifications.approved).toBe(1);
});

test("numbers outlive the verifications, and go after their own retention", async () => {
  await using own = await startTestApp({ retentionDays: 1, reportRetentionDays: 31 }, { sweepIntervalMs: 100 });
  const key = await newKey(await own.signUp(), "test", {}, own);
  await start(own, key, "kept@example.com");
  await overviewOnce({ started: 1 }, { key }, {}, own);
  await own.time.advance({ seconds: 2 * 86_400 });
  const count = async (table: string) => Number((await rowsOf(own, `SELECT count(*) FROM ${table}`))[0]?.count);
  await vi.waitFor(async () => expect(await count("verification")).toBe(0), 10_000);
  expect((await overview({ key }, { period: "7d" }, own)).verifications.started).toBe(1);
  await own.time.advance({ seconds: 30 * 86_400 });
  await vi.waitFor(async () => expect(await count("verification_hour")).toBe(0), 10_000);
});
