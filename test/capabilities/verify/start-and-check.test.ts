/** What `verify/start` and `verify/check` guarantee beyond the examples of the reference. */
import { beforeAll, describe, expect, test } from "vitest";
import { Channel } from "../../../gen/byond/v1/verify_pb.ts";
import { startTestApp, useTestApp } from "../../support/app.ts";
import { check, codeIn, inbox, messagesTo, rowsOf, start, startAndRead, wrongFor } from "./verify-calls.ts";

const app = useTestApp();
let key: string;
beforeAll(async () => {
  key = await app.mintKey();
});

describe("start", () => {
  test.each([4, 5, 6, 7, 8, 9, 10])(
    "with code_length %i the code has that many digits, and is approved",
    async (digits) => {
      const { id, code } = await startAndRead(app, key, `digits-${digits}@example.com`, { code_length: digits });
      expect(code).toMatch(new RegExp(`^[0-9]{${digits}}$`));
      expect(await check(app, key, id, code)).toBe("approved");
    },
  );

  test.each([30, 300, 3600])(
    "with ttl_seconds %i the code expires exactly at expires_at, which is in whole seconds",
    async (ttl) => {
      await using server = await startTestApp();
      const serverKey = await server.mintKey();
      const before = Date.now();
      const early = await start(server, serverKey, "early@example.com", { ttl_seconds: ttl });
      const late = await start(server, serverKey, "late@example.com", { ttl_seconds: ttl });
      const after = Date.now();
      for (const { body } of [early, late]) {
        const expiresAt = Date.parse(body.expires_at);
        expect(expiresAt).toBeGreaterThanOrEqual(before + ttl * 1000);
        expect(expiresAt).toBeLessThanOrEqual(after + ttl * 1000 + 1000);
      }
      const code = (recipient: string) => messagesTo(server, recipient, 1).then(([message]) => codeIn(message));
      const codes = [await code("early@example.com"), await code("late@example.com")] as const;
      await server.time.advance({ seconds: ttl - 15 });
      expect(await check(server, serverKey, early.body.verification_id, codes[0])).toBe("approved");
      await server.time.advance({ seconds: 16 });
      expect(await check(server, serverKey, late.body.verification_id, codes[1])).toBe("expired");
    },
  );

  test("null is the same as a field that is not given", async () => {
    const { status, body } = await start(app, key, "nulls@example.com", {
      brand: null,
      code_length: null,
      ttl_seconds: null,
    });
    expect(status).toBe(201);
    expect(body.status).toBe("pending");
    expect(codeIn((await messagesTo(app, "nulls@example.com", 1))[0])).toHaveLength(6);
  });

  test.each([
    ["brand", "", "must be 1 to 40 characters long"],
    ["brand", "B".repeat(41), "must be 1 to 40 characters long"],
    ["brand", "evil.example/win", "must not contain a web address"],
    ["brand", "Acme\r\nBcc: eve@example.com", "must not contain control characters"],
    ["code_length", 3, "must be between 4 and 10"],
    ["code_length", 11, "must be between 4 and 10"],
    ["code_length", -6, "must be between 4 and 10"],
    ["code_length", 6.5, "must be an integer"],
    ["ttl_seconds", 29, "must be between 30 and 3600"],
    ["ttl_seconds", 3601, "must be between 30 and 3600"],
    ["recipient", "nobody", "must be an email address"],
    ["recipient", `${"a".repeat(250)}@example.com`, "must be at most 254 characters"],
  ])("%s %j is refused: %s", async (field, value, problem) => {
    const { status, body } = await start(app, key, "refused@example.com", { [field]: value });
    expect(status).toBe(422);
    expect(body.error.fields).toEqual({ [field]: problem });
  });

  test.each([
    ["+6591230101", "\u202a(+65) 9123 0101\u202c"],
    ["+6591230102", "\u200e+65 9123\u200b0102"],
    ["+6591230103", "＋６５ ９１２３ ０１０３"],
    ["+6591230104", "+६५ ९१२३ ०१०४"],
  ])("%s is recognized in the digits of any script, and with invisible format characters", async (e164, text) => {
    const { status, body } = await start(app, key, text, { channel: "sms" });
    expect(status).toBe(201);
    const list = await app.rest("GET", `/verifications?recipient=${e164}`, { key });
    expect(list.body.verifications).toMatchObject([{ verification_id: body.verification_id }]);
  });

  test("a number with words or parameters around it is refused", async () => {
    for (const text of ["call +6591230105", "'+6591230105", "tel:+6591230105", "+6591230105;isub=words"]) {
      const { status, body } = await start(app, key, text, { channel: "sms" });
      expect(status).toBe(422);
      expect(Object.keys(body.error.fields)).toEqual(["recipient"]);
    }
  });

  test("the length of a brand is counted in characters, not bytes: forty are accepted", async () => {
    const brand = "ü".repeat(39).concat("🏦");
    expect((await start(app, key, "forty@example.com", { brand })).status).toBe(201);
    expect((await messagesTo(app, "forty@example.com", 1))[0]?.text).toContain(brand);
  });

  test("the trailing dot of autofill_domain is removed, because browsers compare without it", async () => {
    const input = { channel: "email", recipient: "root@example.com", autofill_domain: "acme.example." };
    await app.rest("POST", "/verify/start", { key, body: input });
    expect((await app.messageTo("root@example.com")).text).toMatch(/^@acme\.example #\d{6}$/m);
  });

  test("markup in a brand is escaped in the HTML of the message", async () => {
    const brand = "<img src=x onerror=alert(1)>";
    await start(app, key, "markup@example.com", { brand });
    const [message] = await messagesTo(app, "markup@example.com", 1);
    expect(message?.html).not.toContain("<img src=x");
    expect(message?.html).toContain("&lt;img src=x");
  });

  test("without a brand, an account name from before names were checked cannot put forbidden text into a message", async () => {
    for (const [index, name] of ["https://evil.example/win", `Acme\u2028${"x".repeat(60)}`].entries()) {
      const { session, workspaceId } = await app.signUp();
      await rowsOf(app, "UPDATE workspace SET name = $1 WHERE id = $2", [name, workspaceId]);
      const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "key" } });
      const { status } = await start(app, body.key, `account-name-${index}@example.com`);
      expect(status).toBe(201);
      const [message] = await messagesTo(app, `account-name-${index}@example.com`, 1);
      expect(`${message?.subject} ${message?.text}`).not.toContain("evil.example/win");
      expect(`${message?.subject} ${message?.text}`).not.toContain("\u2028");
    }
  });

  test("a start on a channel without a provider stores a verification, and queues and sends nothing", async () => {
    await using server = await startTestApp({ isPublic: true, inbox: "none" });
    const serverKey = await server.mintKey();
    for (const [channel, recipient] of [
      ["email", "ada@example.com"],
      ["whatsapp", "+6591234567"],
    ] as const) {
      const { status, body } = await start(server, serverKey, recipient, { channel });
      expect(status).toBe(201);
      expect(body.status).toBe("channel_unavailable");
      expect(await check(server, serverKey, body.verification_id, "123456")).toBe("expired");
    }
    expect(await rowsOf(server, "SELECT id FROM outbox")).toEqual([]);
    expect(await rowsOf(server, "SELECT attempts FROM verification")).toEqual([{ attempts: 0 }, { attempts: 0 }]);
  });
});

