/** Wrong codes for many verifications from one source: the source is slowed, and nobody else. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { codeIn, messagesTo, rowsOf, tally } from "../capabilities/verify/verify-calls.ts";
import { type TestApp, useTestApp } from "../support/app.ts";
import { limitsOf } from "../support/limit-settings.ts";
import { type Protocol, protocols } from "../support/protocols.ts";

const app = useTestApp(limitsOf({ DEFAULT_TIER: "unlimited" }));
/** On the same database. */
let other: TestApp;
let count = 0;
beforeAll(async () => {
  other = await app.startAnother(limitsOf({ DEFAULT_TIER: "unlimited" }));
});
afterAll(() => other[Symbol.asyncDispose]());

const times = <T>(number: number, each: (index: number) => T): T[] => Array.from({ length: number }, (_, i) => each(i));
const newMail = () => `guessed-${++count}@example.com`;
const newAddress = () => `10.${++count >> 8}.${count & 255}.1`;
const newDevice = () => `device ${++count}`;

/** Calls of one protocol with a key. */
function callsOf(protocol: Protocol, key: string) {
  const call = (name: Parameters<Protocol["call"]>[1], input: Record<string, unknown>, server: TestApp) =>
    protocol.call(server, name, input, { key });
  const start = async (recipient = newMail()): Promise<string> =>
    (await call("StartVerification", { channel: "email", recipient, code_length: 10 }, app)).body.verification_id;
  const check = (id: string, source: object, code = "1", server = app) =>
    call("CheckVerification", { verification_id: id, code, ...source }, server);
  return {
    start,
    check,
    /** Wrong codes for so many new verifications, one for each. Answers what became of the checks. */
    async guess(number: number, source: object): Promise<string[]> {
      const ids = await Promise.all(times(number, () => start()));
      return Promise.all(ids.map(async (id) => (await check(id, source)).code));
    },
    async approve(source: object): Promise<void> {
      const recipient = newMail();
      const id = await start(recipient);
      const [message] = await messagesTo(app, recipient, 1);
      expect((await check(id, source, codeIn(message))).body.status).toBe("approved");
    },
    attemptsLeft: async (id: string) =>
      (await call("GetVerification", { verification_id: id }, app)).body.attempts_left,
  };
}

/** How many sources of this kind are slowed, or were. */
async function slowed(kind: string): Promise<number> {
  const [row] = await rowsOf(
    app,
    "SELECT count(*)::int AS count FROM guess_source WHERE slowed_until > byond_now() AND starts_with(source, $1)",
    [`${kind}:`],
  );
  return Number(row?.count);
}

const untilSlowed = (kind: string, number: number) =>
  vi.waitFor(async () => expect(await slowed(kind)).toBe(number), { timeout: 20_000, interval: 20 });

/** The verifications counted of a source, once a server has added what it counted. */
const untilCounted = (source: string, guessed: number, approved = 0) =>
  vi.waitFor(async () => {
    const rows = await rowsOf(app, "SELECT guessed, approved FROM guess_source WHERE source = $1", [source]);
    expect(rows).toEqual([{ guessed, approved }]);
  }, 20_000);

/** No source that a test before has slowed is slowed any more. */
const forgetAll = () => app.time.advance({ seconds: 3_601 });

