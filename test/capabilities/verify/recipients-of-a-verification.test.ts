/** The recipients of a verification: whom a resend may send to, which limits count it, and for whom a check approves. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Config, parseConfig } from "../../../src/app.ts";
import { startTestApp, type TestApp, useTestApp } from "../../support/app.ts";
import { limitsOf } from "../../support/limit-settings.ts";
import { type Protocol, protocols } from "../../support/protocols.ts";
import { rowsOf, tally } from "./verify-calls.ts";

/** Every channel has a provider, so that the sandbox serves them all. */
const { delivery } = parseConfig({
  SMS_URL: "http://127.0.0.1:9/",
  VOICE_URL: "http://127.0.0.1:9/",
  PROVIDER_SECRET: "a secret for adapters that is long enough",
});

const secret = "a master secret that the tests know of";

const configOf = (environment: Readonly<Record<string, string>> = {}): Partial<Config> => ({
  delivery,
  secrets: [secret],
  ...limitsOf({ DEFAULT_TIER: "unlimited", ...environment }),
});

const app = useTestApp(configOf());
/** Servers that send so many codes for one end user, on the same database. */
let four: TestApp;
let one: TestApp;
/** A sandbox key: the code is `000000`. */
let key: string;
let recipients = 0;
beforeAll(async () => {
  four = await app.startAnother(configOf({ END_USER_SEND_LIMIT: "4" }));
  one = await app.startAnother(configOf({ END_USER_SEND_LIMIT: "1" }));
  key = await app.mintKey({ mode: "test" });
});
afterAll(async () => {
  await one[Symbol.asyncDispose]();
  await four[Symbol.asyncDispose]();
});

const newMail = () => `recipient-${++recipients}@example.com`;
const newPhone = () => `+65912${String(++recipients).padStart(5, "0")}`;

