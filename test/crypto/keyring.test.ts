import { describe, expect, test } from "vitest";
import { createKeyring, seal, unseal } from "../../src/crypto/keyring.ts";

const old = "the old secret, which has thirty-two bytes";
const fresh = "the new secret, which has thirty-two bytes";

describe("a keyring", () => {
  test("needs a secret", () => {
    expect(() => createKeyring([])).toThrow(RangeError);
  });

  test("has the first secret as the current one, and finds each by its id", () => {
    const keyring = createKeyring([fresh, old]);
    expect(keyring.current).toBe(keyring.all[0]);
    expect(keyring.all.map(({ id }) => keyring.find(id))).toEqual(keyring.all);
    expect(keyring.find("00000000")).toBeUndefined();
  });

  test("names a secret by the same eight digits in every process, which are not part of it", () => {
    const [id] = createKeyring([old]).all.map((secret) => secret.id);
    expect(id).toMatch(/^[0-9a-f]{8}$/);
    expect(createKeyring([fresh, old]).all[1]?.id).toBe(id);
    expect(createKeyring([fresh]).current.id).not.toBe(id);
  });

  test("derives a different 32-byte key for every purpose of every secret, always the same one", () => {
    const purposes = ["verification-code", "recipient-index", "recipient-seal", "session-token"] as const;
    const keys = createKeyring([fresh, old]).all.flatMap((secret) => purposes.map((purpose) => secret.subkey(purpose)));
    expect(keys.map((key) => key.length)).toEqual(new Array(8).fill(32));
    expect(new Set(keys.map((key) => key.toString("hex"))).size).toBe(8);
    expect(createKeyring([fresh]).current.subkey("session-token")).toEqual(keys[3]);
  });

  // Rows in databases depend on these: a change makes pending verifications and sealed recipients unreadable.
  test("derives the same keys as earlier versions", () => {
    const { current } = createKeyring(["0123456789abcdef0123456789abcdef"]);
    expect(current.id).toMatchInlineSnapshot(`"6040f0d6"`);
    expect(current.subkey("verification-code").toString("hex")).toMatchInlineSnapshot(
      `"e31b1f50c5d382ef312f10afdd97072245e3426eaf8306d892987d631dfd0669"`,
    );
    expect(current.subkey("recipient-seal").toString("hex")).toMatchInlineSnapshot(
      `"2ba2f0cbbe5c9f305e31a2261d865717662b93110942dd22c00fb3e6fc71842c"`,
    );
  });
});

describe("a sealed text", () => {
  const keyring = createKeyring([old]);

  test.each(["", "ada@example.com", "ä🏦\0", "x".repeat(10_000)])("opens to %j again", (text) => {
    expect(unseal(keyring, "recipient-seal", "ws_1/vrf_1", seal(keyring, "recipient-seal", "ws_1/vrf_1", text))).toBe(
      text,
    );
  });

  test("is different every time, and does not reveal the text", () => {
    const one = seal(keyring, "recipient-seal", "c", "ada@example.com");
    const other = seal(keyring, "recipient-seal", "c", "ada@example.com");
    expect(one.equals(other)).toBe(false);
    expect(one.includes("ada@example.com")).toBe(false);
  });

  test("does not open in another context, for another purpose, or changed in any byte", () => {
    const sealed = seal(keyring, "recipient-seal", "ws_1/vrf_1", "ada@example.com");
    expect(() => unseal(keyring, "recipient-seal", "ws_1/vrf_2", sealed)).toThrow();
    expect(() => unseal(keyring, "recipient-index", "ws_1/vrf_1", sealed)).toThrow();
    for (let index = 4; index < sealed.length; index++) {
      const changed = Buffer.from(sealed);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(() => unseal(keyring, "recipient-seal", "ws_1/vrf_1", changed)).toThrow();
    }
    // Node opens values with tags of four bytes and more, unless it is told how long they are.
    for (let length = 4; length < sealed.length; length++) {
      expect(() => unseal(keyring, "recipient-seal", "ws_1/vrf_1", sealed.subarray(0, length))).toThrow();
    }
    // An empty text with a tag of four bytes.
    const empty = seal(keyring, "recipient-seal", "ws_1/vrf_1", "");
    expect(() => unseal(keyring, "recipient-seal", "ws_1/vrf_1", empty.subarray(0, 20))).toThrow();
  });

  test("opens after a rotation as long as its secret is in the keyring", () => {
    const sealed = seal(keyring, "recipient-seal", "c", "ada@example.com");
    expect(unseal(createKeyring([fresh, old]), "recipient-seal", "c", sealed)).toBe("ada@example.com");
    expect(unseal(createKeyring([fresh]), "recipient-seal", "c", sealed)).toBeUndefined();
    const newer = seal(createKeyring([fresh, old]), "recipient-seal", "c", "eve@example.com");
    expect(unseal(createKeyring([fresh]), "recipient-seal", "c", newer)).toBe("eve@example.com");
  });
});
