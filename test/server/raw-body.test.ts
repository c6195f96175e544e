import { createHmac } from "node:crypto";
import { once } from "node:events";
import { type ClientHttp2Stream, connect, constants, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { createClient, createConnectRouter, createContextValues } from "@connectrpc/connect";
import { assertByteStreamRequest, createUniversalHandlerClient } from "@connectrpc/connect/protocol";
import { createTransport as createConnectTransport } from "@connectrpc/connect/protocol-connect";
import { describe, expect, onTestFinished, test } from "vitest";
import { VerifyService } from "../../gen/byond/v1/verify_pb.ts";
import { checkSignature } from "../../src/access/request-signature.ts";
import { RawBody, rawBodyKey } from "../../src/server/raw-body.ts";

async function* chunksOf(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    yield Buffer.from(text);
  }
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

describe("a body", () => {
  test("can be read ahead, twice, and still be read as a stream", async () => {
    const body = new RawBody(chunksOf("one ", "two"));
    expect(Buffer.from(await body.read(100)).toString()).toBe("one two");
    expect(Buffer.from(await body.read(100)).toString()).toBe("one two");
    expect(await collect(body)).toBe("one two");
  });

  test("passes chunk by chunk if nobody reads ahead", async () => {
    const produced: string[] = [];
    async function* source() {
      for (const text of ["one", "two"]) {
        produced.push(text);
        yield Buffer.from(text);
      }
    }
    const iterator = new RawBody(source())[Symbol.asyncIterator]();
    expect(await iterator.next()).toMatchObject({ value: Buffer.from("one") });
    expect(produced).toEqual(["one"]);
  });

  test("that is empty has no chunk", async () => {
    const body = new RawBody(chunksOf());
    expect(await body.read(0)).toHaveLength(0);
    expect(await collect(body)).toBe("");
  });

  test("that is too large is refused before it is buffered", async () => {
    await expect(new RawBody(chunksOf("12345", "6")).read(5)).rejects.toMatchObject({ code: "payload_too_large" });
    expect(await new RawBody(chunksOf("12345")).read(5)).toHaveLength(5);
  });

  test("that is read as a whole is undefined if it is too large", async () => {
    expect(await new RawBody(chunksOf("12345", "6")).readWhole(5)).toBeUndefined();
    expect(await new RawBody(chunksOf("12345")).readWhole(5)).toHaveLength(5);
  });

  test("does not end its source when the reader stops early: the answer needs its connection", async () => {
    let hasEnded = false;
    async function* source() {
      try {
        yield Buffer.from("one");
        yield Buffer.from("two");
      } finally {
        hasEnded = true;
      }
    }
    for await (const _ of new RawBody(source())) {
      break;
    }
    expect(hasEnded).toBe(false);
  });
});

test("a Connect call is verified on its bytes as they were sent, and then parsed from them", async () => {
  const nowMs = Date.parse("2026-06-15T09:40:00Z");
  const router = createConnectRouter({
    async requestGate(context) {
      await checkSignature({
        headers: context.requestHeader,
        protocolName: context.protocolName,
        credential: "pk_test_key.secret",
        method: context.requestMethod,
        target: "",
        required: "v1",
        nowMs: () => nowMs,
        readBody: async () => (await context.values.get(rawBodyKey)?.read(1_000)) ?? new Uint8Array(),
      });
    },
  });
  router.service(VerifyService, {
    startVerification: (request) => ({ verificationId: `vrf for ${request.recipient}` }),
  });
  const handlers = createUniversalHandlerClient(
    router.handlers.map((handler) =>
      Object.assign((request: Parameters<typeof handler>[0]) => {
        assertByteStreamRequest(request);
        const body = new RawBody(request.body);
        const contextValues = (request.contextValues ?? createContextValues()).set(rawBodyKey, body);
        return handler({ ...request, body, contextValues });
      }, handler),
    ),
  );

  function clientWhoSigns(sign: (body: Buffer) => Buffer) {
    const transport = createConnectTransport({
      // The client of the test signs what goes over the wire, as one of another language would.
      httpClient: async (request) => {
        const body = Buffer.from(await collect(request.body ?? chunksOf()), "utf8");
        const hex = createHmac("sha256", "pk_test_key.secret").update(`${nowMs}.`).update(sign(body)).digest("hex");
        request.header.set("Byond-Signature", `t=${nowMs},v1=${hex}`);
        return handlers({ ...request, body: chunksOf(body.toString("utf8")) });
      },
      baseUrl: "https://in-memory",
      useBinaryFormat: false,
      interceptors: [],
      acceptCompression: [],
      sendCompression: null,
      compressMinBytes: 1e6,
      readMaxBytes: 1e6,
      writeMaxBytes: 1e6,
    });
    return createClient(VerifyService, transport);
  }

  const honest = clientWhoSigns((body) => body);
  await expect(honest.startVerification({ recipient: "a@example.com" })).resolves.toMatchObject({
    verificationId: "vrf for a@example.com",
  });
  const tampered = clientWhoSigns((body) => Buffer.from(body.toString().replace("a@", "b@")));
  await expect(tampered.startVerification({ recipient: "a@example.com" })).rejects.toThrow();
});

describe("a body that the client cut off over HTTP/2 while its call was being admitted", () => {
  const ways = {
    "resets the stream": (stream: ClientHttp2Stream) => stream.close(constants.NGHTTP2_CANCEL),
    "drops the connection": (stream: ClientHttp2Stream) => stream.session?.socket.destroy(),
  };
  const reads = {
    "read ahead": (body: RawBody) => body.read(1_000),
    "read as a stream": (body: RawBody) => collect(body),
  };
  const cases = Object.keys(ways).flatMap((way) =>
    Object.keys(reads).flatMap((read) => ["{}", ""].map((sent) => [way, read, sent] as const)),
  );

  test.each(cases)("by one who %s: %s, it is no whole body (sent: %j)", async (way, read, sent) => {
    const settled = Promise.withResolvers<unknown>();
    const server = createServer().on("stream", (received) => {
      received.on("error", () => undefined);
      // The gate takes until the client is gone.
      received.once("close", () => {
        const body = new RawBody(received);
        settled.resolve(
          reads[read as keyof typeof reads](body).then(
            () => "whole",
            (error) => error.code,
          ),
        );
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const client = connect(`http://127.0.0.1:${port}`).on("error", () => undefined);
    onTestFinished(() => {
      client.destroy();
      server.close();
    });
    const stream = client.request({ ":method": "POST", ":path": "/" }).on("error", () => undefined);
    if (sent !== "") {
      stream.write(sent);
    }
    await once(server, "stream");
    ways[way as keyof typeof ways](stream);
    expect(await settled.promise).not.toBe("whole");
  });
});

test.each([
  ["read ahead", (body: RawBody) => body.read(1_000).then(({ length }) => length)],
  ["read as a stream", (body: RawBody) => collect(body).then(({ length }) => length)],
])("a body over HTTP/2 whose end arrives without data before it is %s is empty", async (_, read) => {
  const settled = Promise.withResolvers<number>();
  const server = createServer().on("stream", (received) => {
    expect(received.endAfterHeaders).toBe(false);
    received.once("end", () => settled.resolve(read(new RawBody(received))));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  client
    .request({ ":method": "POST", ":path": "/" })
    .on("error", () => undefined)
    .end();
  expect(await settled.promise).toBe(0);
});
