import { execFileSync } from "node:child_process";
import { create, fromJson, toJson } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { StartVerificationRequestSchema } from "../../../../gen/byond/v1/verify_pb.ts";
import {
  type ApiCall,
  buildCall,
  type CallInput,
} from "../../../../src/capabilities/console/app/pages/playground/api-call.ts";
import { findOperation } from "../../../../src/capabilities/console/app/pages/playground/operations.ts";
import { curlSnippet } from "../../../../src/capabilities/console/app/pages/playground/snippets/curl-snippet.ts";
import { fetchSnippet } from "../../../../src/capabilities/console/app/pages/playground/snippets/fetch-snippet.ts";
import { grpcurlSnippet } from "../../../../src/capabilities/console/app/pages/playground/snippets/grpcurl-snippet.ts";

const server = "http://127.0.0.1:8080";
const key = "pk_test_1.secret";

function callOf(methodName: string, draft: CallInput["draft"], input: Partial<CallInput> = {}): ApiCall {
  const operation = findOperation(methodName);
  if (operation === undefined) {
    throw new Error(`no operation ${methodName}`);
  }
  return buildCall(operation, { draft, credential: "key", mode: "test", idempotencyKey: "", ...input });
}

/** What a command gets from a shell that was given the lines. */
function argumentsOf(shell: string, command: string): readonly string[] {
  const [name = ""] = command.split(" ");
  const script = `${name}() { for word; do printf '%s\\0' "$word"; done; }\n${command}\n`;
  const output = execFileSync(shell, { input: script, env: { BYONDAPI_KEY: key, JWT: "a.b.c" } });
  return output.toString().split("\0").slice(0, -1);
}

/** What `fetch` gets from the lines. */
async function fetchedBy(module: string) {
  const calls: { readonly url: string; readonly init: RequestInit }[] = [];
  const fake = async (url: string, init: RequestInit = {}) => {
    calls.push({ url, init });
    return new Response("{}");
  };
  const AsyncFunction = (async () => undefined).constructor as FunctionConstructor;
  const environment = { env: { BYONDAPI_KEY: key, JWT: "a.b.c" } };
  await AsyncFunction("fetch", "process", "console", module)(fake, environment, { log: () => undefined });
  return calls;
}

const hostile = [
  "it's",
  "' ; touch /tmp/owned; '",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is for shells
  '"; $(id) `id` ${HOME} $BYONDAPI_KEY !!',
  "\\",
  "\\'",
  "ends with a backslash\\",
  "@/etc/passwd",
  "-X DELETE",
  "two\nlines\r\nand\ta tab",
  "\u0000\u0007\u001b[31m\u007f\u009b",
  "\u2028\u2029\u202e\ufeff",
  "</script><!--",
  "%20 %00 & ? # = + / ../..",
  "{a,b}[1-3]*~",
  "مرحبا 👋 ",
];

