/** What every answer says of itself: the version of the API that it was made by, and the id of its request. */
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { beforeAll, describe, expect, test } from "vitest";
import { useTestApp } from "../support/app.ts";
import { protocolClients } from "./protocol-clients.ts";

const current = "2026-06-15";
const requestId = /^req_[0-9A-Za-z]{22}$/;

const app = useTestApp();
let key: string;
let lookupKey: string;
beforeAll(async () => {
  key = await app.mintKey();
  lookupKey = await app.mintKey({ scopes: ["lookup"] });
});

/** The line about a request. It is written when the answer is on its way, which may be after the client has it. */
async function logLineOf(id: string | null): Promise<Record<string, unknown>> {
  for (;;) {
    const lines = app.logLines.filter((line) => line.includes(`"${id}"`)).map((line) => JSON.parse(line));
    const line = lines.find(({ event }) => event === "request");
    if (line !== undefined) {
      return line;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe.each(protocolClients)("over $name", (client) => {
  const lookup = (headers: Record<string, string>, call: { key?: string } = { key }) =>
    client.call(app, "LookupNumber", { number: "1" }, { ...call, headers });

  test("answers have the version that the request names, or the current one", async () => {
    for (const headers of [{}, { "Byond-Version": current }]) {
      const answer = await lookup(headers);
      expect(answer.code).toBe("ok");
      expect(answer.headers.get("Byond-Version")).toBe(current);
      expect(answer.headers.get("Byond-Version-Deprecated")).toBeNull();
      expect(answer.headers.get("Sunset")).toBeNull();
    }
  });

  test.each(["2025-01-01", "2026-06-16", "latest", "2026-6-15", "v1", "", "2026-06-15, 2026-06-15"])(
    "an unknown one is refused: %j",
    async (version) => {
      const { code, body, headers } = await lookup({ "Byond-Version": version });
      expect({ code, message: body.message }).toEqual({
        code: "unknown_version",
        message: `This server does not know the version of the Byond-Version header. Known: ${current}.`,
      });
      expect(headers.get("Byond-Version")).toBe(current);
    },
  );

  test("a request with an unknown version has no effect", async () => {
    const recipient = `version-${crypto.randomUUID()}@example.com`;
    const headers = { "Byond-Version": "1999-12-31" };
    const refused = await client.call(app, "StartVerification", { channel: "email", recipient }, { key, headers });
    expect(refused.code).toBe("unknown_version");
    const { body } = await app.rest("GET", `/verifications?recipient=${recipient}`, { key });
    expect(body.verifications).toEqual([]);
  });

  test("endpoints without a credential check the version too", async () => {
    const call = { headers: { "Byond-Version": "1999-12-31" } };
    const input = { email: "a@example.com", password: "correct horse battery" };
    expect((await client.call(app, "SignIn", input, call)).code).toBe("unknown_version");
  });

  test("every answer, success or error, has the request id that the log has", async () => {
    const id = "vrf_0000000000000000000000";
    const answers = [
      await lookup({}),
      await lookup({}, {}),
      await lookup({}, { key: `${key}x` }),
      await client.call(app, "StartVerification", { channel: "email", recipient: "a@example.com" }, { key: lookupKey }),
      await client.call(app, "CheckVerification", { verification_id: id, code: "1" }, { key }),
      await client.call(app, "StartVerification", { channel: "email", recipient: "nobody" }, { key }),
      await lookup({ "Byond-Version": "1999-12-31" }),
      await lookup({ "Byond-Envelope": "maybe" }),
    ];
    expect(answers.map(({ code }) => code)).toEqual([
      "ok",
      "invalid_api_key",
      "invalid_api_key",
      "insufficient_scope",
      "not_found",
      "validation_error",
      "unknown_version",
      "invalid_request",
    ]);
    expect(new Set(answers.map(({ headers }) => headers.get("X-Request-Id"))).size).toBe(answers.length);
    for (const { code, body, headers } of answers) {
      const ours = headers.get("X-Request-Id");
      expect(ours).toMatch(requestId);
      expect(headers.get("Byond-Version")).toBe(current);
      if (code !== "ok") {
        expect(body.request_id).toBe(ours);
      }
      expect(await logLineOf(ours)).toMatchObject({ request_id: ours, ...(code === "ok" ? {} : { code }) });
    }
  });

  test("a client's own request id is not used, but logged next to ours", async () => {
    const theirs = "req_0000000000000000000000";
    for (const credentials of [{ key }, {}]) {
      const { body, headers, code } = await lookup({ "X-Request-Id": theirs }, credentials);
      const ours = headers.get("X-Request-Id");
      expect(ours).toMatch(requestId);
      expect(ours).not.toBe(theirs);
      if (code !== "ok") {
        expect(body.request_id).toBe(ours);
      }
      expect(await logLineOf(ours)).toMatchObject({ request_id: ours, client_request_id: theirs });
    }
  });

  test.each(["with spaces in it", 'quo"ted', "x".repeat(129), "<script>", "a,b"])(
    "what does not look like an id is not logged: %s",
    async (theirs) => {
      const { headers } = await lookup({ "X-Request-Id": theirs });
      expect(await logLineOf(headers.get("X-Request-Id"))).not.toHaveProperty("client_request_id");
    },
  );
});

test.each([
  ["an answer", "GET", "/api/v1/lookup?number=1", 200],
  ["HEAD", "HEAD", "/api/v1/lookup?number=1", 200],
  ["OPTIONS", "OPTIONS", "/api/v1/lookup", 204],
  ["a path with nothing there", "GET", "/api/v1/nothing", 404],
  ["a path outside the API", "GET", "/nothing", 404],
  ["another method", "PUT", "/api/v1/lookup", 405],
  ["an RPC that is none", "POST", "/byond.v1.LookupService/Nothing", 404],
  ["a GET of an RPC that takes none", "GET", "/byond.v1.VerifyService/StartVerification", 405],
  ["another media type", "POST", "/byond.v1.LookupService/LookupNumber", 415],
  ["health", "GET", "/healthz", 200],
  ["readiness", "GET", "/readyz", 200],
  ["metrics", "GET", "/metrics", 200],
  ["the reference", "GET", "/docs", 200],
  ["the document", "GET", "/openapi.json", 200],
])("%s carries version and request id", async (_name, method, path, status) => {
  const answer = await fetch(`${app.url}${path}`, { method, headers: { "X-API-Key": key } });
  await answer.arrayBuffer();
  expect(answer.status).toBe(status);
  expect(answer.headers.get("Byond-Version")).toBe(current);
  const id = answer.headers.get("X-Request-Id");
  expect(id).toMatch(requestId);
  expect(await logLineOf(id)).toMatchObject({ status, method });
});

test("304 carries version and request id", async () => {
  const url = `${app.url}/api/v1/lookup?number=1`;
  const first = await fetch(url, { headers: { "X-API-Key": key } });
  const etag = first.headers.get("ETag") ?? "";
  const again = await fetch(url, { headers: { "X-API-Key": key, "If-None-Match": etag } });
  expect(again.status).toBe(304);
  expect(again.headers.get("Byond-Version")).toBe(current);
  expect(again.headers.get("X-Request-Id")).toMatch(requestId);
  expect(again.headers.get("X-Request-Id")).not.toBe(first.headers.get("X-Request-Id"));
});

test.each([
  ["what is not HTTP", "GET / nonsense\r\n\r\n", 400],
  ["a malformed target", "GET /api/v1/%ff HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["a request without a host", "GET /healthz HTTP/1.1\r\n\r\n", 400],
  ["headers that are too long", `GET /healthz HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(40_000)}\r\n\r\n`, 431],
  ["headers that are too many", `GET /healthz HTTP/1.1\r\nHost: a\r\n${"X: x\r\n".repeat(200)}\r\n`, 431],
  ["a method that is not supported", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 400],
])("even the refusal of %s carries both, the id also in its body and in the log", async (_name, request, status) => {
  const { hostname, port } = new URL(app.url);
  const socket = connect(Number(port), hostname);
  socket.write(request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
  const answer = await text(socket);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  const [head = "", body = ""] = answer.split("\r\n\r\n");
  expect(head).toContain(`\r\nByond-Version: ${current}`);
  const id = /\r\nX-Request-Id: (\S+)/.exec(head)?.[1];
  expect(id).toMatch(requestId);
  expect(body).toContain(`"request_id":"${id}"`);
  expect(app.logLines.filter((line) => line.includes(`"${id}"`))).toHaveLength(1);
});
