/** The documented flows from `@grpc/grpc-js`, which knows nothing of the server but its schema. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, type DescFile, toBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { AnySchema, anyUnpack, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import * as grpc from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer, type ServiceDefinition } from "@grpc/proto-loader";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ApiKeyService } from "../../../gen/byond/v1/api_key_pb.ts";
import { AuthService } from "../../../gen/byond/v1/auth_pb.ts";
import { type ErrorInfo, ErrorInfoSchema } from "../../../gen/byond/v1/error_pb.ts";
import { LookupService } from "../../../gen/byond/v1/lookup_pb.ts";
import { VerifyService } from "../../../gen/byond/v1/verify_pb.ts";
import { makeSelfSignedCertificate } from "../../server/self-signed-certificate.ts";
import { useTestApp } from "../../support/app.ts";

const app = useTestApp();
let key: string;
let client: grpc.Client;
beforeAll(async () => {
  const { session } = await app.signUp();
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "grpc-js" } });
  key = body.key;
  client = new grpc.Client(new URL(app.url).host, grpc.credentials.createInsecure());
});
afterAll(async () => {
  client.close();
});

/** The services as other tools load them: from descriptors, without anything that was generated for TypeScript. */
const schema = loadFileDescriptorSetFromBuffer(
  Buffer.from(toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: allFiles() }))),
  { keepCase: true, enums: String, longs: Number, oneofs: true },
);

function allFiles() {
  const files = new Map<string, DescFile>();
  const add = (file: DescFile) => {
    file.dependencies.forEach(add);
    files.set(file.name, file);
  };
  for (const service of [VerifyService, LookupService, ApiKeyService, AuthService]) {
    add(service.file);
  }
  return [...files.values()].map(({ proto }) => proto);
}

function serviceOf(name: string): ServiceDefinition {
  const definition = schema[`byond.v1.${name}`];
  if (definition === undefined || "format" in definition) {
    throw new Error(`the schema has no service ${name}`);
  }
  // Of a package's members only services are without a format.
  return definition as ServiceDefinition;
}

type Fields = Readonly<Record<string, unknown>>;

interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly on?: grpc.Client;
  readonly call?: grpc.CallOptions;
}

/** Calls `Service.Method`. Rejects with grpc-js's own error. */
function call(name: string, request: Fields, { headers = {}, on = client, call: options = {} }: CallOptions = {}) {
  const [service = "", method = ""] = name.split(".");
  const definition = serviceOf(service)[method];
  if (definition === undefined) {
    throw new Error(`the schema has no ${name}`);
  }
  const metadata = new grpc.Metadata();
  for (const [header, value] of Object.entries(headers)) {
    metadata.set(header, value);
  }
  return new Promise<Record<string, unknown>>((resolve, reject) => {
    on.makeUnaryRequest(
      definition.path,
      definition.requestSerialize,
      (bytes) => definition.responseDeserialize(bytes),
      request,
      metadata,
      options,
      (error, answer) => {
        if (error === null && typeof answer === "object") resolve({ ...answer });
        else reject(error);
      },
    );
  });
}

const withKey = (value = key) => ({ headers: { "x-api-key": value } });

interface Failure {
  readonly code: grpc.status;
  readonly metadata: grpc.Metadata;
  readonly info: ErrorInfo;
}

async function failureOf(pending: Promise<unknown>): Promise<Failure> {
  const error = await pending.then(
    () => new Error("the call succeeded"),
    (reason: grpc.ServiceError) => reason,
  );
  if (!("metadata" in error)) {
    throw error;
  }
  const [details] = error.metadata.get("grpc-status-details-bin");
  if (!Buffer.isBuffer(details)) {
    throw new Error(`no details: ${error.message}`);
  }
  const status = readRpcStatus(details);
  // grpc-js leaves the escapes of reserved characters in the message as they are; the details have none.
  expect(status).toMatchObject({ code: error.code, message: decodeURIComponent(error.details) });
  const [info, ...more] = status.details;
  if (info === undefined || more.length > 0) {
    throw new Error(`${status.details.length} details`);
  }
  expect(info.message).toBe(status.message);
  return { code: error.code, metadata: error.metadata, info };
}

