/** How a stream of events is followed, on a server that answers as the test says. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { type Followed, followEvents } from "../../../src/capabilities/webhooks/follow-events.ts";
import { CommandError } from "../../../src/capability.ts";

type Answer = (response: ServerResponse) => void | Promise<void>;

/** A server that gives each request the next answer. */
async function serve(answers: readonly Answer[]) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    void answers[requests.length - 1]?.(response);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { requests, url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`) };
}

const refusal =
  (status: number, message: string): Answer =>
  (response) =>
    void response.writeHead(status).end(JSON.stringify({ error: { message } }));

/** Sends a stream of server-sent events one byte at a time. */
const stream =
  (text: string, end: (response: ServerResponse) => void = (response) => void response.end()): Answer =>
  async (response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    for (const byte of Buffer.from(text)) {
      response.write(Buffer.of(byte));
      await turn();
    }
    end(response);
  };

/** What following brings, up to the refusal that ends it. */
async function follow(url: URL, types: readonly string[] = []): Promise<{ all: Followed[]; refusal: string }> {
  const all: Followed[] = [];
  try {
    for await (const followed of followEvents({ server: url, apiKey: "a key", types })) {
      all.push(followed);
    }
  } catch (error) {
    if (error instanceof CommandError) {
      return { all, refusal: error.message };
    }
    throw error;
  }
  throw new Error("following ended");
}

test("a stream is read whatever its pieces are, and goes on after the last message, be it a heartbeat", async () => {
  const { url, requests } = await serve([
    stream(': hello\n\nid: start\n\nid: evt_1\ndata: {"name":"é"}\n\n:\n\nid: evt_2\n\nid: evt_3\ndata: {"cut'),
    stream('id: evt_3\ndata: {}\n\nevent: error\ndata: {"error":{"message":"The server stops."}}\n\n'),
    refusal(503, "Try again."),
    stream("id: evt_4\n\n", (response) => response.destroy()),
    refusal(401, "The key is revoked."),
  ]);
  const { all, refusal: reason } = await follow(url, ["a.b", "c.d"]);
  expect(all).toEqual([
    { kind: "connected" },
    { kind: "event", id: "evt_1", json: '{"name":"é"}' },
    { kind: "lost", reason: "the server ended the stream" },
    { kind: "connected" },
    { kind: "event", id: "evt_3", json: "{}" },
    { kind: "lost", reason: "The server stops." },
    { kind: "lost", reason: "the server answered 503: Try again." },
    { kind: "connected" },
    { kind: "lost", reason: expect.stringMatching(/./) },
  ]);
  expect(reason).toBe("The server answered 401: The key is revoked.");
  expect(requests.map(({ headers }) => headers["last-event-id"])).toEqual([
    undefined,
    "evt_2",
    "evt_3",
    "evt_3",
    "evt_4",
  ]);
  expect(new Set(requests.map((request) => request.url))).toEqual(
    new Set(["/api/v1/events/stream?types=a.b&types=c.d"]),
  );
  expect(requests[0]?.headers).toMatchObject({ accept: "text/event-stream", "x-api-key": "a key" });
});

test("a redirection is refused: the key is for this server", async () => {
  const { url, requests } = await serve([(response) => void response.writeHead(307, { Location: "/other" }).end()]);
  expect((await follow(url)).refusal).toBe("The server answered 307");
  expect(requests).toHaveLength(1);
});
