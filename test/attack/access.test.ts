/**
 * Who may make which call, out of the schema: every RPC is called with each kind of credential, over REST and gRPC, and lets in exactly
 * those that its `byond.v1.access` names.
 */
import { type DescMethod, getOption, type JsonObject, ScalarType } from "@bufbuild/protobuf";
import { beforeAll, describe, expect, test } from "vitest";
import { access, Credential } from "../../gen/byond/v1/access_pb.ts";
import { useTestApp } from "../support/app.ts";
import { verifyEmailOf } from "../support/verified-email.ts";
import { allMethods } from "../wire/request-messages.ts";
import { type HeaderFields, type RawAnswer, rawProtocols } from "./raw-protocols.ts";

const app = useTestApp();
/** A bidirectional stream has no place in these protocols' one request, and passes the same chain. */
const methods = (await allMethods()).filter(
  (method) => method.methodKind !== "bidi_streaming" && getOption(method, access).credential !== Credential.NONE,
);

const origin = "https://shop.example";

/** Of each kind a credential: the session, and keys by mode and scopes. */
const kinds = {
  nothing: {},
  "a forged key": { "x-api-key": `pk_live_${"a".repeat(12)}.${"b".repeat(38)}` },
  "a forged session": { authorization: `Bearer ${"a".repeat(40)}.${"b".repeat(200)}.${"c".repeat(43)}` },
  session: {},
  live: {},
  test: {},
  "live without scopes": {},
  "live with another scope": {},
  publishable: {},
  "publishable, elsewhere": {},
} satisfies Record<string, HeaderFields>;
type Kind = keyof typeof kinds;
const headersOf: Record<Kind, HeaderFields> = { ...kinds };

beforeAll(async () => {
  const { session, workspaceId } = await app.signUp();
  await verifyEmailOf(app.databaseUrl, workspaceId);
  const mint = async (body: JsonObject) => {
    const answer = await app.rest("POST", "/api-keys", { session, body: { name: "a key", ...body } });
    expect(answer.status).toBe(201);
    return { "x-api-key": answer.body.key };
  };
  headersOf.session = { authorization: `Bearer ${session}` };
  headersOf.live = await mint({ scopes: ["*"] });
  headersOf.test = await mint({ scopes: ["*"], mode: "test" });
  headersOf["live without scopes"] = await mint({ scopes: null });
  headersOf["live with another scope"] = await mint({ scopes: ["email"] });
  const publishable = await mint({ origins: [origin] });
  headersOf.publishable = { ...publishable, origin };
  headersOf["publishable, elsewhere"] = { ...publishable, origin: "https://shop.example.evil.example" };
});

/** The error with which a credential is refused, or undefined if it is let in. */
function refusalOf(method: DescMethod, kind: Kind): string | undefined {
  const { credential, scope, namedScope, sandbox, publishable } = getOption(method, access);
  if (["nothing", "a forged key", "a forged session"].includes(kind)) {
    return "invalid_api_key";
  }
  if (kind === "session") {
    return credential === Credential.API_KEY ? "invalid_api_key" : undefined;
  }
  if (credential === Credential.SESSION) {
    return "invalid_api_key";
  }
  if (kind.startsWith("publishable")) {
    return publishable ? (kind === "publishable" ? undefined : "origin_not_allowed") : "secret_key_required";
  }
  if (kind === "test" && credential === Credential.API_KEY_OR_SESSION && !sandbox) {
    return "insufficient_scope";
  }
  if (scope === "" || kind === "live" || kind === "test") {
    return undefined;
  }
  const isGranted = kind === "live without scopes" ? !namedScope : scope === "email";
  return isGranted ? undefined : "insufficient_scope";
}

const refusals = ["invalid_api_key", "insufficient_scope", "secret_key_required", "origin_not_allowed"];

/** The code of a refusal of the credential, by the page that each error names. A call that is let in fails by its request, or not at all. */
const refusalIn = ({ text }: RawAnswer) => refusals.find((code) => text.includes(`/docs/errors#${code}`));

describe.each(rawProtocols)("over $name", ({ call }) => {
  test.each(Object.keys(kinds) as Kind[])("%s is let in where the schema says so, and nowhere else", async (kind) => {
    // The end of all sessions would end those of the test. All other effects are refused by the fields of the request.
    const asked = methods.filter((method) => refusalOf(method, kind) !== undefined || method.name !== "LogoutAll");
    const found = await Promise.all(
      asked.map(async (method) => {
        const texts = method.input.fields.filter(
          ({ fieldKind, scalar }) => fieldKind === "scalar" && scalar === ScalarType.STRING,
        );
        const fields = Object.fromEntries(
          texts.filter(({ proto }) => !proto.proto3Optional).map(({ name }) => [name, "x"]),
        );
        return [method.name, refusalIn(await call(app.url, method, fields, headersOf[kind])) ?? "let in"];
      }),
    );
    expect(Object.fromEntries(found)).toEqual(
      Object.fromEntries(asked.map((method) => [method.name, refusalOf(method, kind) ?? "let in"])),
    );
  });
});
