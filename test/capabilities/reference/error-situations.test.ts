/** Every situation that the error page describes happens, over REST, with one of the messages that it names. */
import { createHmac } from "node:crypto";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { errorCodes, errorGuide } from "../../../src/capabilities/reference/error-guide.ts";
import { type ErrorSituation, errorSituations } from "../../../src/capabilities/reference/error-situations.ts";
import { type RestCall, type SignedUp, useTestApp } from "../../support/app.ts";

/** So few that a test uses each limit up. */
const app = useTestApp({
  sendLimits: { sourceSendsPerMinute: 20, endUserSendsPerHour: 2 },
});

let owner: SignedUp;
let key: string;
let strict: string;
let narrow: string;
let sandbox: string;
beforeAll(async () => {
  owner = await app.signUp();
  key = await mint({});
  strict = await mint({ min_signature_version: "v2" });
  narrow = await mint({ scopes: ["lookup"] });
  sandbox = await mint({ mode: "test", scopes: ["*"] });
});

async function mint(restrictions: object): Promise<string> {
  const body = { name: "key", ...restrictions };
  return (await app.rest("POST", "/api-keys", { session: owner.session, body })).body.key;
}

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly fields?: Readonly<Record<string, string>>;
}

async function refusal(method: string, path: string, call: RestCall = {}): Promise<Refusal> {
  const { body } = await app.rest(method, path, call);
  return body.error;
}

const lookup = (headers: Readonly<Record<string, string>>) => refusal("GET", "/lookup?number=1", { headers });
const lookupSigned = (signature: string) => lookup({ "X-API-Key": strict, "Byond-Signature": signature });
const start = (call: RestCall, recipient = `situation-${crypto.randomUUID()}@example.com`, more: object = {}) =>
  refusal("POST", "/verify/start", { ...call, body: { channel: "email", recipient, ...more } });

function signed(method: string, path: string, body: string, version: "v1" | "v2" = "v2"): string {
  const t = app.time.now().getTime();
  const text = version === "v1" ? `${t}.${body}` : `v2\n${t}\n${method}\n/api/v1${path}\n${body}`;
  return `t=${t},${version}=${createHmac("sha256", strict).update(text).digest("hex")}`;
}

async function spentSignature(): Promise<Refusal> {
  const body = { channel: "email", recipient: "signed@example.com" };
  const headers = { "Byond-Signature": signed("POST", "/verify/start", JSON.stringify(body)) };
  await app.rest("POST", "/verify/start", { key: strict, body, headers });
  return refusal("POST", "/verify/start", { key: strict, body, headers });
}

async function spentRefreshToken(): Promise<Refusal> {
  const { refreshToken } = await app.signUp();
  const refresh = { body: { refresh_token: refreshToken } };
  await app.rest("POST", "/auth/refresh", refresh);
  await app.time.advance({ seconds: 11 });
  return refusal("POST", "/auth/refresh", refresh);
}

/** The last line of a stream of events whose key is revoked. */
async function revokedDuringStream(): Promise<Refusal> {
  const { session } = owner;
  const { body: created } = await app.rest("POST", "/api-keys", { session, body: { name: "stream" } });
  const response = await fetch(`${app.url}/api/v1/events/stream`, {
    headers: { "X-API-Key": created.key, Accept: "application/x-ndjson" },
  });
  const text = response.text();
  await app.rest("DELETE", `/api-keys/${created.id}`, { session });
  return JSON.parse((await text).trim().split("\n").at(-1) ?? "").error;
}

async function usedUp(call: () => Promise<Refusal>, times: number): Promise<Refusal> {
  for (let count = 0; count < times; count += 1) {
    await call();
  }
  return call();
}

/** A check of a device with wrong codes for ten verifications, once it is slowed. */
async function guessed(): Promise<Refusal> {
  const own = await app.mintKey();
  const check = async (id: string) =>
    refusal("POST", "/verify/check", { key: own, body: { verification_id: id, code: "1", device_id: "a" } });
  let id = "";
  for (let count = 0; count < 10; count += 1) {
    const body = { channel: "email", recipient: `guessed-${count}@example.com` };
    id = (await app.rest("POST", "/verify/start", { key: own, body })).body.verification_id;
    await check(id);
  }
  return vi.waitFor(async () => (await check(id)) ?? expect.fail("it is not slowed yet"), {
    timeout: 5_000,
    interval: 10,
  });
}

async function usedUpRequests(): Promise<Refusal> {
  const slow = await mint({ requests_per_minute: 1 });
  return usedUp(() => lookup({ "X-API-Key": slow }), 1);
}

async function otherRequest(): Promise<Refusal> {
  const headers = { "Idempotency-Key": "situation" };
  await start({ key, headers });
  return start({ key, headers });
}

const wrongPassword = (email: string) =>
  refusal("POST", "/auth/sign-in", { body: { email, password: "wrong horse battery" } });

type Cause = () => Promise<Refusal>;

