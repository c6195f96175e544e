/** What the cases of all SDKs do not cover: the parts of the TypeScript SDK that only it has. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { grpcTransport } from "../../sdk/typescript/src/grpc.ts";
import { Byond, ByondError, type ByondOptions, signWebhook, verifyWebhook } from "../../sdk/typescript/src/index.ts";
import { parseServerSentEvents } from "../../sdk/typescript/src/server-sent-events.ts";

/** A `fetch` that remembers its requests, and answers each with the JSON of a look-up. */
function recordingFetch(answer = () => Response.json({ valid: true })) {
  const requests: Request[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    requests.push(new Request(input, init));
    return answer();
  };
  return { fetch, requests };
}

const number = { number: "+6591234567" };

afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

describe("a browser", () => {
  const inBrowser = () => {
    vi.stubGlobal("window", {});
    vi.stubGlobal("document", {});
  };

  test("gets no client with a secret key", () => {
    inBrowser();
    expect(() => new Byond({ apiKey: "pk_live_0123.secret" })).toThrow(/must not be in a browser/);
    expect(() => new Byond({ apiKey: "pk_test_0123.secret" })).toThrow(/must not be in a browser/);
  });

  test("gets one with a key that is not secret, with a session, or if that is what somebody wants", async () => {
    inBrowser();
    const { fetch, requests } = recordingFetch();
    await new Byond({ apiKey: "pub_0123", fetch }).lookup.number(number);
    await new Byond({ accessToken: "ey.token", fetch }).lookup.number(number);
    await new Byond({ apiKey: "pk_test_0123.secret", dangerouslyAllowBrowser: true, fetch }).lookup.number(number);
    expect(requests.map(({ headers }) => headers.get("x-api-key"))).toEqual(["pub_0123", null, "pk_test_0123.secret"]);
    expect(requests.map(({ headers }) => headers.get("user-agent"))).toEqual([null, null, null]);
  });
});

describe("options", () => {
  test.each<[Record<string, string>, ByondOptions, string]>([
    [{}, {}, "http://127.0.0.1:8080"],
    [{ BYOND_URL: "http://one:1" }, {}, "http://one:1"],
    [{ BYOND_URL: "http://one:1", BYOND_BASE_URL: "https://two/byond/" }, {}, "https://two/byond"],
    [{ BYOND_BASE_URL: "https://two" }, { baseUrl: "https://three/api/v1/" }, "https://three"],
  ])("with %j and %j the server is at %s", async (environment, options, expected) => {
    for (const name of ["BYOND_URL", "BYOND_BASE_URL"]) {
      vi.stubEnv(name, environment[name]);
    }
    const { fetch, requests } = recordingFetch();
    await new Byond({ ...options, fetch }).lookup.number(number);
    expect(requests.map(({ url }) => url)).toEqual([`${expected}/api/v1/lookup?number=%2B6591234567`]);
  });

  test("an access token replaces the key of the environment, and only it names the mode", async () => {
    vi.stubEnv("BYONDAPI_KEY", "pk_test_0123.secret");
    const { fetch, requests } = recordingFetch();
    const byond = new Byond({ fetch, mode: "test" });
    await byond.auth.me();
    await byond.with({ accessToken: "ey.token" }).auth.me();
    const sent = (name: string) => requests.map(({ headers }) => headers.get(name));
    expect(sent("x-api-key")).toEqual(["pk_test_0123.secret", null]);
    expect(sent("authorization")).toEqual([null, "Bearer ey.token"]);
    expect(sent("byond-mode")).toEqual([null, "test"]);
  });

  test("calls that take no credential get none", async () => {
    const { fetch, requests } = recordingFetch();
    await new Byond({ apiKey: "pk_test_0123.secret", fetch }).auth.signIn({ email: "ada@example.com", password: "x" });
    expect(requests[0]?.headers.get("x-api-key")).toBeNull();
  });

  test("gRPC and signatures exclude each other", () => {
    const options = { apiKey: "pk_test_0123.secret", transport: grpcTransport, signRequests: true };
    expect(() => new Byond(options)).toThrow(/cannot be signed/);
  });
});