describe("code_in_subject", () => {
  const subjects = async (recipient: string, count: number) =>
    (await messagesTo(app, recipient, count)).map((message) => [message.subject, codeIn(message)]);

  test("puts the code at the start of the subject of the mail, over REST and RPC, and of every mail after it", async () => {
    const recipient = "subject@example.com";
    const { body } = await start(app, key, recipient, { code_in_subject: true, brand: "Acme" });
    const [[subject, code] = []] = await subjects(recipient, 1);
    expect(subject).toBe(`${code} - Your Acme verification code`);
    await app.rest("POST", `/verify/${body.verification_id}/resend`, { key, body: {} });
    expect(await subjects(recipient, 2)).toEqual([
      [subject, code],
      [subject, code],
    ]);
    const { verify } = app.grpc({ "x-api-key": key });
    const request = {
      channel: Channel.EMAIL,
      recipient: "subject-grpc@example.com",
      brand: "Acme",
      codeInSubject: true,
    };
    await verify.startVerification(request);
    const [[overGrpc, itsCode] = []] = await subjects(request.recipient, 1);
    expect(overGrpc).toBe(`${itsCode} - Your Acme verification code`);
  });

  test("applies to a mail of the fallback too", async () => {
    const sandboxKey = await app.mintKey({ mode: "test" });
    const recipient = "subject-of-fallback@example.com";
    const fallback = [{ channel: "email", recipient }];
    await start(app, sandboxKey, "+2348000001250", { channel: "sms", code_in_subject: true, brand: "Acme", fallback });
    expect(await subjects(recipient, 1)).toEqual([["000000 - Your Acme verification code", "000000"]]);
  });

  test.each([undefined, null, false])("%s keeps the code out of the subject", async (code_in_subject) => {
    const recipient = `subject-${code_in_subject}@example.com`;
    await start(app, key, recipient, { code_in_subject, brand: "Acme" });
    const [[subject] = []] = await subjects(recipient, 1);
    expect(subject).toBe("Your Acme verification code");
  });
});