/** `google.rpc.Status`: https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto */
function readRpcStatus(bytes: Uint8Array) {
  const status = { code: 0, message: "", details: [] as ErrorInfo[] };
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) status.code = reader.int32();
    else if (field === 2) status.message = reader.string();
    else if (field === 3) {
      const [typeUrl, value] = readAny(reader.bytes());
      const info = anyUnpack(create(AnySchema, { typeUrl, value }), ErrorInfoSchema);
      if (info !== undefined) status.details.push(info);
    } else reader.skip(wireType);
  }
  return status;
}

function readAny(bytes: Uint8Array): [typeUrl: string, value: Uint8Array] {
  const any: [string, Uint8Array] = ["", new Uint8Array()];
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) any[0] = reader.string();
    else if (field === 2) any[1] = reader.bytes();
    else reader.skip(wireType);
  }
  return any;
}

describe("the documented flows", () => {
  test("start, read the mail, check", async () => {
    const recipient = "grpc-js@example.com";
    const started = await call(
      "VerifyService.StartVerification",
      { channel: "CHANNEL_EMAIL", recipient, brand: "Acme", code_length: 6, ttl_seconds: 300 },
      withKey(),
    );
    expect(started).toMatchObject({ channel: "CHANNEL_EMAIL", status: "STATUS_PENDING" });
    expect(started.verification_id).toMatch(/^vrf_[0-9A-Za-z]{22}$/);
    expect(started.expires_at).toMatchObject({ seconds: expect.any(Number) });

    const code = /\b\d{6}\b/.exec((await app.messageTo(recipient)).text)?.[0] ?? "";
    const check = (submitted: string) =>
      call("VerifyService.CheckVerification", { verification_id: started.verification_id, code: submitted }, withKey());
    const { verification_id } = started;
    expect(await check(code === "111111" ? "222222" : "111111")).toEqual({
      verification_id,
      status: "STATUS_INCORRECT",
    });
    expect(await check(code)).toEqual({ verification_id, status: "STATUS_APPROVED" });
    expect(await check(code)).toEqual({ verification_id, status: "STATUS_EXPIRED" });
  });

  test("look a number up", async () => {
    const request = { number: "+6591234567", country: "SG" };
    expect(await call("LookupService.LookupNumber", request, withKey())).toMatchObject({
      input: "+6591234567",
      number_e164: "+6591234567",
      valid: true,
      possible: true,
      country_code: "SG",
      country: "Singapore",
      national_format: "9123 4567",
      line_type: "LINE_TYPE_MOBILE",
      source: "LOOKUP_SOURCE_OFFLINE",
      possible_line_types: ["LINE_TYPE_MOBILE"],
    });
  });

  test("sign up, sign in, create a key, list it, use it, revoke it", async () => {
    const credentials = { email: "grpc-js-owner@example.com", password: "correct horse battery" };
    const account = await call("AuthService.SignUp", { ...credentials, name: "Acme" });
    const signedIn = await call("AuthService.SignIn", credentials);
    expect(signedIn).toMatchObject({ user_id: account.user_id, workspace_id: account.workspace_id, expires_in: 900 });
    const mine = { headers: { authorization: `Bearer ${signedIn.access_token}` } };
    const created = await call("ApiKeyService.CreateApiKey", { name: "backend", scopes: { scopes: ["lookup"] } }, mine);
    expect(created).toMatchObject({ name: "backend", scopes: { scopes: ["lookup"] }, mode: "MODE_LIVE" });
    const minted = String(created.key);
    expect(await call("LookupService.LookupNumber", { number: "1" }, withKey(minted))).toMatchObject({ input: "1" });
    const { keys } = await call("ApiKeyService.ListApiKeys", {}, mine);
    expect(keys).toMatchObject([{ id: created.id, key_prefix: created.key_prefix }]);
    const revoked = await call("ApiKeyService.RevokeApiKey", { id: created.id }, mine);
    expect(revoked).toEqual({ id: created.id, revoked: true });
    const { code, info } = await failureOf(call("LookupService.LookupNumber", { number: "1" }, withKey(minted)));
    expect(code).toBe(grpc.status.UNAUTHENTICATED);
    expect(info.code).toBe("invalid_api_key");
  });
});

