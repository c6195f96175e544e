/** What a server that stops does to clients that keep their connections. */
import { Agent, request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createMigratedDatabase } from "../support/app.ts";
import { MainProcess } from "./main-process.ts";

let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
beforeAll(async () => {
  database = await createMigratedDatabase();
});
afterAll(() => database.drop());

const clients = 8;

/** Posts over the agent's connections, and resolves with the status, or with what went wrong. */
function post(url: string, agent: Agent): Promise<number | string> {
  return new Promise((resolve) => {
    const headers = { "Content-Type": "application/json" };
    const call = request(`${url}/api/v1/verify/start`, { method: "POST", agent, headers }, (response) => {
      response.on("end", () => resolve(response.statusCode ?? 0)).resume();
      response.on("error", ({ message }) => resolve(`an answer that ends early: ${message}`));
    });
    call.on("error", (error: NodeJS.ErrnoException) =>
      resolve(`${error.code}${call.reusedSocket ? " on a connection that was used before" : ""}`),
    );
    call.end(JSON.stringify({ channel: "email", recipient: "a@example.com" }));
  });
}

test.each(["1", "2"])("no call is lost on a kept connection when a server of %s workers stops", async (WORKERS) => {
  const environment = {
    DATABASE_URL: database.url,
    BYOND_SECRET: "0123456789abcdef0123456789abcdef",
    PORT: "0",
    DRAIN_SECONDS: "1",
    WORKERS,
  };
  await using server = new MainProcess({ environment });
  const url = await server.url();
  const answered = Promise.withResolvers<void>();
  let answers = 0;
  const ends = Array.from({ length: clients }, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (;;) {
      const outcome = await post(url, agent);
      if (outcome !== 401) {
        agent.destroy();
        return outcome;
      }
      answers += 1;
      if (answers === 20 * clients) answered.resolve();
    }
  });
  await answered.promise;
  expect(await server.stop()).toEqual({ code: 0, signal: null });
  // The kernel resets a new connection that comes just as the port closes, before the server has it.
  expect((await Promise.all(ends)).filter((outcome) => outcome !== "ECONNREFUSED" && outcome !== "ECONNRESET")).toEqual(
    [],
  );
});
