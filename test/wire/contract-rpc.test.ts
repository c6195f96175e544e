/** The reference over every RPC protocol: the same outcomes as over REST, and the same errors, content for content. */
import { create, fromJson, isFieldSet } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { beforeAll, describe, expect, test } from "vitest";
import { ApiKeyService, Mode, ScopeSetSchema } from "../../gen/byond/v1/api_key_pb.ts";
import { AuthService } from "../../gen/byond/v1/auth_pb.ts";
import { ErrorInfoSchema } from "../../gen/byond/v1/error_pb.ts";
import { LineType, LookupNumberResponseSchema, LookupService, LookupSource } from "../../gen/byond/v1/lookup_pb.ts";
import {
  Channel,
  CheckVerificationResponse_Status as CheckStatus,
  StartVerificationResponse_Status as StartStatus,
  StartVerificationRequestSchema,
  VerifyService,
} from "../../gen/byond/v1/verify_pb.ts";
import { type RestAnswer, useTestApp } from "../support/app.ts";

const app = useTestApp();
let session: string;
let key: string;
beforeAll(async () => {
  ({ session } = await app.signUp());
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "contract" } });
  key = body.key;
});

const protocols: readonly [name: string, (baseUrl: string) => Transport][] = [
  ["gRPC", (baseUrl) => createGrpcTransport({ baseUrl })],
  ["gRPC-Web over HTTP/1.1", (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })],
  ["gRPC-Web over HTTP/2", (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "2" })],
  ["Connect, JSON", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false })],
  [
    "Connect, JSON with GET",
    (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false, useHttpGet: true }),
  ],
  ["Connect, binary over HTTP/2", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2" })],
];

/** Which RPC code stands for each of the house's codes: the table of the reference, not the server's own. */
const rpcCodes: Readonly<Record<string, Code>> = {
  invalid_api_key: Code.Unauthenticated,
  insufficient_scope: Code.PermissionDenied,
  not_found: Code.NotFound,
  already_exists: Code.AlreadyExists,
  validation_error: Code.InvalidArgument,
  rate_limited: Code.ResourceExhausted,
};

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  try {
    await call;
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error("the call succeeded");
}

/** The error of a call in the form of REST's body, so that the two can be compared. */
function restForm(failure: ConnectError) {
  const [info, ...more] = failure.findDetails(ErrorInfoSchema);
  if (info === undefined || more.length > 0) {
    throw new Error(`${more.length + 1} details of the error: ${failure.message}`);
  }
  expect(info.message).toBe(failure.rawMessage);
  expect(info.requestId).toMatch(/^req_[0-9A-Za-z]{22}$/);
  return {
    code: info.code,
    message: info.message,
    documentation_url: info.documentationUrl,
    ...(info.requiredScope === undefined ? {} : { required_scope: info.requiredScope }),
    ...(Object.keys(info.fields).length === 0 ? {} : { fields: { ...info.fields } }),
    ...(info.retryAfter === undefined ? {} : { retry_after: info.retryAfter }),
  };
}