describe("errors arrive with a status and one ErrorInfo", () => {
  test("UNAUTHENTICATED without a credential", async () => {
    const { code, info } = await failureOf(call("LookupService.LookupNumber", { number: "1" }));
    expect(code).toBe(grpc.status.UNAUTHENTICATED);
    expect(info).toMatchObject({ code: "invalid_api_key", message: expect.stringContaining("No API key was sent") });
    expect(info.requestId).toMatch(/^req_/);
    expect(info.documentationUrl).toBe(`${app.url}/docs/errors#invalid_api_key`);
  });

  test("UNAUTHENTICATED with two different credentials, in one header and in two", async () => {
    const other = await app.mintKey();
    const headers = { "x-api-key": key, authorization: `Bearer ${other}` };
    const two = await failureOf(call("LookupService.LookupNumber", { number: "1" }, { headers }));
    expect(two.code).toBe(grpc.status.UNAUTHENTICATED);
    expect(two.info.message).toContain("two different");
    const repeated = await failureOf(
      call("LookupService.LookupNumber", { number: "1" }, { headers: { "x-api-key": `${key}, ${other}` } }),
    );
    expect(repeated.code).toBe(grpc.status.UNAUTHENTICATED);
  });

  test("PERMISSION_DENIED names the scope", async () => {
    const lookupKey = await app.mintKey({ scopes: ["lookup"] });
    const request = { channel: "CHANNEL_EMAIL", recipient: "scope@example.com" };
    const { code, info } = await failureOf(call("VerifyService.StartVerification", request, withKey(lookupKey)));
    expect(code).toBe(grpc.status.PERMISSION_DENIED);
    expect(info).toMatchObject({ code: "insufficient_scope", requiredScope: "verify" });
  });

  test("INVALID_ARGUMENT names the fields", async () => {
    const request = { channel: "CHANNEL_UNSPECIFIED", recipient: "x", code_length: 11 };
    const { code, info } = await failureOf(call("VerifyService.StartVerification", request, withKey()));
    expect(code).toBe(grpc.status.INVALID_ARGUMENT);
    expect(info.fields).toEqual({
      channel: "is required",
      code_length: "must be between 4 and 10",
    });
  });

  test("NOT_FOUND for an unknown id", async () => {
    const request = { verification_id: "vrf_0000000000000000000000", code: "123456" };
    const { code, info } = await failureOf(call("VerifyService.CheckVerification", request, withKey()));
    expect({ code, info: info.code }).toEqual({ code: grpc.status.NOT_FOUND, info: "not_found" });
  });

  test("RESOURCE_EXHAUSTED for the fourth code, with the seconds to wait", async () => {
    const start = () =>
      call("VerifyService.StartVerification", { channel: "CHANNEL_EMAIL", recipient: "fourth@example.com" }, withKey());
    await Promise.all([start(), start(), start()]);
    const { code, info, metadata } = await failureOf(start());
    expect(code).toBe(grpc.status.RESOURCE_EXHAUSTED);
    expect(info.retryAfter).toBeGreaterThanOrEqual(1);
    expect(info.retryAfter).toBeLessThanOrEqual(60);
    expect(metadata.get("retry-after")).toEqual([String(info.retryAfter)]);
  });

  test("RESOURCE_EXHAUSTED for a message of more than 64 KiB, which costs no attempt", async () => {
    const recipient = "large@example.com";
    const { verification_id } = await call(
      "VerifyService.StartVerification",
      { channel: "CHANNEL_EMAIL", recipient },
      withKey(),
    );
    const right = /\b\d{6}\b/.exec((await app.messageTo(recipient)).text)?.[0];
    const on = new grpc.Client(new URL(app.url).host, grpc.credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
    const check = (code: string | undefined) =>
      call("VerifyService.CheckVerification", { verification_id, code }, { ...withKey(), on });
    for (const _ of [1, 2, 3, 4, 5, 6]) {
      await expect(check("1".repeat(70_000))).rejects.toMatchObject({ code: grpc.status.RESOURCE_EXHAUSTED });
    }
    expect(await check(right)).toMatchObject({ status: "STATUS_APPROVED" });
    on.close();
  });

  test("UNIMPLEMENTED for a method that does not exist", async () => {
    const pending = new Promise((_resolve, reject) => {
      client.makeUnaryRequest(
        "/byond.v1.VerifyService/Nothing",
        () => Buffer.alloc(0),
        (bytes) => bytes,
        {},
        new grpc.Metadata(),
        (error) => reject(error),
      );
    });
    await expect(pending).rejects.toMatchObject({ code: grpc.status.UNIMPLEMENTED });
  });
});

test("gzip is understood in both directions", async () => {
  const gzip = new grpc.Client(new URL(app.url).host, grpc.credentials.createInsecure(), {
    "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip,
  });
  const number = "1".repeat(250);
  const answer = await call("LookupService.LookupNumber", { number }, { ...withKey(), on: gzip });
  expect(answer).toMatchObject({ input: number, line_type: "LINE_TYPE_UNKNOWN" });
  gzip.close();
});

test("a hundred calls at once share one connection", async () => {
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      call("LookupService.LookupNumber", { number: `+659123${4000 + index}` }, withKey()),
    ),
  );
  expect(answers.map(({ input }) => input)).toEqual(
    Array.from({ length: 100 }, (_, index) => `+659123${4000 + index}`),
  );
});

