import { create, toBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { beforeAll, describe, expect, test } from "vitest";
import { CreateApiKeyRequestSchema } from "../../gen/byond/v1/api_key_pb.ts";
import { ErrorInfoSchema } from "../../gen/byond/v1/error_pb.ts";
import { useTestApp } from "../support/app.ts";

/** What is wrong with a request is listed up to 20 fields; the rest is counted. */

const app = useTestApp();
let session: string;
beforeAll(async () => {
  session = (await app.signUp()).session;
});

const names = (count: number) => Array.from({ length: count }, (_, index) => `f${index}`);
const unknownFields = (count: number) => Object.fromEntries(names(count).map((name) => [name, 1]));
const rpcPath = "/byond.v1.ApiKeyService/CreateApiKey";

interface Refusal {
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
}

async function overRest(body: unknown, query = ""): Promise<Refusal> {
  const answer = await app.rest("POST", `/api-keys${query}`, { session, body });
  expect(answer.status).toBe(422);
  return answer.body.error;
}

async function overConnect(body: string | Uint8Array<ArrayBuffer>, type: string, query = ""): Promise<Refusal> {
  const response = await fetch(`${app.url}${rpcPath}${query}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${session}`, "Content-Type": type },
    body,
  });
  const { message, details } = JSON.parse(await response.text());
  return { message, fields: details[0].debug.fields };
}

async function overGrpc(count: number): Promise<Refusal> {
  const message = create(CreateApiKeyRequestSchema, { name: "a" });
  message.$unknown = names(count).map((_, index) => ({ no: 5_000 + index, wireType: 0, data: new Uint8Array([1]) }));
  const error = await app
    .grpc({ Authorization: `Bearer ${session}` })
    .apiKeys.createApiKey(message)
    .catch((thrown: unknown) => ConnectError.from(thrown));
  if (!(error instanceof ConnectError)) {
    throw new Error("it was not refused");
  }
  return { message: error.rawMessage, fields: error.findDetails(ErrorInfoSchema)[0]?.fields ?? {} };
}

describe.each<[string, (count: number) => Promise<Refusal>]>([
  ["unknown fields over REST", (count) => overRest({ name: "a", ...unknownFields(count) })],
  ["unknown parameters over REST", (count) => overRest({ name: "a" }, `?${names(count).join("=1&")}=1`)],
  [
    "list elements over REST",
    (
      count, // One more: what could be read of the list is empty.
    ) => overRest({ name: "a", scopes: names(count - 1).map((_, index) => index) }),
  ],
  ["lists of the wrong content over REST", (count) => overRest({ name: "a", ip_allowlist: names(count) })],
  [
    "unknown fields over Connect",
    (count) => overConnect(JSON.stringify({ name: "a", ...unknownFields(count) }), "application/json"),
  ],
  [
    "unknown parameters over Connect",
    (count) => {
      const message = toBinary(CreateApiKeyRequestSchema, create(CreateApiKeyRequestSchema, { name: "a" }));
      return overConnect(message, "application/proto", `?${names(count).join("=1&")}=1`);
    },
  ],
  ["unknown fields over gRPC", overGrpc],
])("%s", (_name, refuse) => {
  test("up to twenty are all named", async () => {
    const { message, fields } = await refuse(20);
    expect(message).toBe("One or more fields are invalid.");
    expect(Object.keys(fields)).toHaveLength(20);
  });

  test("beyond twenty, the rest are counted", async () => {
    const { message, fields } = await refuse(100);
    expect(message).toBe("One or more fields are invalid. 20 are listed, 80 more are not.");
    expect(Object.keys(fields)).toHaveLength(20);
  });
});

test("an answer that names fields is small, whatever the request names", async () => {
  const { fields } = await overRest({
    name: "a",
    ...Object.fromEntries(names(500).map((name) => [name.repeat(25), 1])),
  });
  expect(JSON.stringify(fields).length).toBeLessThan(4_000);
});