/** By code, in the order of the situations: each cause of each situation. None: it takes another protocol, or another server. */
const causes: Readonly<Record<keyof typeof errorSituations, readonly (readonly Cause[])[]>> = {
  invalid_api_key: [
    [() => lookup({}), () => refusal("GET", "/api-keys"), () => refusal("GET", "/events")],
    [
      () => lookup({ "X-API-Key": "pk_live_8fa2.s3cr3t" }),
      () => lookup({ "X-API-Key": key.slice(0, -1) }),
      revokedDuringStream,
    ],
    [() => refusal("GET", "/auth/me", { session: "eyJhbGciOiJIUzI1NiJ9.e30.x" })],
    [() => lookup({ Authorization: `Bearer ${owner.session}` }), () => refusal("GET", "/api-keys", { key })],
    [() => lookup({ "X-API-Key": key, Authorization: `Bearer ${narrow}` })],
    [
      () => lookup({ Authorization: `Basic ${btoa(`${key}:`)}` }),
      () => lookup({ Authorization: "Bearer" }),
      () => lookup({ Authorization: `Bearer ${key} ${key}` }),
    ],
    [() => wrongPassword(owner.email), () => wrongPassword("nobody@example.com")],
    [spentRefreshToken],
    [
      () => refusal("GET", "/auth/me", { headers: { "Byond-Session": "cookie", "Sec-Fetch-Site": "same-origin" } }),
      () => refusal("GET", "/auth/me", { headers: { "Byond-Session": "cookie" } }),
    ],
  ],
  signature_invalid: [
    [() => lookup({ "X-API-Key": strict }), () => lookupSigned(signed("GET", "/lookup?number=1", "", "v1"))],
    [
      () => lookupSigned(signed("GET", "/lookup?number=2", "")),
      () => lookup({ "X-API-Key": key, "Byond-Signature": signed("GET", "/lookup", "", "v1") }),
    ],
    [() => lookupSigned(`t=${Math.floor(app.time.now().getTime() / 1_000)},v2=${"0".repeat(64)}`)],
    [spentSignature],
    [() => lookupSigned(`t=${app.time.now().getTime()},v3=${"0".repeat(64)}`)],
    [],
  ],
  insufficient_scope: [
    [() => start({ key: narrow }), () => refusal("GET", "/webhooks", { key })],
    [() => refusal("POST", "/auth/logout-all", { key: sandbox })],
  ],
  not_found: [
    [() => refusal("GET", "/verifications/start", { key })],
    [
      () => refusal("GET", "/verify/vrf_0000000000000000000000", { key }),
      () => refusal("GET", "/webhooks/whk_0000000000000000000000", { session: owner.session }),
    ],
    [() => refusal("GET", "/events/stream?after=evt_0000000000000000000000", { key })],
    [],
  ],
  validation_error: [
    [() => refusal("POST", "/verify/start", { key, body: { channel: "email" } })],
    [() => refusal("POST", "/verify/start", { key, body: { channel: "email", to: "a@example.com" } })],
    [() => refusal("POST", "/verify/start", { key, body: { channel: "letter", recipient: "a@example.com" } })],
  ],
  idempotency_key_reused: [[otherRequest], []],
  rate_limited: [
    [usedUpRequests],
    [
      async () => {
        const few = await mint({ requests_per_minute: 60 });
        const numbers = Array.from({ length: 1_000 }, () => ({ number: "1" }));
        return refusal("POST", "/lookup/batch", { key: few, body: { numbers } });
      },
    ],
    [() => usedUp(() => start({ key }, "ada@example.com"), 3)],
    [() => usedUp(() => start({ key }, undefined, { end_user_ip: "192.0.2.1" }), 2)],
    [guessed],
    [() => usedUp(() => start({ key }), 20)],
    [() => usedUp(() => wrongPassword("guessed@example.com"), 10)],
    [],
  ],
};

/** A message as the page writes it, in which `…` stands for what differs. */
function matches(message: string, written: string): boolean {
  const [first = "", ...others] = written.split("…");
  const last = others.at(-1) ?? first;
  return others.length === 0 ? message === written : message.startsWith(first) && message.endsWith(last);
}

describe.each(Object.keys(causes) as (keyof typeof causes)[])("%s", (code) => {
  const situations: readonly ErrorSituation[] = errorSituations[code];

  test("has causes for each of its situations here", () => {
    expect(causes[code]).toHaveLength(situations.length);
  });

  test.each(situations.map((situation, index) => ({ ...situation, index })))("$when", async ({ messages, index }) => {
    for (const cause of causes[code][index] ?? []) {
      const refused = await cause();
      expect(refused.code, refused.message).toBe(code);
      expect(
        messages.some((written) => matches(refused.message, written)),
        refused.message,
      ).toBe(true);
    }
  });
});

test("an access token that has expired and a key that was revoked have the message of an unknown one", async () => {
  const { session } = await app.signUp();
  const { body: created } = await app.rest("POST", "/api-keys", { session, body: { name: "revoked" } });
  await app.rest("DELETE", `/api-keys/${created.id}`, { session });
  await app.time.advance({ seconds: 901 });
  const [, ofKeys, ofSessions] = errorSituations.invalid_api_key;
  expect((await lookup({ "X-API-Key": created.key })).message).toBe(ofKeys.messages[0]);
  expect((await refusal("GET", "/auth/me", { session })).message).toBe(ofSessions.messages[0]);
});

test.each(errorCodes)("%s says whether to retry", (code) => {
  expect(errorGuide[code].retry).toMatch(/^(Yes|No)[,.]/);
});
