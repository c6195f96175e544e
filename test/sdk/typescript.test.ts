/** What the cases of all SDKs do not cover: the parts of the TypeScript SDK that only it has. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { grpcTransport } from "../../sdk/typescript/src/grpc.ts";
import { Byond, ByondError, type ByondOptions, signWebhook, verifyWebhook } from "../../sdk/typescript/src/index.ts";
import { parseServerSentEvents } from "../../sdk/typescript/src/server-sent-events.ts";
import { signRequest } from "../../sdk/typescript/src/sign-request.ts";

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

describe("what is wrong before anything is sent", () => {
  test.each(["", ".", ".."])("an id that would make it another call: %j", async (id) => {
    const { fetch, requests } = recordingFetch();
    await expect(new Byond({ fetch }).webhooks.delete(id)).rejects.toThrow(TypeError);
    expect(requests).toEqual([]);
  });

  test("a key that cannot be a header is told without it; a line break at its end is that of a file", async () => {
    const { fetch, requests } = recordingFetch();
    const apiKey = "pk_test_0123.se\ncret";
    const error = await new Byond({ apiKey, fetch }).lookup.number(number).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).not.toContain("cret");
    await new Byond({ apiKey: "pk_test_0123.secret\r\n", fetch, signRequests: true }).lookup.number(number);
    expect(requests.map(({ headers }) => headers.get("x-api-key"))).toEqual(["pk_test_0123.secret"]);
  });

  test.each(["localhost:8080", "http://ada:secret@localhost"])("a base URL such as %s", (baseUrl) => {
    expect(() => new Byond({ baseUrl })).toThrow(/must begin with http/);
  });

  test.each(["", "whsec_", "whsec_ä"])("the secret %j of a webhook", async (secret) => {
    await expect(verifyWebhook({}, "{}", secret)).rejects.toThrow(TypeError);
  });
});

test("headers of the caller take the place of others, in whatever case", async () => {
  const { fetch, requests } = recordingFetch();
  const byond = new Byond({ apiKey: "pk_test_0123.secret", headers: { "user-agent": "ours" }, fetch });
  await byond.verify.erase({ recipient: "x" }, { headers: { "idempotency-key": "ours" } });
  expect(requests[0]?.headers.get("user-agent")).toBe("ours");
  expect(requests[0]?.headers.get("idempotency-key")).toBe("ours");
});

test("the signed target is the one that is sent, also with an apostrophe", async () => {
  const { fetch, requests } = recordingFetch(() => Response.json({}));
  const apiKey = "pk_test_0123.secret";
  await new Byond({ apiKey, signRequests: true, fetch }).verify.list({ recipient: "o'hara@example.com" });
  const { url = "", headers = new Headers() } = requests[0] ?? {};
  const { pathname, search } = new URL(url);
  const header = headers.get("byond-signature") ?? "";
  const now = Number(/t=(\d+)/.exec(header)?.[1]);
  const request = { credential: apiKey, method: "GET", target: pathname + search, body: "" };
  expect(header).toBe(await signRequest(request, now));
});

test.each(["null", "[]", '{"ok":true,"data":null}'])("%s is no result", async (body) => {
  const { fetch } = recordingFetch(() => new Response(body));
  await expect(new Byond({ fetch }).verify.list()).rejects.toMatchObject({ code: "invalid_response" });
});

test("a deadline may be farther away than a timer can be set", async () => {
  const { fetch } = recordingFetch(() => Response.json({}));
  expect((await new Byond({ fetch, timeoutMs: Number.POSITIVE_INFINITY }).verify.list()).items).toEqual([]);
});

test("a date in Retry-After is honoured: a call that could not wait until then is not repeated", async () => {
  const { fetch, requests } = recordingFetch(
    () => new Response("busy", { status: 503, headers: { "Retry-After": "Fri, 31 Dec 2199 23:59:59 GMT" } }),
  );
  const error = await new Byond({ fetch }).lookup.number(number).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "invalid_response", retryAfter: expect.any(Number) });
  expect(requests).toHaveLength(1);
});

test("a key of its own takes the place of the session", async () => {
  const { fetch, requests } = recordingFetch();
  await new Byond({ accessToken: "ey.token", fetch }).with({ apiKey: "pk_test_0123.secret" }).lookup.number(number);
  expect(requests[0]?.headers.get("authorization")).toBeNull();
  expect(requests[0]?.headers.get("x-api-key")).toBe("pk_test_0123.secret");
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
  const ofAFramework = { get: (name: string) => headers[name] ?? null };
  for (const given of [headers, upper, new Headers(headers), ofAFramework]) {
    expect(await verifyWebhook(given, new TextEncoder().encode(body), secret)).toMatchObject({ type: "ping" });
  }
  await expect(verifyWebhook(headers, `${body} `, secret)).rejects.toMatchObject({ code: "webhook_signature_invalid" });
  for (const empty of ["", "whsec_"]) {
    await expect(verifyWebhook(headers, body, empty)).rejects.toThrow("The secret of the webhook is empty.");
  }
});

test("server-sent events are read whatever the pieces that they arrive in", async () => {
  const text = ':\n\nid: evt_1\ndata: {"a":"ä\u2028"}\n\nid: evt_2\n\nevent: error\r\ndata: 1\r\ndata: 2\r\n\r\n';
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
      { id: "evt_1", data: '{"a":"ä\u2028"}' },
      { id: "evt_2" },
      { event: "error", data: "1\n2" },
    ]);
  }
});
