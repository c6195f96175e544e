import { createHash } from "node:crypto";
import { SignJWT } from "jose";
import { expect, test } from "vitest";
import { isSignedByVonage } from "../../../src/capabilities/channels/vonage/vonage-signature.ts";
import { fixedNow } from "./messages.ts";

const secret = "the signature secret of the account";
const body = Buffer.from('{"message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab", "status": "delivered"}');
const sha256 = (content: string | Buffer) => createHash("sha256").update(content).digest("hex");

interface Signing {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly key?: string;
  readonly alg?: string;
  readonly at?: Date;
}

/** An `Authorization` header in the documented form. */
async function authorization({
  claims = { payload_hash: sha256(body) },
  key = secret,
  alg = "HS256",
  at = fixedNow,
}: Signing) {
  const token = await new SignJWT({ iss: "Vonage", jti: "c6cf8fc1", api_key: "abcd1234", ...claims })
    .setProtectedHeader({ alg, typ: "JWT" })
    .setIssuedAt(at)
    .sign(Buffer.from(key));
  return `Bearer ${token}`;
}

const isSigned = async (signing: Signing, sent = body) =>
  isSignedByVonage(await authorization(signing), sent, secret, fixedNow);

test("a report is signed with the account's secret, over its bytes or its JSON without white space", async () => {
  expect(await isSigned({})).toBe(true);
  const compact = JSON.stringify(JSON.parse(body.toString()));
  expect(await isSigned({ claims: { payload_hash: sha256(compact).toUpperCase() } })).toBe(true);
});

test.each<[string, Signing]>([
  ["with another secret", { key: "another secret of the same length" }],
  ["over another body", { claims: { payload_hash: sha256("{}") } }],
  ["without a hash of the body", { claims: {} }],
  ["more than an hour ago", { at: new Date(fixedNow.getTime() - 3_700_000) }],
  ["in the future", { at: new Date(fixedNow.getTime() + 120_000) }],
  [
    "with an algorithm that is not Vonage's",
    { alg: "HS512", key: "another secret of the same length, and then as long again" },
  ],
])("a report that was signed %s is refused", async (_, signing) => {
  expect(await isSigned(signing)).toBe(false);
});

test.each([undefined, "", "Bearer ", "Bearer a.b", "Bearer a.b.c", "Basic YTpi", `Bearer ${"a".repeat(9_000)}`])(
  "%j is no signature",
  async (header) => {
    expect(await isSignedByVonage(header, body, secret, fixedNow)).toBe(false);
  },
);

test("an unsigned token is refused", async () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const iat = fixedNow.getTime() / 1_000;
  const token = `${part({ alg: "none" })}.${part({ iat, payload_hash: sha256(body) })}.`;
  expect(await isSignedByVonage(`Bearer ${token}`, body, secret, fixedNow)).toBe(false);
});

test("a body that is no JSON can be signed, too", async () => {
  const text = Buffer.from("not JSON");
  expect(await isSigned({ claims: { payload_hash: sha256(text) } }, text)).toBe(true);
});