describe.each(protocols)("over $name", (protocol) => {
  test("a device whose codes are wrong for ten verifications may check three more, then three a minute, for an hour", async () => {
    await forgetAll();
    const { guess, check, start, attemptsLeft } = callsOf(protocol, await app.mintKey());
    const device_id = newDevice();
    expect(tally(await guess(10, { device_id }))).toEqual({ ok: 10 });
    await untilSlowed("device", 1);
    await app.time.holdDatabase();
    expect(tally(await guess(5, { device_id }))).toEqual({ ok: 3, rate_limited: 2 });

    const id = await start();
    const refused = await check(id, { device_id });
    expect([refused.code, refused.body.message]).toEqual([
      "rate_limited",
      "Too many wrong codes from this source. Try again later.",
    ]);
    expect(refused.body.retry_after).toBeGreaterThan(0);
    expect(refused.body.retry_after).toBeLessThanOrEqual(20);
    expect(await attemptsLeft(id)).toBe(5);
    await app.time.releaseDatabase();
    await app.time.advance({ seconds: 20 });
    expect((await check(id, { device_id })).code).toBe("ok");
    expect(await attemptsLeft(id)).toBe(4);

    await forgetAll();
    expect(tally(await guess(8, { device_id }))).toEqual({ ok: 8 });
  });

  test("nobody else is slowed: the recipients, another device, the same device with another workspace's key", async () => {
    await forgetAll();
    const { guess, check, start, attemptsLeft } = callsOf(protocol, await app.mintKey());
    const device_id = newDevice();
    const recipient = newMail();
    const id = await start(recipient);
    await check(id, { device_id });
    await guess(9, { device_id });
    await untilSlowed("device", 1);
    await guess(9, { device_id });
    expect((await check(id, { device_id })).code).toBe("rate_limited");

    const [message] = await messagesTo(app, recipient, 1);
    expect(await attemptsLeft(id)).toBe(4);
    expect((await check(id, { device_id: newDevice() }, codeIn(message))).body.status).toBe("approved");
    expect(tally(await callsOf(protocol, await app.mintKey()).guess(5, { device_id }))).toEqual({ ok: 5 });
  });

  test("the address of the end user is judged beside the device, as the /64 of an IPv6 address: another device does not escape it", async () => {
    await forgetAll();
    const { guess } = callsOf(protocol, await app.mintKey());
    const from = (last: number) => ({ end_user_ip: `2001:db8:${protocol.name === "REST" ? 1 : 2}::${last}` });
    await guess(5, from(1));
    await guess(5, from(2));
    await untilSlowed("end_user_ip", 1);
    expect(tally(await guess(6, from(3)))).toEqual({ ok: 3, rate_limited: 3 });
    expect(tally(await guess(6, { ...from(3), device_id: newDevice() }))).toEqual({ rate_limited: 6 });
    expect(tally(await guess(6, { device_id: newDevice() }))).toEqual({ ok: 6 });
  });

  test("a new device in each check does not hide its address, nor a new address its device", async () => {
    await forgetAll();
    const { guess } = callsOf(protocol, await app.mintKey());
    const [end_user_ip, device_id] = [newAddress(), newDevice()];
    for (const _ of times(10, () => undefined)) {
      await guess(1, { end_user_ip, device_id: newDevice() });
    }
    await untilSlowed("end_user_ip", 1);
    for (const _ of times(10, () => undefined)) {
      await guess(1, { end_user_ip: newAddress(), device_id });
    }
    await untilSlowed("device", 1);
    expect(await slowed("end_user_ip")).toBe(1);
  });

  test("a source with half as many approvals is not slowed; five wrong codes for one verification count once", async () => {
    await forgetAll();
    const { guess, approve, check, start } = callsOf(protocol, await app.mintKey());
    const end_user_ip = newAddress();
    const id = await start();
    for (const _ of Array(5)) {
      await check(id, { end_user_ip });
    }
    await untilCounted(`end_user_ip:${end_user_ip}`, 1);
    for (const _ of Array(6)) {
      await approve({ end_user_ip });
    }
    await guess(9, { end_user_ip });
    await untilCounted(`end_user_ip:${end_user_ip}`, 10, 6);
    expect(tally(await guess(1, { end_user_ip }))).toEqual({ ok: 1 });
    await untilCounted(`end_user_ip:${end_user_ip}`, 11, 6);
    await guess(1, { end_user_ip });
    await untilSlowed("end_user_ip", 1);
  });

  test("a source does not hide behind others that enter the first codes of its verifications, and counts once for each on all servers", async () => {
    await forgetAll();
    const { check, start } = callsOf(protocol, await app.mintKey());
    const end_user_ip = newAddress();
    const guessAfterAnother = async (number: number) => {
      for (const id of await Promise.all(times(number, () => start()))) {
        await check(id, { device_id: newDevice(), end_user_ip: newAddress() });
        for (const server of [app, other, app, other]) {
          await check(id, { end_user_ip }, "1", server);
        }
      }
    };
    await guessAfterAnother(9);
    await untilCounted(`end_user_ip:${end_user_ip}`, 9);
    expect(await slowed("end_user_ip")).toBe(0);
    await guessAfterAnother(1);
    await untilSlowed("end_user_ip", 1);
  });
});

