/** What is refused as a new password, wherever one is set: what people guess first. */
import { describe, expect, test } from "vitest";
import { newPasswordProblem } from "../../../src/capabilities/accounts/password-rules.ts";
import { password, useTestApp } from "../../support/app.ts";
import { type Protocol, protocols } from "../../support/protocols.ts";

const common = "is too easy to guess: it is a common password, or repeats or counts";
const ofAddress = "is too easy to guess: it is the email address, or a part of it";

describe("common passwords, in whichever case, repetitions and runs", () => {
  test.each([
    "password123",
    "Password123",
    "PASSWORD12",
    "qwertyuiop",
    "1234567890",
    "١٢٣٤٥٦٧٨٩٠",
    "pass\u200bword123",
    "1q2w3e4r5t",
    "ｑｗｅｒｔｙｕｉｏｐ",
    "basketball",
    "aaaaaaaaaa",
    "          ",
    "abcabcabcabc",
    "Passwordpassword",
    "dragondragondragon",
    "bcdefghijkl",
    "ZYXWVUTSRQ",
    "0987654321",
    "34567890123456",
    "poiuytrewq",
    "asdfghjklzxcvbnm",
    "🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂",
  ])("%s is refused", (secret) => {
    expect(newPasswordProblem(secret, "ada@example.com")).toBe(common);
  });
});

describe("the address and its parts, also with digits and symbols around them", () => {
  test.each([
    ["ada@example.com", "ada@example.com"],
    ["Ada@Example.COM", "aDA@eXAMPLE.com"],
    ["ada.lovelace@example.com", "ada.lovelace"],
    ["ada.lovelace@example.com", "Ada.Lovelace1815!"],
    ["ada.lovelace+byond@example.com", "ada.lovelace"],
    ["ada.lovelace+byond@example.com", "ada.lovelace+byond"],
    ["ada@analytical-engine.example", "analytical-engine.example"],
    ["ada@analytical-engine.example", "analytical-engine"],
    ["ada@example.com", "example123"],
    ["ada@example.com", "!!!!ada2026"],
    ["ada1815@example.com", "ada1843!!!"],
    ["ada@bücher.example", "xn--bcher-kva.example"],
  ])("of %s: %s is refused", (email, secret) => {
    expect(newPasswordProblem(secret, email)).toBe(ofAddress);
  });
});

test.each(["éàüöñ", "한글암호", "ｑwe\u0301rtyuio"])("%s is too short, also with letters and marks apart", (secret) => {
  for (const written of [secret.normalize("NFD"), secret.normalize("NFC")]) {
    expect(newPasswordProblem(written, "ada@example.com")).toBe("must be 10 to 128 characters long");
  }
});

test.each([
  ["ada@example.com", password],
  ["ada@example.com", "a wholly new password"],
  ["ada@example.com", "battery staple correct horse"],
  ["ada@example.com", "ada likes engines"],
  ["ada@example.com", "my password123 is long"],
  ["ada@example.com", "kV7#pq2!mWzt"],
  ["ada@example.com", "4815926535"],
  ["a@example.com", "a-8372650193"],
  ["123@example.com", "8372650193"],
  ["not an address", "what might be"],
  ["ada@example.com", "пароль который длинный"],
  ["ada@example.com", "x".repeat(64) + "y".repeat(64)],
])("of %s: %s is taken", (email, secret) => {
  expect(newPasswordProblem(secret, email)).toBeUndefined();
});

test("the longest password is checked quickly", () => {
  const startedMs = performance.now();
  for (const secret of [`${"a".repeat(127)}b`, `${"ab".repeat(63)}c`, `${"1".repeat(127)}a`, "-".repeat(128)]) {
    for (let round = 0; round < 100; round += 1) {
      newPasswordProblem(secret, `${"a".repeat(64)}@example.com`);
    }
  }
  expect(performance.now() - startedMs).toBeLessThan(1_000);
});

describe.each(protocols)("over $name", (protocol: Protocol) => {
  const app = useTestApp();

  test("signing up names the field, together with all others", async () => {
    const signUp = (input: Record<string, string>) =>
      protocol.call(app, "SignUp", { email: "ada.lovelace@example.com", password, name: "Acme", ...input });
    for (const [secret, problem] of [
      ["password123", common],
      ["ada.lovelace", ofAddress],
    ] as const) {
      expect(await signUp({ password: secret })).toMatchObject({
        code: "validation_error",
        body: { fields: { password: problem } },
      });
    }
    expect((await signUp({ password: "qwertyuiop", email: "nobody", name: "" })).body.fields).toEqual({
      email: "must be an email address",
      password: common,
      name: expect.any(String),
    });
    for (const secret of ["short", "한글암호".normalize("NFD")]) {
      expect((await signUp({ password: secret })).body.fields).toEqual({
        password: "must be 10 to 128 characters long",
      });
    }
  });

  test("changing the password names the field, and changes nothing", async () => {
    const { email, session } = await app.signUp();
    const change = (new_password: string) =>
      protocol.call(app, "ChangePassword", { current_password: password, new_password }, { session });
    expect((await change("Password123")).body.fields).toEqual({ new_password: common });
    expect((await change(`${email.toUpperCase()}1`)).body.fields).toEqual({ new_password: ofAddress });
    expect((await protocol.call(app, "GetMe", {}, { session })).code).toBe("ok");
    expect((await protocol.call(app, "SignIn", { email, password })).code).toBe("ok");
  });
});
