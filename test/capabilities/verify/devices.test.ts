/** The device of an end user, as the limit of sends counts it. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Config, parseConfig } from "../../../src/app.ts";
import { endUserOf } from "../../../src/capabilities/verify/end-user.ts";
import { createKeyring } from "../../../src/crypto/keyring.ts";
import { type TestApp, useTestApp } from "../../support/app.ts";
import { limitsOf } from "../../support/limit-settings.ts";
import { protocols } from "../../support/protocols.ts";
import { rowsOf, tally } from "./verify-calls.ts";

/** Every channel has a provider, so that the sandbox serves them all. */
const { delivery } = parseConfig({
  SMS_URL: "http://127.0.0.1:9/",
  VOICE_URL: "http://127.0.0.1:9/",
  PROVIDER_SECRET: "a secret for adapters that is long enough",
});

const old = "the master secret that the test begins with";
const fresh = "the master secret that comes after it";

const configOf = (secrets: readonly string[]): Partial<Config> => ({
  delivery,
  secrets: [...secrets],
  ...limitsOf({ DEFAULT_TIER: "unlimited", END_USER_SEND_LIMIT: "4" }),
});

const app = useTestApp(configOf([old, fresh]));
/** A server in the second step of a rotation, on the same database. */
let rotated: TestApp;
let key: string;
let count = 0;
beforeAll(async () => {
  key = await app.mintKey({ mode: "test" });
  rotated = await app.startAnother(configOf([fresh, old]));
});
afterAll(() => rotated[Symbol.asyncDispose]());

const newMail = () => `device-${++count}@example.com`;
const newDevice = () => `device ${++count}`;
const newAddress = () => `2001:db8:${(++count).toString(16)}::1`;

describe.each(protocols)("over $name", (protocol) => {
  const call = (name: Parameters<typeof protocol.call>[1], input: Record<string, unknown>, server = app) =>
    protocol.call(server, name, input, { key });
  const start = (fields: Record<string, unknown>, server = app) =>
    call("StartVerification", { channel: "email", recipient: newMail(), ...fields }, server);

  test("starts and resends count against the limit of the device, whoever receives them and from whatever address", async () => {
    const device_id = newDevice();
    const first = await start({ device_id, end_user_ip: newAddress() });
    await start({ device_id, end_user_ip: newAddress() });
    const resend = { verification_id: first.body.verification_id };
    expect([(await call("ResendCode", resend)).code, (await call("ResendCode", resend)).code]).toEqual(["ok", "ok"]);
    const refused = await start({ device_id });
    expect([refused.code, refused.body.message]).toEqual([
      "rate_limited",
      "Too many codes for this end user. Try again later.",
    ]);
    expect(refused.body.retry_after).toBeGreaterThan(0);
    expect((await call("ResendCode", resend)).code).toBe("rate_limited");
    expect((await start({ device_id: newDevice() })).code).toBe("ok");
    expect((await start({})).code).toBe("ok");
  });

  test("a start whose address has no token left takes none of the device", async () => {
    const end_user_ip = newAddress();
    for (const _ of Array(4)) {
      expect((await start({ end_user_ip })).code).toBe("ok");
    }
    const device_id = newDevice();
    for (const _ of Array(5)) {
      expect((await start({ end_user_ip, device_id })).code).toBe("rate_limited");
    }
    expect((await start({ device_id })).code).toBe("ok");
  });

  test("forty parallel starts of one device, from many addresses and over two servers, start exactly four", async () => {
    const device_id = newDevice();
    const codes = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const fields = { device_id, end_user_ip: newAddress() };
        return (await start(fields, index % 2 === 0 ? app : rotated)).code;
      }),
    );
    expect(tally(codes)).toEqual({ ok: 4, rate_limited: 36 });
  });

  test("a device has 1 to 128 characters", async () => {
    const problems = [];
    for (const device_id of ["", "x".repeat(129)]) {
      problems.push(Object.keys((await start({ device_id })).body.fields));
    }
    expect(problems).toEqual([["device_id"], ["device_id"]]);
    expect((await start({ device_id: "é".repeat(128) })).code).toBe("ok");
  });

  test("a reused verification counts against the device of the call, and otherwise against the one that it was started with", async () => {
    const [recipient, mine, other] = [newMail(), newDevice(), newDevice()];
    const reuse = (fields: Record<string, unknown>) => start({ recipient, reuse: "pending", ...fields });
    await reuse({ device_id: mine });
    expect((await reuse({ device_id: other })).body.reused).toBe(true);
    expect((await reuse({})).body.reused).toBe(true);
    expect(
      tally(await Promise.all(Array.from({ length: 5 }, async () => (await start({ device_id: mine })).code))),
    ).toEqual({ ok: 2, rate_limited: 3 });
    expect(
      tally(await Promise.all(Array.from({ length: 5 }, async () => (await start({ device_id: other })).code))),
    ).toEqual({ ok: 3, rate_limited: 2 });
  });
});

test("a step of a fallback counts against the device of the start", async () => {
  const device_id = newDevice();
  const body = {
    channel: "sms",
    // The sandbox cannot deliver its message.
    recipient: "+2348000000052",
    fallback: [{ channel: "email", recipient: newMail() }],
    device_id,
  };
  const { body: started } = await app.rest("POST", "/verify/start", { key, body });
  await vi.waitFor(async () => {
    const { body: seen } = await app.rest("GET", `/verify/${started.verification_id}`, { key });
    expect(seen.deliveries).toHaveLength(2);
  }, 10_000);
  const statuses = [];
  for (const _ of Array(3)) {
    const other = { channel: "email", recipient: newMail(), device_id };
    statuses.push((await app.rest("POST", "/verify/start", { key, body: other })).status);
  }
  expect(statuses).toEqual([201, 201, 429]);
});

test("a device is stored as a hash that differs between workspaces, and is erased with the recipient", async () => {
  const [recipient, device_id] = [newMail(), newDevice()];
  const { body } = await app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient, device_id } });
  const read = async () => {
    const [row] = await rowsOf(app, "SELECT v::text AS text, device_indexes FROM verification AS v WHERE id = $1", [
      body.verification_id,
    ]);
    return row;
  };
  const row = await read();
  expect(row?.device_indexes).toEqual(Array(2).fill(expect.stringMatching(/^[\w-]{43}$/)));
  expect(row?.text).not.toContain(device_id);
  await app.rest("POST", "/verifications/erase", { key, body: { recipient } });
  expect((await read())?.device_indexes).toBeNull();

  const keyring = createKeyring([old, fresh]);
  const indexesIn = (workspaceId: string) => endUserOf(keyring, workspaceId, { deviceId: "a" }).deviceIndexes;
  expect(new Set([...indexesIn("ws_1"), ...indexesIn("ws_2")]).size).toBe(4);
});