describe("over REST alone, approvals before the first wrong code", () => {
  const [rest] = protocols;
  if (rest === undefined) {
    throw new Error("there is no protocol");
  }
  const approveMany = (key: string, number: number, source = {}) =>
    Promise.all(times(number, () => callsOf(rest, key).approve(source)));

  test("leave a busy key alone when a hundred wrong codes come at once; twice as many wrong codes as approvals slow it", async () => {
    await forgetAll();
    const key = await app.mintKey();
    const { guess } = callsOf(rest, key);
    // No end user is named, so that the caller's address is busy, too.
    await approveMany(key, 60);
    expect(tally(await guess(110, {}))).toEqual({ ok: 110 });
    await vi.waitFor(async () => {
      const counted = `
        SELECT guessed, approved FROM guess_source
        WHERE starts_with(source, 'api_key:') AND since > byond_now() - interval '1 hour'`;
      expect(await rowsOf(app, counted)).toEqual([{ guessed: 110, approved: 60 }]);
    }, 20_000);
    expect([await slowed("api_key"), await slowed("client_ip")]).toEqual([0, 0]);
    await guess(10, {});
    await untilSlowed("api_key", 1);
    await untilSlowed("client_ip", 1);
  });

  test("count on whichever server they were, for half an hour to an hour", async () => {
    await forgetAll();
    const key = await app.mintKey();
    const { check, start } = callsOf(rest, key);
    const end_user_ip = newAddress();
    await approveMany(key, 10, { end_user_ip });
    await untilCounted(`end_user_ip:${end_user_ip}`, 0, 10);
    const guessAt = async (server: TestApp, number: number) => {
      for (const id of await Promise.all(times(number, () => start()))) {
        await check(id, { end_user_ip }, "1", server);
      }
    };
    await app.time.advance({ seconds: 1_805 });
    await guessAt(other, 19);
    await untilCounted(`end_user_ip:${end_user_ip}`, 19);
    expect(await slowed("end_user_ip")).toBe(0);
    await guessAt(other, 1);
    await untilSlowed("end_user_ip", 1);
  });

  test("are forgotten after an hour", async () => {
    await forgetAll();
    const key = await app.mintKey();
    const end_user_ip = newAddress();
    await approveMany(key, 10, { end_user_ip });
    await untilCounted(`end_user_ip:${end_user_ip}`, 0, 10);
    await forgetAll();
    await callsOf(rest, key).guess(10, { end_user_ip });
    await untilSlowed("end_user_ip", 1);
  });

  test("count again after the source was slowed", async () => {
    await forgetAll();
    const key = await app.mintKey();
    const { guess } = callsOf(rest, key);
    const end_user_ip = newAddress();
    await approveMany(key, 6, { end_user_ip });
    await guess(12, { end_user_ip });
    await untilSlowed("end_user_ip", 1);
    await untilCounted(`end_user_ip:${end_user_ip}`, 0, 6);
  });
});

