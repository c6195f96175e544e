import { once } from "node:events";
import { connect, constants } from "node:http2";
import { describe, expect, test, vi } from "vitest";
import { useTestApp } from "../support/app.ts";
import { readAnswer, requestHttp2 } from "./port-fixture.ts";

const app = useTestApp();

const requestLines = () => app.logLines.filter((line) => line.includes('"event":"request"'));

/** The line of the request that `act` makes. */
async function lineOf(act: () => Promise<unknown>): Promise<unknown> {
  const before = requestLines().length;
  await act();
  await vi.waitFor(() => expect(requestLines().length).toBe(before + 1), { timeout: 20_000 });
  return JSON.parse(requestLines().at(-1) ?? "");
}

describe("the line of a request over HTTP/2 tells whether the client left before it had the answer", () => {
  test.each([
    ["GET", "/healthz"],
    ["HEAD", "/healthz"],
    ["GET", "/docs"],
    ["GET", "/api/v1/lookup"],
  ])("not where it has read all of it (%s %s)", async (method, path) => {
    const line = await lineOf(() => requestHttp2(app.url, { ":method": method, ":path": path }));
    expect(line).not.toHaveProperty("aborted");
  });

  test("but where it has reset the stream", async () => {
    // It lets the server send the headers only.
    const session = connect(app.url, { settings: { initialWindowSize: 0 } });
    const line = await lineOf(async () => {
      const stream = session.request({ ":path": "/docs" });
      await once(stream, "response");
      stream.close(constants.NGHTTP2_CANCEL);
      await readAnswer(stream);
    });
    expect(line).toMatchObject({ aborted: true });
    session.destroy();
  });
});

describe("a client that leaves its stream of events is no failure of the server", () => {
  const path = "/api/v1/events/stream";
  const failures = () => app.logLines.filter((line) => line.includes("call_failed"));

  test("over HTTP/1.1", async () => {
    const key = await app.mintKey();
    await lineOf(async () => {
      const leaving = new AbortController();
      await fetch(app.url + path, { headers: { "x-api-key": key }, signal: leaving.signal });
      leaving.abort();
    });
    await lineOf(() => fetch(`${app.url}/healthz`));
    expect(failures()).toEqual([]);
  });

  test("over HTTP/2", async () => {
    const key = await app.mintKey();
    const session = connect(app.url);
    await lineOf(async () => {
      const stream = session.request({ ":path": path, "x-api-key": key });
      await once(stream, "response");
      stream.close(constants.NGHTTP2_CANCEL);
    });
    await lineOf(() => fetch(`${app.url}/healthz`));
    expect(failures()).toEqual([]);
    session.destroy();
  });
});
