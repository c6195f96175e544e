import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { generateKey, parseKey } from "../../../src/capabilities/keys/key-format.ts";

const tagKey = randomBytes(32);

describe.each(["live", "test"] as const)("a %s key", (mode) => {
  test("is pk_, its mode, twelve characters, a dot and forty-two, and can be parsed", () => {
    for (let count = 0; count < 1_000; count++) {
      const generated = generateKey(mode, tagKey);
      expect(generated.key).toMatch(new RegExp(`^pk_${mode}_[0-9A-Za-z]{12}\\.[0-9A-Za-z]{42}$`));
      expect(generated.key.startsWith(`${generated.prefix}.`)).toBe(true);
      expect(parseKey(generated.key, tagKey)).toEqual(generated);
    }
  });

  test("is different every time, in both parts", () => {
    const keys = Array.from({ length: 1_000 }, () => generateKey(mode, tagKey).key.split("."));
    expect(new Set(keys.map(([prefix]) => prefix)).size).toBe(1_000);
    expect(new Set(keys.map(([, secret]) => secret)).size).toBe(1_000);
  });

  test("with any one character changed is refused", () => {
    const { key } = generateKey(mode, tagKey);
    for (let index = 0; index < key.length; index++) {
      for (const character of ["0", "z", ".", "_", "-", " ", "\0", "é"]) {
        if (key[index] !== character) {
          expect(parseKey(key.slice(0, index) + character + key.slice(index + 1), tagKey)).toBeUndefined();
        }
      }
    }
  });

  test("of another installation is refused", () => {
    expect(parseKey(generateKey(mode, randomBytes(32)).key, tagKey)).toBeUndefined();
  });
});

test("the tag is of the mode, the prefix and the secret together", () => {
  const live = generateKey("live", tagKey).key;
  const other = generateKey("live", tagKey).key;
  expect(parseKey(live.replace("pk_live_", "pk_test_"), tagKey)).toBeUndefined();
  expect(parseKey(`${live.split(".")[0]}.${other.split(".")[1]}`, tagKey)).toBeUndefined();
  expect(parseKey(live.slice(0, -9) + other.slice(-9), tagKey)).toBeUndefined();
});

test.each([
  "",
  "pk_",
  "pk_live_8fa2.s3cr3t_9c1d4f7b2a6e0h8j",
  `pk_prod_${"a".repeat(12)}.${"a".repeat(42)}`,
  `PK_LIVE_${"a".repeat(12)}.${"a".repeat(42)}`,
  `pk_live_${"a".repeat(12)}.${"a".repeat(42)}`,
  `pk_live_${"a".repeat(11)}.${"a".repeat(43)}`,
  `pk_live_${"a".repeat(12)}.${"a".repeat(41)}`,
  `pk_live_${"a".repeat(12)}.${"a".repeat(42)}\n`,
  ` pk_live_${"a".repeat(12)}.${"a".repeat(42)}`,
  `pk_live_${"é".repeat(12)}.${"a".repeat(42)}`,
  "x".repeat(100_000),
])("%.60j is no key", (text) => {
  expect(parseKey(text, tagKey)).toBeUndefined();
});

test("with spaces or line ends around it is refused", () => {
  const { key } = generateKey("live", tagKey);
  for (const text of [` ${key}`, `${key} `, `${key}\n`, `${key}\0`, `"${key}"`, `Bearer ${key}`]) {
    expect(parseKey(text, tagKey)).toBeUndefined();
  }
});