describe("over REST alone", () => {
  const [rest] = protocols;
  if (rest === undefined) {
    throw new Error("there is no protocol");
  }

  test("with a key that names no end users, or always other ones, the caller is slowed after a hundred verifications", async () => {
    await forgetAll();
    const { guess, check, start } = callsOf(rest, await app.mintKey());
    expect(tally(await guess(50, {}))).toEqual({ ok: 50 });
    expect(
      tally(await Promise.all(times(50, () => guess(1, { device_id: newDevice() }).then(([code]) => code ?? "")))),
    ).toEqual({ ok: 50 });
    await untilSlowed("api_key", 1);
    expect(await slowed("client_ip")).toBe(0);
    await app.time.holdDatabase();
    const codes = await guess(40, { device_id: newDevice() });
    expect(tally(codes)).toEqual({ ok: 30, rate_limited: 10 });
    const id = await start();
    expect((await check(id, { device_id: newDevice() })).code).toBe("rate_limited");
    await app.time.releaseDatabase();
    await app.time.advance({ seconds: 901 });
    expect((await check(id, { device_id: newDevice() })).code).toBe("ok");
  });

  test("in the sandbox, no source is judged", async () => {
    const key = await app.mintKey({ mode: "test" });
    const { guess } = callsOf(rest, key);
    const device_id = newDevice();
    expect(tally(await guess(12, { device_id }))).toEqual({ ok: 12 });
    expect(tally(await guess(6, { device_id }))).toEqual({ ok: 6 });
    expect(await rowsOf(app, "SELECT FROM guess_source WHERE source LIKE 'device:%' AND guessed = 18")).toEqual([]);
  });

  test("wrong codes count for an hour from the first", async () => {
    await forgetAll();
    const { guess } = callsOf(rest, await app.mintKey());
    const end_user_ip = newAddress();
    await guess(9, { end_user_ip });
    await untilCounted(`end_user_ip:${end_user_ip}`, 9);
    await forgetAll();
    await guess(9, { end_user_ip });
    await untilCounted(`end_user_ip:${end_user_ip}`, 9);
    expect(await slowed("end_user_ip")).toBe(0);
  });

  test("of parallel wrong codes from six devices over two servers, each device is found once, and its checks are slowed exactly", async () => {
    await forgetAll();
    const { check, start } = callsOf(rest, await app.mintKey());
    const devices = times(6, newDevice);
    const ids = await Promise.all(times(90, () => start()));
    const from = (index: number) => ({ device_id: devices[index % 6] });
    const serverOf = (index: number) => (index % 4 < 2 ? app : other);
    const codes = await Promise.all(ids.map((id, index) => check(id, from(index), "1", serverOf(index))));
    expect(codes.length).toBe(90);
    await untilSlowed("device", 6);
    const found = await rowsOf(
      app,
      `SELECT snapshot ->> 'value' AS device FROM (SELECT * FROM event UNION ALL SELECT NULL, NULL, workspace_id, mode, type, subject_id, created_at, snapshot FROM event_pending) AS e
       WHERE type = 'guessing.detected' AND snapshot ->> 'value' = ANY ($1)`,
      [devices],
    );
    expect(found.map(({ device }) => device).sort()).toEqual([...devices].sort());

    await app.time.holdDatabase();
    await app.time.advance({ seconds: 120 });
    const late = await Promise.all(times(60, () => start()));
    const answers = await Promise.all(
      late.map(async (id, index) => (await check(id, from(index), "1", serverOf(index))).code),
    );
    await app.time.releaseDatabase();
    expect(tally(answers)).toEqual({ ok: 18, rate_limited: 42 });
  });

  test("a check with an Idempotency-Key that is slowed takes nothing, and can be sent again", async () => {
    await forgetAll();
    const key = await app.mintKey();
    const { guess, start, attemptsLeft } = callsOf(rest, key);
    const device_id = newDevice();
    await guess(10, { device_id });
    await untilSlowed("device", 1);
    await guess(3, { device_id });
    const id = await start();
    const body = { verification_id: id, code: "1", device_id };
    const send = () => app.rest("POST", "/verify/check", { key, body, headers: { "Idempotency-Key": "slow" } });
    expect((await send()).status).toBe(429);
    expect(await attemptsLeft(id)).toBe(5);
    await app.time.advance({ seconds: 20 });
    expect([(await send()).status, (await send()).status]).toEqual([200, 200]);
    expect(await attemptsLeft(id)).toBe(4);
  });
});
