import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ErrorInfoSchema } from "../../gen/byond/v1/error_pb.ts";
import { LookupService } from "../../gen/byond/v1/lookup_pb.ts";
import { refusalText } from "../../src/rpc/refusal-text.ts";
import type { Shedding, ShedOrder } from "../../src/server/load-shedder.ts";
import { useTestApp } from "../support/app.ts";

/** What is refused at the moment. */
let refused: readonly ShedOrder[] = [];
const shedding: Shedding = {
  get isActive() {
    return refused.length > 0;
  },
  delaysMs: { loop: 0, database: 0 },
  arrived: () => undefined,
  sheds: (order) => refused.includes(order),
};
const page = "https://app.example.com";
const app = useTestApp({ corsOrigins: [page] }, { shedding });
let key: string;
let verificationId: string;
beforeAll(async () => {
  key = await app.mintKey();
  verificationId = (await start()).body.verification_id;
});
beforeEach(() => {
  refused = ["first", "second"];
});
afterEach(() => {
  refused = [];
});

const lookup = (headers = {}) => app.rest("GET", "/lookup?number=%2B6591234567", { key, headers });
const start = () =>
  app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient: "ada@example.com" } });

describe("a refusal", () => {
  test("over REST is an unavailable as any other, and says when to try again", async () => {
    const { status, headers, body } = await lookup();
    expect(status).toBe(503);
    expect(headers.get("retry-after")).toBe("1");
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("byond-version")).toBe("2026-06-15");
    expect(body).toEqual({
      error: {
        code: "unavailable",
        message: "The server is overloaded. Nothing was done: try again shortly.",
        request_id: headers.get("x-request-id"),
        documentation_url: `${app.url}/docs/errors#unavailable`,
        retry_after: 1,
      },
    });
  });

  test("has an id of its own", async () => {
    const ids = await Promise.all([lookup(), lookup()].map(async (answer) => (await answer).body.error.request_id));
    expect(new Set(ids).size).toBe(2);
    expect(ids[0]).toMatch(/^req_[0-9A-Za-z]{22}$/);
  });

  const transports = {
    "Connect, JSON": () => createConnectTransport({ baseUrl: app.url, httpVersion: "1.1", useBinaryFormat: false }),
    Connect: () => createConnectTransport({ baseUrl: app.url, httpVersion: "2" }),
    "Connect by GET": () => createConnectTransport({ baseUrl: app.url, httpVersion: "1.1", useHttpGet: true }),
    gRPC: () => createGrpcTransport({ baseUrl: app.url }),
    "gRPC-Web": () => createGrpcWebTransport({ baseUrl: app.url, httpVersion: "1.1" }),
  };
  test.each(Object.entries(transports))("over %s has the same content", async (_name, transport) => {
    const error = await createClient(LookupService, transport())
      .lookupNumber({ number: "+6591234567" })
      .catch((thrown: unknown) => ConnectError.from(thrown));
    if (!(error instanceof ConnectError)) {
      throw new TypeError("the call was not refused");
    }
    expect(error.code).toBe(Code.Unavailable);
    expect(error.rawMessage).toBe("The server is overloaded. Nothing was done: try again shortly.");
    expect(error.metadata.get("retry-after")).toBe("1");
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([
      {
        code: "unavailable",
        requestId: error.metadata.get("x-request-id"),
        documentationUrl: `${app.url}/docs/errors#unavailable`,
        retryAfter: 1,
      },
    ]);
  });

  test("over gRPC-Web is one whatever parameters the media type has", async () => {
    const answer = await fetch(`${app.url}/byond.v1.LookupService/LookupNumber`, {
      method: "POST",
      headers: { "Content-Type": "application/grpc-web+proto; charset=utf-8" },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/grpc-web+proto");
    expect(answer.headers.get("grpc-status")).toBe("14");
  });

  test("is in the envelope that the client asked for", async () => {
    const { status, body } = await lookup({ "Byond-Envelope": "TRUE" });
    expect(status).toBe(503);
    expect(body).toMatchObject({ ok: false, error: { code: "unavailable" } });
  });

  test("can be read by the pages that may call the API, and preflights are not refused", async () => {
    expect((await lookup({ Origin: page })).headers.get("access-control-allow-origin")).toBe(page);
    const preflight = await fetch(`${app.url}/api/v1/lookup`, {
      method: "OPTIONS",
      headers: { Origin: page, "Access-Control-Request-Method": "GET" },
    });
    expect(preflight.status).toBe(204);
  });

  test("of HEAD has no body", async () => {
    const answer = await fetch(`${app.url}/api/v1/lookup?number=1`, { method: "HEAD" });
    expect(answer.status).toBe(503);
    expect(await answer.text()).toBe("");
  });

  test("comes before the credential and the fields are looked at", async () => {
    expect((await fetch(`${app.url}/api/v1/lookup`)).status).toBe(503);
  });

  test("counts in the metrics and has no line in the log", async () => {
    const count = async () => {
      const text = await (await fetch(`${app.url}/metrics`)).text();
      const of = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
      return [
        of('byond_calls_shed_total\\{route="GET /api/v1/lookup"\\}'),
        of('byond_http_request_duration_seconds_count\\{route="GET /api/v1/lookup",status="503"\\}'),
      ];
    };
    const [shedBefore = 0, answeredBefore = 0] = await count();
    const linesBefore = app.logLines.length;
    await lookup();
    expect(app.logLines.slice(linesBefore).filter((line) => line.includes("lookup") || line.includes("503"))).toEqual(
      [],
    );
    expect(await count()).toEqual([shedBefore + 1, answeredBefore + 1]);
  });
});

test("starts are refused, and checks, reads, revocations, sign-ins and health are not", async () => {
  const { session } = await app.signUp();
  expect((await start()).status).toBe(503);
  expect((await app.rest("POST", `/verify/${verificationId}/resend`, { key })).status).toBe(503);
  expect((await app.rest("GET", "/verifications", { key })).status).toBe(503);
  const check = { verification_id: verificationId, code: "wrong1" };
  expect((await app.rest("POST", "/verify/check", { key, body: check })).status).toBe(200);
  expect((await app.rest("GET", `/verify/${verificationId}`, { key })).status).toBe(200);
  const { body: created } = await app.rest("POST", "/api-keys", { session, body: { name: "one" } });
  expect((await app.rest("DELETE", `/api-keys/${created.id}`, { session })).status).toBe(200);
  expect((await app.rest("POST", "/auth/logout-all", { session })).status).toBe(200);
  for (const path of ["/healthz", "/readyz", "/metrics", "/docs"]) {
    expect((await fetch(`${app.url}${path}`)).status).toBe(200);
  }
});

test("calls of the second order are served while only those of the first are refused", async () => {
  refused = ["first"];
  expect((await lookup()).status).toBe(503);
  expect((await start()).status).toBe(201);
});

test("a text takes the id where it is readable and where it is in base64, padded or not", () => {
  for (const before of ["", "a", "ab", "abc"]) {
    const render = (id: string) => {
      const bytes = Buffer.from(`${before}${"x".repeat(30)}${id}`).toString("base64");
      return `${id} ${bytes} ${bytes.replace(/=+$/, "")} https://a.example/${"b".repeat(60)} ${id}`;
    };
    const id = "req_Abcdefghijklmnopqrstu1";
    expect(refusalText(render)(id)).toBe(render(id));
  }
});