describe.each(hostile)("with %j in every text", (text) => {
  const draft = {
    channel: "CHANNEL_EMAIL",
    recipient: text,
    code_length: "6",
    metadata: [
      { key: text, value: text },
      { key: "__proto__", value: text },
    ],
  };
  const metadata = Object.fromEntries([
    [text, text],
    ["__proto__", text],
  ]);
  const call = callOf("StartVerification", draft);

  test.each(["sh", "bash"])("%s gives curl the request that was typed", (shell) => {
    const given = argumentsOf(shell, curlSnippet(call, server));
    const body = given.at(-1) ?? "";
    expect(given.slice(0, -1)).toEqual([
      ...["-X", "POST", `${server}/api/v1/verify/start`],
      ...["-H", `X-API-Key: ${key}`, "-H", "Content-Type: application/json", "-d"],
    ]);
    expect(JSON.parse(body)).toEqual({ channel: "email", recipient: text, code_length: 6, metadata });
    expect(body).toMatch(/^\{[\n -~\u00a1-\u{10ffff}]*\}$/u);
  });

  test("grpcurl gets the message in ProtoJSON", () => {
    const given = argumentsOf("sh", grpcurlSnippet(call, server));
    expect(given.slice(0, 4)).toEqual(["-plaintext", "-H", `X-API-Key: ${key}`, "-d"]);
    expect(given.slice(5)).toEqual(["127.0.0.1:8080", "byond.v1.VerifyService/StartVerification"]);
    const json = JSON.parse(given[4] ?? "");
    expect(json).toEqual({ channel: "CHANNEL_EMAIL", recipient: text, codeLength: 6, metadata });
    const message = fromJson(StartVerificationRequestSchema, json);
    expect(toJson(StartVerificationRequestSchema, create(StartVerificationRequestSchema, message))).toEqual(json);
  });

  test("fetch gets the request that was typed", async () => {
    const [fetched, ...others] = await fetchedBy(fetchSnippet(call, server));
    expect(others).toEqual([]);
    expect(fetched?.url).toBe(`${server}/api/v1/verify/start`);
    expect(fetched?.init.method).toBe("POST");
    expect(fetched?.init.headers).toEqual({ "X-API-Key": key, "Content-Type": "application/json" });
    expect(JSON.parse(String(fetched?.init.body))).toEqual({
      channel: "email",
      recipient: text,
      code_length: 6,
      metadata,
    });
  });

  test("paths, queries and headers hold it as it is", async () => {
    const get = callOf("GetVerification", { verification_id: text });
    const list = callOf("ListVerifications", { recipient: text, page_size: "5" }, { idempotencyKey: 'it\'s "$HOME"' });
    for (const shell of ["sh", "bash"]) {
      const [path = ""] = argumentsOf(shell, curlSnippet(get, server));
      expect(decodeURIComponent(path.slice(`${server}/api/v1/verify/`.length))).toBe(text);
      expect(path).not.toMatch(/[{}[\]"\s\\]/);
      const [address = "", ...options] = argumentsOf(shell, curlSnippet(list, server));
      expect([...new URL(address).searchParams]).toEqual([
        ["recipient", text],
        ["page_size", "5"],
      ]);
      expect(options).toContain('Idempotency-Key: it\'s "$HOME"');
    }
    const [fetched] = await fetchedBy(fetchSnippet(list, server));
    expect(new URL(fetched?.url ?? "").searchParams.get("recipient")).toBe(text);
    expect(fetched?.init.headers).toMatchObject({ "Idempotency-Key": 'it\'s "$HOME"' });
  });
});

test("a change has what is given, in the form of each protocol, and leaves its mask to the server", () => {
  const call = callOf(
    "UpdateApiKey",
    {
      id: "key_1",
      api_key: { name: "a", scopes: ["verify"], expires_at: "2027-01-01T00:00:00Z", require_signature: "false" },
    },
    { credential: "session" },
  );
  expect(call.body).toEqual({
    name: "a",
    scopes: ["verify"],
    expires_at: "2027-01-01T00:00:00Z",
    require_signature: false,
  });
  expect(call.target).toBe("/api/v1/api-keys/key_1");
  expect(call.message).toEqual({
    id: "key_1",
    apiKey: { name: "a", scopes: { scopes: ["verify"] }, expiresAt: "2027-01-01T00:00:00Z", requireSignature: false },
  });
  expect(argumentsOf("sh", curlSnippet(call, server))).toContain("Authorization: Bearer a.b.c");
});

test("lists in a query are repeated, words are those of REST, and a stream is not buffered", () => {
  const call = callOf("StreamEvents", {
    types: ["EVENT_TYPE_VERIFICATION_STARTED", "EVENT_TYPE_API_KEY_REVOKED"],
    after: "",
  });
  expect(argumentsOf("sh", curlSnippet(call, server)).slice(0, 2)).toEqual([
    "-N",
    `${server}/api/v1/events/stream?types=verification.started&types=api_key.revoked`,
  ]);
});

test("a session names its mode where the call is about one, and a missing part of the path is named", () => {
  const call = callOf("GetVerification", {}, { credential: "session", mode: "live" });
  expect(call.missing).toEqual(["verification_id"]);
  expect(argumentsOf("sh", curlSnippet(call, server))).toEqual([
    `${server}/api/v1/verify/VERIFICATION_ID`,
    ...["-H", "Authorization: Bearer a.b.c", "-H", "Byond-Mode: live"],
  ]);
});

test.each([
  ["https://api.example.com", ["api.example.com:443"]],
  ["http://[::1]:8080", ["-plaintext", "[::1]:8080"]],
  ["https://example.com:8443/byond", ["example.com:8443"]],
])("grpcurl is called at the host of %s", (address, expected) => {
  const given = argumentsOf("sh", grpcurlSnippet(callOf("GetWorkspace", {}, { credential: "none" }), address));
  expect(given).toEqual([...expected, "byond.v1.AuthService/GetWorkspace"]);
});

test("a value of the wrong type is sent as it was typed", () => {
  const call = callOf("StartVerification", { channel: "CHANNEL_EMAIL", code_length: "six", ttl_seconds: "1e999" });
  expect(call.body).toEqual({ channel: "email", code_length: "six", ttl_seconds: "1e999" });
});
