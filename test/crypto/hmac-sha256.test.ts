import { createHmac, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { hmacSha256 } from "../../src/crypto/hmac-sha256.ts";

test("equals Node's HMAC, for keys and texts of every length", () => {
  for (let keyBytes = 0; keyBytes <= 64; keyBytes += 1) {
    for (const textLength of [0, 1, 20, 55, 56, 63, 64, 65, 200]) {
      const key = randomBytes(keyBytes);
      const text = randomBytes(textLength).toString("latin1");
      expect(hmacSha256(key, text)).toEqual(createHmac("sha256", key).update(text).digest());
    }
  }
});

test("refuses a key that is longer than a block", () => {
  expect(() => hmacSha256(randomBytes(65), "text")).toThrow(RangeError);
});
