import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import {
  generateRefreshToken,
  parseRefreshToken,
  succeedingToken,
} from "../../../src/capabilities/accounts/refresh-token-format.ts";
import { createId, randomBase62 } from "../../../src/crypto/ids.ts";
import { createKeyring } from "../../../src/crypto/keyring.ts";

const tagKey = randomBytes(32);
const reference = () => ({ workspaceId: createId("ws"), sessionId: randomBase62(22) });

test("a parsed token gives its session and its hash", () => {
  for (let round = 0; round < 200; round += 1) {
    const session = reference();
    const { token, hash } = generateRefreshToken(session, tagKey);
    expect(parseRefreshToken(token, tagKey)).toEqual({ ...session, hash });
  }
});

test("two tokens of one session differ", () => {
  const session = reference();
  const [one, other] = [generateRefreshToken(session, tagKey), generateRefreshToken(session, tagKey)];
  expect(one.token).not.toBe(other.token);
  expect(one.hash).not.toEqual(other.hash);
});

test("a token with any character changed is refused", () => {
  const { token } = generateRefreshToken(reference(), tagKey);
  for (let index = 0; index < token.length; index += 1) {
    const changed = token.slice(0, index) + (token[index] === "x" ? "y" : "x") + token.slice(index + 1);
    expect(parseRefreshToken(changed, tagKey)).toBeUndefined();
  }
});

test.each(["", "rt_", "nonsense", "rt_..", `${"x".repeat(300)}`])("%s is none", (token) => {
  expect(parseRefreshToken(token, tagKey)).toBeUndefined();
});

test("a token of another installation is refused", () => {
  const { token } = generateRefreshToken(reference(), randomBytes(32));
  expect(parseRefreshToken(token, tagKey)).toBeUndefined();
});

test("a token has one successor for each master secret, different from that of every other token", () => {
  const one = createKeyring([randomBase62(40)]).current;
  const other = createKeyring([randomBase62(40)]).current;
  const session = reference();
  const [token, sibling] = [generateRefreshToken(session, tagKey), generateRefreshToken(session, tagKey)];
  const next = succeedingToken(token, one, tagKey);
  expect(parseRefreshToken(next.token, tagKey)).toEqual({ ...session, hash: next.hash });
  expect(succeedingToken(token, one, tagKey)).toEqual(next);
  const others = [
    token.token,
    succeedingToken(sibling, one, tagKey).token,
    succeedingToken(token, other, tagKey).token,
    succeedingToken({ ...token, ...reference() }, one, tagKey).token,
    succeedingToken(next, one, tagKey).token,
  ];
  expect(new Set([next.token, ...others]).size).toBe(6);
});