describe.each(protocols)("over $name", (protocol) => {
  /** An end user of this protocol's tests alone. */
  const endUser = (number: number) => `192.0.${protocol.name === "REST" ? 2 : 3}.${number}`;
  const api = (server = app, apiKey = key) => callsOf(protocol, server, apiKey);

  test("a verification has at most two recipients: resends to forty others are refused", async () => {
    const { start, resend, get } = api();
    const id = await start({ channel: "email", recipient: newMail(), ttl_seconds: 3600 });
    const first = newPhone();
    expect((await resend(id, { channel: "whatsapp", recipient: first })).code).toBe("ok");
    const others = await Promise.all(
      Array.from({ length: 40 }, () => resend(id, { channel: "whatsapp", recipient: newPhone() })),
    );
    expect(others.map(({ code, body }) => [code, body.fields])).toEqual(
      Array(40).fill(["validation_error", { recipient: expect.stringContaining("must be the one") }]),
    );
    expect((await get(id)).deliveries).toHaveLength(2);
  });

  test("of forty parallel resends to forty new recipients, exactly one sends a message", async () => {
    const { start, resend, get } = api();
    const id = await start({ channel: "email", recipient: newMail() });
    const codes = await Promise.all(
      Array.from({ length: 40 }, async () => (await resend(id, { channel: "sms", recipient: newPhone() })).code),
    );
    expect(tally(codes)).toEqual({ ok: 1, validation_error: 39 });
    expect((await get(id)).deliveries).toHaveLength(2);
  });

  test("a resend to another recipient of the start's form, mail or phone, is refused on every channel", async () => {
    const { start, resend } = api();
    const refusal = { recipient: expect.stringContaining("must be the one") };
    const byMail = await start({ channel: "email", recipient: newMail() });
    expect((await resend(byMail, { recipient: newMail() })).body.fields).toEqual(refusal);
    const byPhone = await start({ channel: "sms", recipient: newPhone() });
    for (const channel of ["sms", "voice", "whatsapp"]) {
      expect((await resend(byPhone, { channel, recipient: newPhone() })).body.fields).toEqual(refusal);
    }
  });

  test("a resend uses the verification's number on every phone channel, and remembers the second recipient", async () => {
    const { start, resend } = api();
    const [mail, phone] = [newMail(), newPhone()];
    const id = await start({ channel: "sms", recipient: phone, ttl_seconds: 3600 });
    expect((await resend(id, { channel: "email" })).body.fields).toEqual({ recipient: "is required for this channel" });
    expect((await resend(id, { channel: "voice" })).code).toBe("ok");
    expect((await resend(id, { channel: "whatsapp", recipient: `${phone.slice(0, 3)} ${phone.slice(3)}` })).code).toBe(
      "ok",
    );
    expect((await resend(id, { channel: "email", recipient: mail })).code).toBe("ok");
    const { code, body } = await resend(id, { channel: "email" });
    expect(code).toBe("ok");
    const to = body.deliveries.map((each: { channel: string; recipient: string }) => [each.channel, each.recipient]);
    const maskedPhone = `+65••••${phone.slice(-4)}`;
    const maskedMail = "r•••@example.com";
    expect(to).toEqual([
      ["sms", maskedPhone],
      ["voice", maskedPhone],
      ["whatsapp", maskedPhone],
      ["email", maskedMail],
      ["email", maskedMail],
    ]);
    expect(body.recipient).toBe(maskedPhone);
  });

  test("a code is sent at most five times, including the start, however much time passes", async () => {
    const { start, resend, get } = api();
    const id = await start({ channel: "email", recipient: newMail(), ttl_seconds: 3600 });
    const codes: string[] = [];
    for (let send = 2; send <= 7; send += 1) {
      await app.time.advance({ seconds: 61 });
      codes.push((await resend(id)).code);
    }
    expect(codes).toEqual(["ok", "ok", "ok", "ok", "send_limit_reached", "send_limit_reached"]);
    expect((await get(id)).deliveries).toHaveLength(5);
  });

  test("parallel resends also send a code at most five times", async () => {
    const { start, resend } = api();
    const id = await start({ channel: "email", recipient: newMail(), ttl_seconds: 3600 });
    const second = newPhone();
    const codes: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const calls = Array.from({ length: 20 }, (_, index) =>
        resend(id, index % 2 === 0 ? {} : { channel: "whatsapp", recipient: second }),
      );
      codes.push(...(await Promise.all(calls)).map(({ code }) => code));
      await app.time.advance({ seconds: 300 });
    }
    expect(tally(codes).ok).toBe(4);
    expect(await rowsOf(app, "SELECT count(*)::int AS messages FROM outbox WHERE subject_id = $1", [id])).toEqual([
      { messages: 5 },
    ]);
  });

  test("resends count against the limit of the start's end user, whoever receives them", async () => {
    const { start, startCode, resend } = api(four);
    const forUser = (more: object = {}) => ({
      channel: "email",
      recipient: newMail(),
      end_user_ip: endUser(1),
      ...more,
    });
    const first = await start(forUser());
    const second = await start(forUser());
    expect((await resend(first)).code).toBe("ok");
    expect((await resend(second, { channel: "whatsapp", recipient: newPhone() })).code).toBe("ok");
    const refusal = await resend(second);
    expect(refusal.code).toBe("rate_limited");
    expect(refusal.body.message).toContain("end user");
    expect(await startCode(forUser())).toBe("rate_limited");
    // Somebody else's verifications are not concerned.
    expect((await resend(await start(forUser({ end_user_ip: endUser(2) })))).code).toBe("ok");
    expect((await resend(await start({ channel: "email", recipient: newMail() }))).code).toBe("ok");
  });

  test("resends count against the limit of the source", async () => {
    const server = await startTestApp(configOf({ SOURCE_SEND_LIMIT: "2" }));
    await using _ = server;
    const { start, startCode, resend } = api(server, await server.mintKey({ mode: "test" }));
    const id = await start({ channel: "email", recipient: newMail() });
    expect((await resend(id)).code).toBe("ok");
    expect((await resend(id)).code).toBe("rate_limited");
    expect(await startCode({ channel: "email", recipient: newMail() })).toBe("rate_limited");
  });

  test("starts and resends share the recipient's limit, and a refused resend takes no token of it", async () => {
    const { start, startCode, resend } = api(one);
    const victim = newPhone();
    const id = await start({ channel: "email", recipient: newMail(), end_user_ip: endUser(7) });
    for (let attempt = 0; attempt < 5; attempt += 1) {
      expect((await resend(id, { channel: "whatsapp", recipient: victim })).code).toBe("rate_limited");
    }
    const own = await start({ channel: "whatsapp", recipient: victim });
    expect((await resend(own)).code).toBe("ok");
    expect((await resend(own)).code).toBe("ok");
    expect((await resend(own)).code).toBe("rate_limited");
    expect(await startCode({ channel: "whatsapp", recipient: victim })).toBe("rate_limited");
  });

  test("a resend to a recipient with too many wrong codes is refused", async () => {
    const { start, resend, check } = api();
    const victim = newPhone();
    for (let verification = 0; verification < 2; verification += 1) {
      const id = await start({ channel: "whatsapp", recipient: victim });
      for (let attempt = 0; attempt < 5; attempt += 1) {
        await check(id, "111111");
      }
    }
    const id = await start({ channel: "email", recipient: newMail() });
    expect((await resend(id, { channel: "whatsapp", recipient: victim })).code).toBe("rate_limited");
  });

  test("wrong codes count against both recipients: new first recipients do not allow more guesses for the second", async () => {
    const { start, startCode, resend, check } = api();
    const victim = newPhone();
    for (let verification = 0; verification < 2; verification += 1) {
      const id = await start({ channel: "email", recipient: newMail() });
      expect((await resend(id, { channel: "sms", recipient: victim })).code).toBe("ok");
      for (let attempt = 0; attempt < 5; attempt += 1) {
        await check(id, "111111", victim);
      }
    }
    expect(await startCode({ channel: "sms", recipient: victim })).toBe("rate_limited");
  });

  test("a list by recipient finds verifications by their second recipient", async () => {
    const { start, resend, call } = api();
    const [mail, phone] = [newMail(), newPhone()];
    const id = await start({ channel: "email", recipient: mail });
    const other = await start({ channel: "sms", recipient: phone });
    await resend(id, { channel: "sms", recipient: phone });
    const idsOf = async (recipient: string) => {
      const { body } = await call("ListVerifications", { recipient });
      return body.verifications.map((each: { verification_id: string }) => each.verification_id);
    };
    expect(await idsOf(phone)).toEqual([other, id]);
    expect(await idsOf(mail)).toEqual([id]);
    expect((await call("ListVerifications", { recipient: phone, page_size: 1 })).body.next_page_token).not.toBeNull();
  });

  test.each(["first", "second"])(
    "erasing the %s recipient erases all personal data of the verification",
    async (which) => {
      const { start, resend, get, check, call } = api();
      const [mail, phone] = [newMail(), newPhone()];
      const fields = { metadata: { name: "Ada" }, end_user_ip: "192.0.2.200" };
      const id = await start({ channel: "email", recipient: mail, ...fields });
      await resend(id, { channel: "sms", recipient: phone });
      const bystander = await start({ channel: "email", recipient: newMail() });
      const erased = await call("EraseRecipient", { recipient: which === "first" ? mail : phone });
      expect(erased.body).toEqual({ erased: 1 });
      const view = await get(id);
      expect(view).toMatchObject({ status: "canceled", recipient: null, metadata: {} });
      expect(view.deliveries.map((each: { recipient: unknown }) => each.recipient)).toEqual([null, null]);
      expect(await check(id, "000000")).toBe("expired");
      for (const recipient of [mail, phone]) {
        expect((await call("ListVerifications", { recipient })).body.verifications).toEqual([]);
        expect((await call("EraseRecipient", { recipient })).body).toEqual({ erased: 0 });
      }
      const [row] = await rowsOf(
        app,
        `SELECT recipient_sealed, recipient_index, second_recipient_sealed, second_recipient_index, limit_indexes,
         end_user_sealed, (SELECT count(payload_sealed)::int FROM outbox WHERE subject_id = $1) AS payloads
       FROM verification WHERE id = $1`,
        [id],
      );
      expect(Object.values(row ?? {})).toEqual([null, null, null, null, null, null, 0]);
      expect((await get(bystander)).status).toBe("pending");
    },
  );

  test("the end user's address is stored only sealed", async () => {
    const { start } = api();
    const id = await start({ channel: "email", recipient: newMail(), end_user_ip: "203.0.113.77" });
    const [row] = await rowsOf(app, "SELECT v::text AS row, end_user_sealed FROM verification AS v WHERE id = $1", [
      id,
    ]);
    expect(row?.end_user_sealed).toBeInstanceOf(Buffer);
    expect(String(row?.row)).not.toContain("203.0.113.77");
    expect(String(row?.row)).not.toContain(Buffer.from("203.0.113.77").toString("hex"));
  });

  test("an erasure in parallel with resends leaves no data of either recipient", async () => {
    const { start, resend, call } = api();
    for (let round = 0; round < 5; round += 1) {
      const [mail, phone] = [newMail(), newPhone()];
      const id = await start({ channel: "email", recipient: mail });
      await Promise.all([
        resend(id, { channel: "sms", recipient: phone }),
        call("EraseRecipient", { recipient: mail }),
        resend(id, { channel: "whatsapp", recipient: phone }),
        call("EraseRecipient", { recipient: phone }),
        resend(id),
      ]);
      const rows = await rowsOf(
        app,
        `SELECT id FROM verification WHERE id = $1 AND num_nonnulls(
           recipient_sealed, recipient_index, second_recipient_sealed, second_recipient_index, limit_indexes
         ) > 0
         UNION ALL SELECT id FROM outbox WHERE subject_id = $1 AND payload_sealed IS NOT NULL`,
        [id],
      );
      expect(rows).toEqual([]);
      for (const recipient of [mail, phone]) {
        expect((await call("ListVerifications", { recipient })).body.verifications).toEqual([]);
      }
    }
  });

  test("parallel checks of verifications with the same two recipients in opposite order do not deadlock", async () => {
    const { start, resend, call } = api();
    const [mail, phone] = [newMail(), newPhone()];
    const byMail = await start({ channel: "email", recipient: mail });
    const byPhone = await start({ channel: "sms", recipient: phone });
    await resend(byMail, { channel: "sms", recipient: phone });
    await resend(byPhone, { channel: "email", recipient: mail });
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        call("CheckVerification", { verification_id: index % 2 === 0 ? byMail : byPhone, code: "111111" }),
      ),
    );
    expect(tally(answers.map(({ body }) => body.status))).toEqual({ incorrect: 8, locked: 52 });
  });

  test("addresses that are equal only after Unicode folding (NFKC, full case folding) are different recipients", async () => {
    const { start, check } = api();
    const name = `kim-${newMail()}`;
    // Full-width letters, a ligature and a dotless i: NFKC or full case folding would make one recipient of them.
    for (const another of [name.replace("kim", "ｋｉｍ"), name.replace("kim", "kım"), name.replace("k", "ﬁ")]) {
      const id = await start({ channel: "email", recipient: another });
      expect(await check(id, "000000", name)).toBe("incorrect");
      expect(await check(id, "000000", another)).toBe("approved");
    }
  });

  test("the right code is incorrect for another recipient and counts as an attempt; it stays right for the verification's own", async () => {
    const { start, get, check } = api();
    const mine = newMail();
    const id = await start({ channel: "email", recipient: mine });
    const others = [newMail(), newPhone(), `x${mine}`, mine.replace("@", "+x@"), mine.replace("example", "exämple")];
    const outcomes = [];
    for (const another of others) {
      outcomes.push(await check(id, "000000", another));
    }
    expect(outcomes).toEqual(["incorrect", "incorrect", "incorrect", "incorrect", "locked"]);
    expect(await check(id, "000000", mine)).toBe("locked");

    const other = newMail();
    const again = await start({ channel: "email", recipient: other });
    expect(await check(again, "000000", mine)).toBe("incorrect");
    expect(await check(again, "111111", other)).toBe("incorrect");
    expect((await get(again)).attempts_left).toBe(3);
    expect(await check(again, "000000", ` ${other.toUpperCase()} `)).toBe("approved");
  });

  test("after a resend to a second recipient, a check approves for both", async () => {
    const { start, resend, check } = api();
    const [mail, phone] = [newMail(), newPhone()];
    const ids = [];
    for (let verification = 0; verification < 2; verification += 1) {
      const id = await start({ channel: "email", recipient: mail });
      expect(await check(id, "000000", phone)).toBe("incorrect");
      ids.push(id);
    }
    const [first = "", second = ""] = ids;
    expect((await resend(first, { channel: "voice", recipient: phone })).code).toBe("ok");
    expect(await check(first, "000000", phone)).toBe("approved");
    expect(await check(second, "000000", phone)).toBe("incorrect");
    expect(await check(second, "000000", mail)).toBe("approved");
  });

  test.each(["", "nobody", "@", "+", "12345", "a@b"])(
    "a check for the malformed recipient %j is refused and does not count as an attempt",
    async (recipient) => {
      const { start, get, call } = api();
      const id = await start({ channel: "email", recipient: newMail() });
      const { code, body } = await call("CheckVerification", { verification_id: id, code: "000000", recipient });
      expect([code, body.fields]).toEqual([
        "validation_error",
        { recipient: "must be a phone number in E.164 form or an email address" },
      ]);
      expect((await get(id)).attempts_left).toBe(5);
    },
  );
});

function callsOf(protocol: Protocol, server: TestApp, key: string) {
  const call = (name: Parameters<Protocol["call"]>[1], input: Record<string, unknown>) =>
    protocol.call(server, name, input, { key });
  return {
    call,
    async start(input: Record<string, unknown>): Promise<string> {
      const { code, body } = await call("StartVerification", input);
      expect(code).toBe("ok");
      return body.verification_id;
    },
    startCode: async (input: Record<string, unknown>) => (await call("StartVerification", input)).code,
    resend: (id: string, input: Record<string, unknown> = {}) => call("ResendCode", { verification_id: id, ...input }),
    get: async (id: string) => (await call("GetVerification", { verification_id: id })).body,
    async check(id: string, code: string, recipient?: string): Promise<string> {
      const input = { verification_id: id, code, ...(recipient === undefined ? {} : { recipient }) };
      return (await call("CheckVerification", input)).body.status;
    },
  };
}
