import { describe, expect, test, vi } from "vitest";
import { Hasher, keyCost, passwordCost } from "../../src/crypto/argon2-hasher.ts";

/** Of a hash in PHC string format. */
const parametersOf = (hash: string) =>
  hash
    .split("$")
    .slice(1, 4)
    .flatMap((part) => part.split(",").sort());

const cheap = { memoryKiB: 64, passes: 1 };

test("passwords get OWASP's parameters; keys of 192 random bits get modest ones", async () => {
  const hash = (cost: typeof cheap) => new Hasher({ cost, concurrency: 1, maxWaiting: 0 }).hash("x");
  expect(parametersOf(await hash(passwordCost))).toEqual(["argon2id", "v=19", "m=19456", "p=1", "t=2"]);
  expect(parametersOf(await hash(keyCost))).toEqual(["argon2id", "v=19", "m=1024", "p=1", "t=2"]);
});

test("a hash is salted, and verifies only its own secret", async () => {
  const hasher = new Hasher({ cost: cheap, concurrency: 2, maxWaiting: 10 });
  const [one, other] = await Promise.all([hasher.hash("correct"), hasher.hash("correct")]);
  expect(one).not.toBe(other);
  expect(await hasher.verify(one, "correct")).toBe(true);
  for (const wrong of ["", "Correct", "correct ", "correct\0"]) {
    expect(await hasher.verify(one, wrong)).toBe(false);
  }
});

test("a hash that was made with other parameters still verifies", async () => {
  const before = new Hasher({ cost: cheap, concurrency: 1, maxWaiting: 0 });
  const now = new Hasher({ cost: keyCost, concurrency: 1, maxWaiting: 0 });
  expect(await now.verify(await before.hash("secret"), "secret")).toBe(true);
});

describe("too much work", () => {
  const busy = { code: "unavailable", details: { retryAfterSeconds: 1 } };

  test("waits up to the limit, and fails at once beyond it", async () => {
    const hasher = new Hasher({ cost: cheap, concurrency: 2, maxWaiting: 3 });
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => hasher.hash("x")));
    expect(outcomes.map(({ status }) => status)).toEqual([
      ...new Array(5).fill("fulfilled"),
      ...new Array(15).fill("rejected"),
    ]);
    for (const outcome of outcomes.slice(5)) {
      expect(outcome).toMatchObject({ reason: busy });
    }
  });

  test("does not wear out the hasher: a second wave is served like the first", async () => {
    const hasher = new Hasher({ cost: cheap, concurrency: 1, maxWaiting: 1 });
    for (let wave = 0; wave < 5; wave++) {
      const outcomes = await Promise.allSettled([hasher.hash("a"), hasher.hash("b"), hasher.hash("c")]);
      expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    }
  });

  test("a malformed hash does not occupy a slot for ever", async () => {
    const hasher = new Hasher({ cost: cheap, concurrency: 1, maxWaiting: 0 });
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(hasher.verify("not a hash", "x")).rejects.toThrow();
    }
    expect(await hasher.verify(await hasher.hash("x"), "x")).toBe(true);
  });
});

describe("a password", () => {
  const hasher = new Hasher({ cost: keyCost, concurrency: 1, maxWaiting: 10 });
  const composed = "crème brûlée x".normalize("NFC");
  const decomposed = composed.normalize("NFD");

  test.each([
    [composed, decomposed],
    ["한국어 비밀번호입니다".normalize("NFC"), "한국어 비밀번호입니다".normalize("NFD")],
    ["a blank, and others", "a\u00a0blank,\u3000and\u202fothers"],
    ["Å of Ångström", "\u212b of \u212bngström"],
    ["password 1２ of mine", "password 12 of mine"],
  ])("is the same however its characters are composed: %j and %j", async (one, other) => {
    expect(one).not.toBe(other);
    for (const [chosen, typed] of [[one, other] as const, [other, one] as const]) {
      const hash = await hasher.hashPassword(chosen);
      expect(await hasher.match([hash], typed)).toEqual({ hash, isOfNormalForm: true });
      const salted = await hasher.hashPassword("another", undefined, hash);
      expect(await hasher.match([salted, hash], typed)).toEqual({ hash, isOfNormalForm: true });
    }
  });

  test.each([decomposed, "dots… and a\u00a0blank", "ﬁle № ½"])(
    "matches an old hash of the password as it was typed: %j",
    async (typed) => {
      const hash = await hasher.hash(typed);
      const others = [await hasher.hash("another", undefined, hash), await hasher.hash("one more")];
      expect(await hasher.match([hash], typed)).toEqual({ hash, isOfNormalForm: false });
      expect(await hasher.match([...others, hash], typed)).toEqual({ hash, isOfNormalForm: false });
      expect(await hasher.match([hash], `${typed}x`)).toBeUndefined();
    },
  );

  test("that is typed in its normal form takes one computation", async () => {
    const hash = await hasher.hashPassword(composed);
    const verify = vi.spyOn(hasher, "verify");
    expect(await hasher.match([hash], `${composed}x`)).toBeUndefined();
    expect(verify).toHaveBeenCalledTimes(1);
  });
});
