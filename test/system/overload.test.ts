import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { createMigratedDatabase } from "../support/app.ts";
import { ServerProcess } from "../support/processes.ts";
import { until } from "./load.ts";

/** Sends one request after the other, and counts the statuses of the answers, until it is disposed of. */
class Client implements Disposable {
  readonly statuses = new Map<string, number>();
  readonly #socket: Socket;

  constructor(url: string, request: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect(Number(port), hostname);
    this.#socket.setEncoding("latin1");
    this.#socket.on("error", () => undefined);
    this.#socket.on("connect", () => this.#socket.write(request));
    let received = "";
    this.#socket.on("data", (text: string) => {
      received += text;
      const headEnd = received.indexOf("\r\n\r\n");
      const length = /\r\ncontent-length: (\d+)\r\n/i.exec(received)?.[1];
      if (headEnd === -1 || received.length < headEnd + 4 + Number(length ?? 0)) {
        return;
      }
      // A call may be unavailable for other reasons, too: a slow machine keeps its deadlines no longer.
      const status = received.includes("The server is overloaded") ? "overloaded" : received.slice(9, 12);
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
      received = "";
      this.#socket.write(request);
    });
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

function count(clients: readonly Client[], status: string): number {
  return clients.reduce((sum, { statuses }) => sum + (statuses.get(status) ?? 0), 0);
}

test("more lookups than can be served are refused, checks and health are not, and the log says when it begins and ends", async () => {
  const database = await createMigratedDatabase();
  // Without its compilers the server is slow enough to be overloaded by one process of clients, on any machine.
  const nodeOptions = ["--no-opt", "--no-sparkplug", "--no-maglev"];
  const environment = { DEFAULT_TIER: "unlimited" };
  await using server = await ServerProcess.start({ databaseUrl: database.url, environment, nodeOptions });
  const key = await server.mintKey();
  const headers = `Host: 127.0.0.1\r\nX-API-Key: ${key}\r\n`;
  const check = JSON.stringify({ verification_id: `vrf_${"0".repeat(22)}`, code: "123456" });
  const checkRequest = `POST /api/v1/verify/check HTTP/1.1\r\n${headers}Content-Type: application/json\r\nContent-Length: ${check.length}\r\n\r\n${check}`;
  {
    using clients = new DisposableStack();
    const open = (number: number, request: string) =>
      Array.from({ length: number }, () => clients.use(new Client(server.url, request)));
    const checks = open(4, checkRequest);
    const lookups = open(800, `GET /api/v1/lookup?number=%2B6591234567 HTTP/1.1\r\n${headers}\r\n`);
    await until("lookups are refused", 60_000, () => count(lookups, "overloaded") > 100);
    const checked = count(checks, "404");
    await until("checks are answered", 60_000, () => count(checks, "404") >= checked + 5);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect(count(checks, "overloaded")).toBe(0);
    expect(count(lookups, "200")).toBeGreaterThan(0);
  }
  await until("the overload is over", 60_000, async () => {
    await pause(50);
    return server.logLines.some(({ event }) => event === "overload_ended");
  });
  expect(server.logLines.filter(({ event }) => event === "overload_began")).not.toHaveLength(0);
  const lookup = await fetch(`${server.url}/api/v1/lookup?number=%2B6591234567`, { headers: { "X-API-Key": key } });
  expect(lookup.status).toBe(200);
}, 180_000);