describe.each(protocols)("%s", (_name, openTransport) => {
  function clientOf(service: typeof VerifyService): ReturnType<typeof createClient<typeof VerifyService>>;
  function clientOf(service: typeof LookupService): ReturnType<typeof createClient<typeof LookupService>>;
  function clientOf(service: typeof ApiKeyService): ReturnType<typeof createClient<typeof ApiKeyService>>;
  function clientOf(service: typeof AuthService): ReturnType<typeof createClient<typeof AuthService>>;
  function clientOf(service: typeof VerifyService | typeof LookupService | typeof ApiKeyService | typeof AuthService) {
    return createClient(service, openTransport(app.url));
  }
  const withKey = (value = key) => ({ headers: { "X-API-Key": value } });
  const withSession = () => ({ headers: { Authorization: `Bearer ${session}` } });
  const recipientHere = (name: string) => `${name}-${_name.replace(/\W+/g, "-").toLowerCase()}@example.com`;

  async function expectSame(call: () => Promise<unknown>, rest: RestAnswer, status: number): Promise<void> {
    expect(rest.status).toBe(status);
    const { request_id: _requestId, ...content } = rest.body.error;
    const failure = await failureOf(call());
    expect(restForm(failure)).toEqual(content);
    expect(failure.code).toBe(rpcCodes[content.code]);
  }

  test("a code is sent, and a check answers incorrect, approved or expired", async () => {
    const verify = clientOf(VerifyService);
    const recipient = recipientHere("flow");
    const before = Date.now();
    const started = await verify.startVerification(
      { channel: Channel.EMAIL, recipient, brand: "Acme", codeLength: 6, ttlSeconds: 300 },
      withKey(),
    );
    expect(started.verificationId).toMatch(/^vrf_[0-9A-Za-z]{22}$/);
    expect(started).toMatchObject({ channel: Channel.EMAIL, status: StartStatus.PENDING });
    expect(started.expiresAt?.nanos).toBe(0);
    const expiresAt = started.expiresAt === undefined ? 0 : timestampDate(started.expiresAt).getTime();
    expect(expiresAt).toBeGreaterThanOrEqual(before + 300_000);
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + 301_000);

    const { text } = await app.messageTo(recipient);
    const code = /\b\d{6}\b/.exec(text)?.[0] ?? "";
    const check = async (submitted: string) => {
      const { verificationId } = started;
      const answer = await verify.checkVerification({ verificationId, code: submitted }, withKey());
      expect(answer.verificationId).toBe(verificationId);
      return answer.status;
    };
    expect(await check(code === "111111" ? "222222" : "111111")).toBe(CheckStatus.INCORRECT);
    expect(await check(` ${code.slice(0, 3)}-${code.slice(3)}`)).toBe(CheckStatus.APPROVED);
    expect(await check(code)).toBe(CheckStatus.EXPIRED);
  });

  test("the fifth wrong code locks", async () => {
    const verify = clientOf(VerifyService);
    const recipient = recipientHere("locked");
    const { verificationId } = await verify.startVerification({ channel: Channel.EMAIL, recipient }, withKey());
    const outcomes: CheckStatus[] = [];
    for (let attempt = 1; attempt <= 5; attempt++) {
      outcomes.push((await verify.checkVerification({ verificationId, code: "1" }, withKey())).status);
    }
    const { INCORRECT, LOCKED } = CheckStatus;
    expect(outcomes).toEqual([INCORRECT, INCORRECT, INCORRECT, INCORRECT, LOCKED]);
  });

  test("sms and voice answer channel_unavailable", async () => {
    const verify = clientOf(VerifyService);
    const workspaceKey = await app.mintKey();
    for (const channel of [Channel.SMS, Channel.VOICE]) {
      const started = await verify.startVerification({ channel, recipient: "+6591234567" }, withKey(workspaceKey));
      expect(started).toMatchObject({ channel, status: StartStatus.CHANNEL_UNAVAILABLE });
      const { verificationId } = started;
      const checked = await verify.checkVerification({ verificationId, code: "123456" }, withKey(workspaceKey));
      expect(checked.status).toBe(CheckStatus.EXPIRED);
    }
  });

  test("a number lookup returns everything that REST returns", async () => {
    const lookup = clientOf(LookupService);
    const answer = await lookup.lookupNumber({ number: "91234567", country: "SG" }, withKey());
    expect(answer).toEqual(
      create(LookupNumberResponseSchema, {
        input: "91234567",
        numberE164: "+6591234567",
        valid: true,
        possible: true,
        countryCode: "SG",
        country: "Singapore",
        nationalFormat: "9123 4567",
        lineType: LineType.MOBILE,
        source: LookupSource.OFFLINE,
        possibleLineTypes: [LineType.MOBILE],
      }),
    );
  });

  test("fields that are null over REST are unset", async () => {
    const answer = await clientOf(LookupService).lookupNumber({ number: "hello" }, withKey());
    const { field } = LookupNumberResponseSchema;
    for (const name of ["numberE164", "countryCode", "country", "nationalFormat"] as const) {
      expect(isFieldSet(answer, field[name])).toBe(false);
    }
    expect(answer).toMatchObject({ valid: false, possible: false, lineType: LineType.UNKNOWN });
  });

  test("a key is minted, listed, used and revoked", async () => {
    const apiKeys = clientOf(ApiKeyService);
    const lookup = clientOf(LookupService);
    const created = await apiKeys.createApiKey({ name: "prod-backend", scopes: { scopes: ["lookup"] } }, withSession());
    expect(created.id).toMatch(/^key_[0-9A-Za-z]{22}$/);
    expect(created.key).toMatch(/^pk_live_[0-9A-Za-z]{12}\.[0-9A-Za-z]{42}$/);
    expect(created.key.startsWith(`${created.keyPrefix}.`)).toBe(true);
    expect(created).toMatchObject({ name: "prod-backend", mode: Mode.LIVE, scopes: { scopes: ["lookup"] } });

    const { keys, nextPageToken } = await apiKeys.listApiKeys({}, withSession());
    expect(nextPageToken).toBeUndefined();
    const listed = keys.find(({ id }) => id === created.id);
    expect(listed).toMatchObject({ name: "prod-backend", keyPrefix: created.keyPrefix, createdAt: created.createdAt });
    expect(listed?.lastUsedAt).toBeUndefined();
    expect(listed?.revokedAt).toBeUndefined();

    expect((await lookup.lookupNumber({ number: "+6591234567" }, withKey(created.key))).valid).toBe(true);
    const bearer = { headers: { Authorization: `Bearer ${created.key}` } };
    expect((await lookup.lookupNumber({ number: "+6591234567" }, bearer)).valid).toBe(true);
    for (const _ of [1, 2]) {
      expect(await apiKeys.revokeApiKey({ id: created.id }, withSession())).toMatchObject({
        id: created.id,
        revoked: true,
      });
    }
    const rest = await app.rest("GET", "/lookup?number=1", { key: created.key });
    await expectSame(() => lookup.lookupNumber({ number: "1" }, withKey(created.key)), rest, 401);
    expect((await apiKeys.listApiKeys({}, withSession())).keys.map(({ id }) => id)).not.toContain(created.id);
    const all = await apiKeys.listApiKeys({ includeRevoked: true }, withSession());
    expect(all.keys.find(({ id }) => id === created.id)?.revokedAt).toBeDefined();
  });

  test("without scopes a key is unrestricted; an empty set of scopes is refused, like an empty list over REST", async () => {
    const apiKeys = clientOf(ApiKeyService);
    const unrestricted = await apiKeys.createApiKey({ name: "unrestricted" }, withSession());
    expect(unrestricted.scopes).toBeUndefined();
    await expectSame(
      () => apiKeys.createApiKey({ name: "none", scopes: create(ScopeSetSchema) }, withSession()),
      await app.rest("POST", "/api-keys", { session, body: { name: "none", scopes: [] } }),
      422,
    );
    await expectSame(
      () => apiKeys.createApiKey({ name: "unknown", scopes: { scopes: ["verify", "admin"] } }, withSession()),
      await app.rest("POST", "/api-keys", { session, body: { name: "unknown", scopes: ["verify", "admin"] } }),
      422,
    );
  });

  test("an account is created and signed in to", async () => {
    const auth = clientOf(AuthService);
    const email = recipientHere("owner");
    const password = "correct horse battery";
    const signedUp = await auth.signUp({ email, password, name: "Acme" });
    expect(signedUp.userId).toMatch(/^usr_[0-9A-Za-z]{22}$/);
    expect(signedUp.workspaceId).toMatch(/^ws_[0-9A-Za-z]{22}$/);
    const signedIn = await auth.signIn({ email: email.toUpperCase(), password });
    expect(signedIn).toMatchObject({ userId: signedUp.userId, workspaceId: signedUp.workspaceId });
    for (const { accessToken } of [signedUp, signedIn]) {
      const headers = { Authorization: `Bearer ${accessToken}` };
      expect((await clientOf(ApiKeyService).listApiKeys({}, { headers })).keys).toEqual([]);
    }
    await expectSame(
      () => auth.signUp({ email, password, name: "Acme" }),
      await app.rest("POST", "/auth/sign-up", { body: { email, password, name: "Acme" } }),
      409,
    );
    await expectSame(
      () => auth.signIn({ email, password: "wrong horse battery" }),
      await app.rest("POST", "/auth/sign-in", { body: { email, password: "wrong horse battery" } }),
      401,
    );
  });

  test("401 without a credential, with an invented one, one of the wrong kind, or two", async () => {
    const lookup = clientOf(LookupService);
    const apiKeys = clientOf(ApiKeyService);
    const madeUp = "pk_live_8fa2.s3cr3t_9c1d4f7b2a6e0h8j";
    const credentials: Record<string, string>[] = [
      {},
      { "X-API-Key": "" },
      { "X-API-Key": madeUp },
      { "X-API-Key": `${key}x` },
      { Authorization: `Bearer ${session}` },
      { Authorization: "Basic YTpi" },
      { Authorization: "Bearer" },
      { "X-API-Key": key, Authorization: `Bearer ${session}` },
      { "X-API-Key": key, Authorization: `Bearer ${madeUp}` },
    ];
    for (const headers of credentials) {
      const rest = await app.rest("GET", "/lookup?number=1", { headers });
      await expectSame(() => lookup.lookupNumber({ number: "1" }, { headers }), rest, 401);
    }
    for (const headers of [
      {},
      { "X-API-Key": key },
      { Authorization: `Bearer ${key}` },
      { Authorization: "Bearer a.b.c" },
    ]) {
      await expectSame(
        () => apiKeys.listApiKeys({}, { headers }),
        await app.rest("GET", "/api-keys", { headers }),
        401,
      );
    }
  });

  test("403 names the scope that the key lacks", async () => {
    const lookupKey = await app.mintKey({ scopes: ["lookup"] });
    const verifyKey = await app.mintKey({ scopes: ["verify"] });
    const body = { channel: "email", recipient: recipientHere("scope") };
    await expectSame(
      () =>
        clientOf(VerifyService).startVerification(
          { channel: Channel.EMAIL, recipient: body.recipient },
          withKey(lookupKey),
        ),
      await app.rest("POST", "/verify/start", { key: lookupKey, body }),
      403,
    );
    await expectSame(
      () => clientOf(LookupService).lookupNumber({ number: "1" }, withKey(verifyKey)),
      await app.rest("GET", "/lookup?number=1", { key: verifyKey }),
      403,
    );
  });

  test("404 for what does not exist", async () => {
    const id = "vrf_0000000000000000000000";
    await expectSame(
      () => clientOf(VerifyService).checkVerification({ verificationId: id, code: "1" }, withKey()),
      await app.rest("POST", "/verify/check", { key, body: { verification_id: id, code: "1" } }),
      404,
    );
    await expectSame(
      () => clientOf(ApiKeyService).revokeApiKey({ id: "key_0000000000000000000000" }, withSession()),
      await app.rest("DELETE", "/api-keys/key_0000000000000000000000", { session }),
      404,
    );
  });

  test("422 names the same fields in the same words", async () => {
    const verify = clientOf(VerifyService);
    const start = (body: object) => app.rest("POST", "/verify/start", { key, body });
    await expectSame(() => verify.startVerification({}, withKey()), await start({}), 422);
    await expectSame(
      () =>
        verify.startVerification({ channel: Channel.EMAIL, recipient: "x", codeLength: 11, ttlSeconds: 1 }, withKey()),
      await start({ channel: "email", recipient: "x", code_length: 11, ttl_seconds: 1 }),
      422,
    );
    await expectSame(
      () => verify.startVerification({ channel: Channel.SMS, recipient: "91234567", brand: "" }, withKey()),
      await start({ channel: "sms", recipient: "91234567", brand: "" }),
      422,
    );
    await expectSame(
      () => verify.startVerification({ channel: Channel.EMAIL, recipient: "a\0@example.com", brand: "B\0" }, withKey()),
      await start({ channel: "email", recipient: "a\0@example.com", brand: "B\0" }),
      422,
    );
    // A channel of a later version of the schema.
    const request = fromJson(StartVerificationRequestSchema, { channel: 99, recipient: "ada@example.com" });
    await expectSame(
      () => verify.startVerification(request, withKey()),
      await start({ channel: "fax", recipient: "ada@example.com" }),
      422,
    );
    await expectSame(
      () => verify.checkVerification({}, withKey()),
      await app.rest("POST", "/verify/check", { key, body: {} }),
      422,
    );
    await expectSame(
      () => clientOf(LookupService).lookupNumber({ number: "1".repeat(251), country: "XX" }, withKey()),
      await app.rest("GET", `/lookup?number=${"1".repeat(251)}&country=XX`, { key }),
      422,
    );
    await expectSame(
      () => clientOf(AuthService).signUp({ email: "x", password: "short", name: "" }),
      await app.rest("POST", "/auth/sign-up", { body: { email: "x", password: "short", name: "" } }),
      422,
    );
    await expectSame(
      () => clientOf(ApiKeyService).listApiKeys({ pageSize: 0, pageToken: "nonsense" }, withSession()),
      await app.rest("GET", "/api-keys?page_size=0&page_token=nonsense", { session }),
      422,
    );
    await expectSame(
      () => clientOf(ApiKeyService).listApiKeys({ pageSize: 1, pageToken: "nonsense" }, withSession()),
      await app.rest("GET", "/api-keys?page_size=1&page_token=nonsense", { session }),
      422,
    );
  });

  test("429 says how long to wait, in the details and in Retry-After", async () => {
    const verify = clientOf(VerifyService);
    const recipient = recipientHere("often");
    for (const _ of [1, 2, 3]) {
      await verify.startVerification({ channel: Channel.EMAIL, recipient }, withKey());
    }
    const failure = await failureOf(verify.startVerification({ channel: Channel.EMAIL, recipient }, withKey()));
    const rest = await app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient } });
    const { request_id: _requestId, retry_after: restSeconds, ...content } = rest.body.error;
    const { retry_after: seconds = 0, ...rpcContent } = restForm(failure);
    expect(rpcContent).toEqual(content);
    expect(failure.code).toBe(Code.ResourceExhausted);
    expect(failure.metadata.get("retry-after")).toBe(String(seconds));
    // A second may have passed between the two.
    expect(seconds - restSeconds).toBeGreaterThanOrEqual(0);
    expect(seconds - restSeconds).toBeLessThanOrEqual(2);
  });
});
