import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exchangeRaw, openTestPort, type RawExchange, type TestPort } from "./port-fixture.ts";

const get = (target: string, ...headers: string[]) =>
  `${[`GET ${target} HTTP/1.1`, "Host: a", ...headers].join("\r\n")}\r\n\r\n`;
const answered = (received: string) => [...received.matchAll(/"target":"([^"]*)"/g)].map(([, target]) => target);
const targets = (count: number) => Array.from({ length: count }, (_, index) => `/${index}`);

let port: TestPort;
afterEach(() => port.close(0));

describe("pipelined requests over HTTP/1.1", () => {
  /** How many are handled at the same time, and the most that were. */
  let current = 0;
  let most = 0;
  /** Answers are held back until it resolves. */
  let released: PromiseWithResolvers<void>;
  beforeEach(async () => {
    [current, most, released] = [0, 0, Promise.withResolvers()];
    port = await openTestPort({
      onRequest: async (request, response) => {
        if (request.url === "/free") {
          response.end();
          return;
        }
        port.handled.push(request.url ?? "");
        current += 1;
        most = Math.max(most, current);
        let bytes = 0;
        for await (const chunk of request as AsyncIterable<Buffer>) bytes += chunk.length;
        await released.promise;
        current -= 1;
        response.end(JSON.stringify({ target: request.url, bytes }));
      },
    });
  });

  test.each([101, 250, 2_000])("%i in one packet are answered, in order, a hundred at a time", async (count) => {
    const { ended } = exchangeRaw(
      port,
      `${targets(count)
        .map((target) => get(target))
        .join("")}${get("/last", "Connection: close")}`,
    );
    await expect.poll(() => current).toBe(100);
    released.resolve();
    expect(answered(await ended)).toEqual([...targets(count), "/last"]);
    expect(most).toBe(100);
  });

  test("are not read further while more than that wait", async () => {
    const { socket, ended } = exchangeRaw(
      port,
      targets(300)
        .map((target) => get(target))
        .join(""),
    );
    await expect.poll(() => current).toBe(100);
    const filler = get("/filler", `X-Filler: ${"x".repeat(8_000)}`);
    for (let sent = 0; sent < 2_000; sent += 1) socket.write(filler);
    const drained = once(socket, "drain").then(() => "drained");
    for (let round = 0; round < 20; round += 1) {
      expect(await Promise.race([drained, fetch(`${port.url}/free`).then(({ status }) => status)])).toBe(200);
    }
    // Far more than the buffers of the operating system hold.
    expect(socket.writableLength).toBeGreaterThan(1_000_000);
    released.resolve();
    socket.end(get("/last", "Connection: close"));
    expect(answered(await ended)).toHaveLength(2_301);
  });

  test("keep their bodies", async () => {
    const post = (target: string) => `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello`;
    const { socket, received, ended } = exchangeRaw(port, targets(200).map(post).join(""));
    await expect.poll(() => current).toBe(100);
    socket.write("POST /last HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhe");
    released.resolve();
    await expect.poll(() => answered(received()).length).toBe(200);
    socket.write("llo");
    expect(await ended).toContain('{"target":"/last","bytes":5}');
    expect(received().match(/"bytes":5/g)).toHaveLength(201);
  });

  test("are limited in total: the connection with the most waiting is closed", async () => {
    const exchanges: RawExchange[] = [];
    const isAnyCutOff = () => exchanges.some(({ socket }) => socket.destroyed);
    while (!isAnyCutOff() && exchanges.length < 50) {
      exchanges.push(
        exchangeRaw(
          port,
          targets(2_000)
            .map((target) => get(target))
            .join(""),
        ),
      );
      await expect.poll(() => current === 100 * exchanges.length || isAnyCutOff()).toBe(true);
    }
    released.resolve();
    const isAnswered = ({ received }: RawExchange) => answered(received()).length === 2_000;
    const areOver = () => exchanges.every((exchange) => exchange.socket.destroyed || isAnswered(exchange));
    await expect.poll(areOver, { timeout: 20_000 }).toBe(true);
    expect(exchanges.filter(isAnswered).length).toBeGreaterThanOrEqual(4);
    expect(exchanges.filter(({ socket }) => socket.destroyed).every(({ received }) => received() === "")).toBe(true);
  });

  test("do not start when their connection is cut off", async () => {
    const { ended } = exchangeRaw(
      port,
      targets(150)
        .map((target) => get(target))
        .join(""),
    );
    await expect.poll(() => current).toBe(100);
    await Promise.all([port.close(0), ended]);
    released.resolve();
    await expect.poll(() => current).toBe(0);
    expect(port.handled).toEqual(targets(100));
  });

  test("are all answered by a port that closes, and the last one says so", async () => {
    const { ended } = exchangeRaw(
      port,
      targets(150)
        .map((target) => get(target))
        .join(""),
    );
    await expect.poll(() => current).toBe(100);
    const closed = port.close(10_000);
    released.resolve();
    const received = await ended;
    await closed;
    expect(answered(received)).toEqual(targets(150));
    expect(received.match(/^Connection: close\r$/gm)).toHaveLength(1);
    expect(received.slice(received.indexOf("Connection: close"))).toContain('"target":"/149"');
  });
});