describe("results", () => {
  test("fields and words that a newer server has are no error, and keys of data keep their names", async () => {
    const verification = {
      verification_id: "vrf_1",
      status: "paused",
      created_at: "2026-06-15T10:30:00Z",
      metadata: { order_id: "1" },
      new_field: { inner_name: 1 },
    };
    const { fetch } = recordingFetch(() => Response.json(verification));
    expect(await new Byond({ fetch }).verify.get("vrf_1")).toEqual({
      verificationId: "vrf_1",
      status: "paused",
      createdAt: new Date("2026-06-15T10:30:00Z"),
      metadata: { order_id: "1" },
      newField: { inner_name: 1 },
    });
  });

  test("an event of a type that is not known has its object as it came", async () => {
    const event = { id: "evt_1", type: "invoice.paid", data: { amount_due: 1 } };
    const { fetch } = recordingFetch(() => Response.json(event));
    expect(await new Byond({ fetch }).events.get("evt_1")).toEqual(event);
  });
});

describe("ending a call", () => {
  let server: Server;
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  async function clientOf(answer: Parameters<typeof createServer>[1]): Promise<Byond> {
    server = createServer(answer).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    return new Byond({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, apiKey: "pk_test_0.1" });
  }

  test("the caller's signal ends it with the signal's reason", async () => {
    const reason = new Error("the user left");
    const leave = new AbortController();
    const byond = await clientOf(() => leave.abort(reason));
    await expect(byond.lookup.number(number, { signal: leave.signal })).rejects.toBe(reason);
    await expect(byond.lookup.number(number, { signal: leave.signal })).rejects.toBe(reason);
  });

  test("it ends a pause before a retry, and a stream", async () => {
    const leave = new AbortController();
    const byond = await clientOf((_, response) => {
      response.writeHead(503, { "Retry-After": "20" }).end("busy", () => leave.abort(new Error("the user left")));
    });
    await expect(byond.lookup.number(number, { signal: leave.signal })).rejects.toThrow("the user left");
    const stream = byond.events.stream({}, { signal: leave.signal });
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toThrow("the user left");
  });

  test("a stream that nobody reads any more closes its connection", async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const byond = await clientOf((_, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write('id: evt_1\ndata: {"id":"evt_1","type":"verification.started","data":null}\n\n');
      response.once("close", resolve);
    });
    const stream = byond.events.stream();
    for await (const event of stream) {
      expect(event.id).toBe("evt_1");
      break;
    }
    await closed;
    expect(stream.resumeAfter).toBe("evt_1");
  });

  test("a redirection is not followed, and is no answer of the API", async () => {
    const byond = await clientOf((_, response) => response.writeHead(307, { Location: "http://127.0.0.1:1/" }).end());
    const error = await byond.verify.erase({ recipient: "x" }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ByondError);
    expect(error).toMatchObject({ code: "invalid_response", status: 307 });
  });
});

test("webhooks are verified with the headers of Node, of fetch, and in any case; bodies as text or bytes", async () => {
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const body = JSON.stringify({
    id: "evt_1",
    type: "ping",
    mode: "test",
    created_at: "2026-06-15T10:30:00Z",
    data: null,
  });
  const headers = await signWebhook({ id: "evt_1", body, secret });
  const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]]));
  for (const given of [headers, upper, new Headers(headers)]) {
    expect(await verifyWebhook(given, new TextEncoder().encode(body), secret)).toMatchObject({ type: "ping" });
  }
  await expect(verifyWebhook(headers, `${body} `, secret)).rejects.toMatchObject({ code: "webhook_signature_invalid" });
  for (const empty of ["", "whsec_"]) {
    await expect(verifyWebhook(headers, body, empty)).rejects.toThrow("The secret of the webhook is empty.");
  }
});

test("server-sent events are read whatever the pieces that they arrive in", async () => {
  const text = ':\n\nid: evt_1\ndata: {"a":"ä"}\n\nid: evt_2\n\nevent: error\r\ndata: 1\r\ndata: 2\r\n\r\n';
  const bytes = new TextEncoder().encode(text);
  for (let size = 1; size <= bytes.length; size++) {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let start = 0; start < bytes.length; start += size) {
          controller.enqueue(bytes.slice(start, start + size));
        }
        controller.close();
      },
    });
    expect(await Array.fromAsync(parseServerSentEvents(body))).toEqual([
      {},
      { id: "evt_1", data: '{"a":"ä"}' },
      { id: "evt_2" },
      { event: "error", data: "1\n2" },
    ]);
  }
});
