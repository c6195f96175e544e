/** The documented flows with `buf curl`, over each protocol, with nothing but the released schema. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ErrorInfoSchema } from "../../../gen/byond/v1/error_pb.ts";
import { useTestApp } from "../../support/app.ts";

const buf = createRequire(import.meta.url).resolve("@bufbuild/buf/bin/buf");
const schema = fileURLToPath(new URL("../../../proto/baseline.binpb.gz", import.meta.url));

const app = useTestApp();
let key: string;
let session: string;
let home: string;
beforeAll(async () => {
  ({ session } = await app.signUp());
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "buf" } });
  key = body.key;
  // buf keeps a cache and asks for a place where to put it.
  home = await mkdtemp(join(tmpdir(), "byond-buf-"));
});
afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

interface Outcome {
  readonly exitCode: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads JSON of which it says itself what it expects
  readonly json: any;
}

const protocols = [
  ["grpc", ["--protocol", "grpc", "--http2-prior-knowledge"]],
  ["grpcweb", ["--protocol", "grpcweb"]],
  ["connect", ["--protocol", "connect"]],
  ["connect over HTTP/2", ["--protocol", "connect", "--http2-prior-knowledge"]],
] as const;

describe.each(protocols)("buf curl --protocol %s", (name, flags) => {
  /** Runs `buf curl`; its answer or its error as JSON. */
  function bufCurl(method: string, request: object, header = `X-API-Key: ${key}`): Promise<Outcome> {
    const url = `${app.url}/byond.v1.${method}`;
    const args = [
      buf,
      "curl",
      ...flags,
      "--schema",
      schema,
      "--header",
      header,
      "--data",
      JSON.stringify(request),
      url,
    ];
    const env = { ...process.env, HOME: home, BUF_CACHE_DIR: home };
    return new Promise((resolve, reject) => {
      execFile(process.execPath, args, { env, timeout: 30_000 }, (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : Number(error.code);
        const text = exitCode === 0 ? stdout : stderr;
        if (text.trim().startsWith("{")) resolve({ exitCode, json: JSON.parse(text) });
        else reject(new Error(`buf ended with ${exitCode}: ${text}`));
      });
    });
  }

  test("starts and checks a verification", async () => {
    const recipient = `buf-${name.replaceAll(/\W+/g, "-").toLowerCase()}@example.com`;
    const started = await bufCurl("VerifyService/StartVerification", { channel: "CHANNEL_EMAIL", recipient });
    expect(started).toMatchObject({ exitCode: 0, json: { channel: "CHANNEL_EMAIL", status: "STATUS_PENDING" } });
    const code = /\b\d{6}\b/.exec((await app.messageTo(recipient)).text)?.[0] ?? "";
    const { verificationId } = started.json;
    const checked = await bufCurl("VerifyService/CheckVerification", { verificationId, code });
    expect(checked.json).toEqual({ verificationId, status: "STATUS_APPROVED" });
  });

  test("looks a number up", async () => {
    const { json } = await bufCurl("LookupService/LookupNumber", { number: "+6591234567", country: "SG" });
    expect(json).toMatchObject({ numberE164: "+6591234567", valid: true, country: "Singapore" });
  });

  test("mints, lists and revokes a key", async () => {
    const authorization = `Authorization: Bearer ${session}`;
    const created = await bufCurl(
      "ApiKeyService/CreateApiKey",
      { name, scopes: { scopes: ["lookup"] } },
      authorization,
    );
    expect(created.json.key).toMatch(/^pk_live_/);
    const listed = await bufCurl("ApiKeyService/ListApiKeys", {}, authorization);
    expect(listed.json.keys[0]).toMatchObject({ id: created.json.id, name, scopes: { scopes: ["lookup"] } });
    const revoked = await bufCurl("ApiKeyService/RevokeApiKey", { id: created.json.id }, authorization);
    expect(revoked.json).toEqual({ id: created.json.id, revoked: true });
  });

  test("shows an error with its details", async () => {
    const { exitCode, json } = await bufCurl("VerifyService/StartVerification", {
      channel: "CHANNEL_EMAIL",
      recipient: "ada@example.com",
      codeLength: 11,
    });
    // buf exits with eight times the RPC code: 3, invalid_argument.
    expect(exitCode).toBe(24);
    expect(json).toMatchObject({ code: "invalid_argument", message: "One or more fields are invalid." });
    expect(json.details).toMatchObject([{ type: "byond.v1.ErrorInfo" }]);
    const info = fromBinary(ErrorInfoSchema, Buffer.from(json.details[0].value, "base64"));
    expect(info).toMatchObject({ code: "validation_error", fields: { code_length: "must be between 4 and 10" } });
  });
});