describe("check", () => {
  test("an empty code is refused and does not count as an attempt; a code of only spaces counts", async () => {
    const started = await startAndRead(app, key, "empty@example.com");
    const { status, body } = await app.rest("POST", "/verify/check", {
      key,
      body: { verification_id: started.id, code: "" },
    });
    expect(status).toBe(422);
    expect(body.error.fields).toEqual({ code: "is required" });
    const outcomes = [];
    for (const code of ["   ", "-", "\u00a0", " ", "  "]) {
      outcomes.push(await check(app, key, started.id, code));
    }
    expect(outcomes).toEqual(["incorrect", "incorrect", "incorrect", "incorrect", "locked"]);
  });

  test("a code with a digit too many or too few is incorrect", async () => {
    const started = await startAndRead(app, key, "longer@example.com");
    expect(await check(app, key, started.id, `${started.code}0`)).toBe("incorrect");
    expect(await check(app, key, started.id, `0${started.code}`)).toBe("incorrect");
    expect(await check(app, key, started.id, started.code.slice(1))).toBe("incorrect");
    expect(await check(app, key, started.id, started.code)).toBe("approved");
  });

  test("a code of 64 characters counts as an attempt; a longer one is refused and does not count", async () => {
    const started = await startAndRead(app, key, "endless@example.com");
    const attempts = async () =>
      (await rowsOf(app, "SELECT attempts FROM verification WHERE id = $1", [started.id]))[0]?.attempts;
    expect(await check(app, key, started.id, "1".repeat(64))).toBe("incorrect");
    expect(await attempts()).toBe(1);
    for (const length of [65, 60_000]) {
      const body = { verification_id: started.id, code: "1".repeat(length) };
      expect(await app.rest("POST", "/verify/check", { key, body })).toMatchObject({
        status: 422,
        body: { error: { fields: { code: "must be at most 64 characters" } } },
      });
    }
    expect(await attempts()).toBe(1);
    expect(await check(app, key, started.id, started.code)).toBe("approved");
  });

  test("a code is right only for its own verification", async () => {
    const mine = await startAndRead(app, key, "mine@example.com");
    const theirs = await startAndRead(app, key, "theirs@example.com");
    const isDifferent = mine.code !== theirs.code;
    expect(await check(app, key, mine.id, isDifferent ? theirs.code : wrongFor(theirs))).toBe("incorrect");
  });

  test("an approved verification stays approved after more checks", async () => {
    const started = await startAndRead(app, key, "approved@example.com");
    expect(await check(app, key, started.id, started.code)).toBe("approved");
    for (let attempt = 0; attempt < 7; attempt++) {
      expect(await check(app, key, started.id, wrongFor(started))).toBe("expired");
    }
    const [row] = await rowsOf(app, "SELECT status, attempts FROM verification WHERE id = $1", [started.id]);
    expect(row).toEqual({ status: "approved", attempts: 1 });
  });

  test("a locked verification stays locked after it expires", async () => {
    await using server = await startTestApp();
    const serverKey = await server.mintKey();
    const started = await startAndRead(server, serverKey, "locked@example.com", { ttl_seconds: 30 });
    for (let attempt = 0; attempt < 5; attempt++) {
      await check(server, serverKey, started.id, wrongFor(started));
    }
    await server.time.advance({ seconds: 60 });
    expect(await check(server, serverKey, started.id, started.code)).toBe("locked");
  });
});

test("the inbox keeps the newest hundred messages, newest first", async () => {
  await using server = await startTestApp();
  const serverKey = await server.mintKey({ mode: "test" });
  for (let index = 0; index < 103; index++) {
    const recipient = `number-${index}@example.com`;
    expect((await start(server, serverKey, recipient)).status).toBe(201);
    await messagesTo(server, recipient, 1);
  }
  const messages = await inbox(server);
  expect(messages.map(({ recipient }) => recipient)).toEqual(
    Array.from({ length: 100 }, (_, index) => `number-${102 - index}@example.com`),
  );
});