describe("a call that takes too long", () => {
  /** Holds the row of a verification, so that its check waits, until released. */
  async function startHeld(recipient: string) {
    const { verification_id: id } = await call(
      "VerifyService.StartVerification",
      { channel: "CHANNEL_EMAIL", recipient },
      withKey(),
    );
    const holder = new pg.Client({ connectionString: app.databaseUrl });
    await holder.connect();
    await holder.query("BEGIN");
    await holder.query("SELECT FROM verification WHERE id = $1 FOR UPDATE", [id]);
    return { id, release: () => holder.end() };
  }

  test("ends with DEADLINE_EXCEEDED at its deadline, and the server goes on", async () => {
    const { id, release } = await startHeld("deadline@example.com");
    const before = performance.now();
    await expect(
      call(
        "VerifyService.CheckVerification",
        { verification_id: id, code: "123456" },
        { ...withKey(), call: { deadline: Date.now() + 300 } },
      ),
    ).rejects.toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED });
    expect(performance.now() - before).toBeLessThan(5_000);
    expect(await call("LookupService.LookupNumber", { number: "1" }, withKey())).toMatchObject({ input: "1" });
    await release();
  });

  test("can be cancelled, and the server goes on", async () => {
    const { id, release } = await startHeld("cancelled@example.com");
    const definition = serviceOf("VerifyService").CheckVerification;
    const metadata = new grpc.Metadata();
    metadata.set("x-api-key", key);
    const status = await new Promise((resolve) => {
      const pending = client.makeUnaryRequest(
        "/byond.v1.VerifyService/CheckVerification",
        (request: object) => definition?.requestSerialize(request) ?? Buffer.alloc(0),
        (bytes) => bytes,
        { verification_id: id, code: "123456" },
        metadata,
        (error) => resolve(error?.code),
      );
      setTimeout(() => pending.cancel(), 50);
    });
    expect(status).toBe(grpc.status.CANCELLED);
    expect(await call("LookupService.LookupNumber", { number: "1" }, withKey())).toMatchObject({ input: "1" });
    await release();
  });
});

test("messages that are too large do not occupy their connection for long", async () => {
  const on = new grpc.Client(new URL(app.url).host, grpc.credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
  try {
    // A few kilobytes more than the window of a stream lets through.
    for (let count = 0; count < 101; count++) {
      const pending = call("LookupService.LookupNumber", { number: "1".repeat(70_000) }, { ...withKey(), on });
      await expect(pending).rejects.toMatchObject({ code: grpc.status.RESOURCE_EXHAUSTED });
    }
    expect(await call("LookupService.LookupNumber", { number: "1" }, { ...withKey(), on })).toMatchObject({
      input: "1",
    });
  } finally {
    on.close();
  }
});

test("over TLS, with the key as call credentials on the channel", async () => {
  const { cert, key: privateKey } = makeSelfSignedCertificate();
  const folder = await mkdtemp(join(tmpdir(), "byond-tls-"));
  const tls = { certPath: join(folder, "cert.pem"), keyPath: join(folder, "key.pem") };
  await writeFile(tls.certPath, cert);
  await writeFile(tls.keyPath, privateKey);
  const secure = await app.startAnother({ tls });
  const perCall = grpc.credentials.createFromMetadataGenerator((_options, done) => {
    const metadata = new grpc.Metadata();
    metadata.set("authorization", `Bearer ${key}`);
    done(null, metadata);
  });
  const channel = grpc.credentials.combineChannelCredentials(grpc.credentials.createSsl(cert), perCall);
  const on = new grpc.Client(new URL(secure.url).host, channel);
  expect(secure.url).toMatch(/^https:/);
  expect(await call("LookupService.LookupNumber", { number: "+6591234567" }, { on })).toMatchObject({ valid: true });
  on.close();
  await secure[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
