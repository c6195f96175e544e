/** `npm run listen`: a real server, a real receiver, and the command in a process of its own. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { describe, expect, onTestFinished, test } from "vitest";
import { listen } from "../../src/capabilities/webhooks/listen-command.ts";
import { CommandError } from "../../src/capability.ts";
import { createWebhookSecret } from "../../src/outgoing/webhook-signature.ts";
import { type Received, Receiver } from "../capabilities/webhooks/receiver.ts";
import { useTestApp } from "../support/app.ts";
import { freePort } from "../support/free-port.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { ServerProcess } from "../support/processes.ts";
import { MainProcess } from "./main-process.ts";

const app = useTestApp();

function expectSigned({ headers, body }: Received, secret: string): void {
  const ofWebhook = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, `${value}`]));
  expect(new Webhook(secret).verify(body, ofWebhook)).toEqual(JSON.parse(body));
  const [, t, digest] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(`${headers["byond-signature"]}`) ?? [];
  expect(createHmac("sha256", secret).update(`${t}.${body}`).digest("hex")).toBe(digest);
}

async function start(server: Pick<ServerProcess, "rest">, key: string, recipient: string): Promise<string> {
  const { status, body } = await server.rest("POST", "/verify/start", { key, body: { channel: "email", recipient } });
  expect(status).toBe(201);
  return body.verification_id;
}

test("events arrive signed, each once, across a crash of the server and a receiver that fails", async () => {
  const { url } = await createTestDatabase();
  const first = await ServerProcess.start({ databaseUrl: url, environment: { PORT: `${await freePort()}` } });
  onTestFinished(() => void first.kill());
  const key = await first.mintKey({ mode: "test" });
  const receiver = await Receiver.start();
  await using listening = new MainProcess({
    args: ["listen", "--forward-to", receiver.url],
    environment: { BYOND_URL: first.url, BYONDAPI_KEY: key },
  });
  const [secret] = await listening.wrote(/whsec_\S+/);
  await listening.wrote(/Connected\.\n/);
  // The position to resume at comes with the first heartbeat, at once.
  const id = await start(first, key, "one@example.com");
  await receiver.got(2);
  expect(receiver.types).toEqual(["verification.started", "verification.delivered"]);
  await listening.wrote(new RegExp(`^\\S+Z verification\\.delivered ${id} 200$`, "m"));

  await first.kill();
  await listening.wrote(/Not connected: .+\. Trying again\.\n/);
  const second = await first.startAnother();
  onTestFinished(() => void second.kill());
  await start(second, key, "two@example.com");
  await receiver.got(4);
  await listening.wrote(/Trying again\.\nConnected\.\n/);

  receiver.behaviour = 500;
  await start(second, key, "three@example.com");
  await receiver.got(6);
  await listening.wrote(/verification\.delivered vrf_\S+ 500\n/);
  receiver.stop();
  const unheard = await start(second, key, "four@example.com");
  await listening.wrote(new RegExp(`verification\\.delivered ${unheard} no answer: ECONNREFUSED\n`));

  const { events } = (await second.rest("GET", "/events", { key })).body;
  // Since it listens: the creation of the key was before.
  const heard = events.filter(({ type }: { type: string }) => type.startsWith("verification.")).reverse();
  expect(receiver.received.map(({ event }) => event)).toEqual(heard.slice(0, 6));
  expect(heard).toHaveLength(8);
  receiver.received.forEach((received) => void expectSigned(received, secret));
  expect(listening.output.match(/^\S+Z verification/gm)).toHaveLength(8);

  listening.signal("SIGINT");
  expect(await listening.exited).toMatchObject({ signal: "SIGINT" });
  expect(listening.log).toBe("");
});

test("types and the secret can be chosen; a key that is revoked ends it", async () => {
  const { session } = await app.signUp();
  const { body: made } = await app.rest("POST", "/api-keys", { session, body: { name: "k", mode: "test" } });
  const receiver = await Receiver.start();
  const secret = createWebhookSecret();
  await using listening = new MainProcess({
    args: ["listen", `--forward-to=${receiver.url}`, `--url=${app.url}/`, `--api-key=${made.key}`].concat([
      "--types=verification.approved, verification.canceled",
      `--secret=${secret}`,
    ]),
  });
  await listening.wrote(/Connected\.\n/);
  const id = await start(app, made.key, "one@example.com");
  await app.rest("POST", `/verify/${id}/cancel`, { key: made.key });
  const received = await receiver.got(1);
  expect(receiver.types).toEqual(["verification.canceled"]);
  expectSigned(received, secret);
  await app.rest("DELETE", `/api-keys/${made.id}`, { session });
  expect(await listening.exited).toEqual({ code: 1, signal: null });
  expect(listening.log).toMatch(/^The server answered 401: .+\n$/);
  expect(listening.written).not.toContain(made.key);
});

test("what the server says is one sentence of what is written", async () => {
  const answers = [
    [503, "The server is being stopped."],
    [401, "The key is revoked."],
  ] as const;
  let requests = 0;
  const server = createServer((_request, response) => {
    const [status, message] = answers[requests++] ?? answers[1];
    response.writeHead(status).end(JSON.stringify({ error: { message } }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  const written: string[] = [];
  const options = {
    "forward-to": "http://127.0.0.1:9/hook",
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  };
  await expect(
    listen({ options, environment: { BYONDAPI_KEY: "k" }, write: (text) => void written.push(text) }),
  ).rejects.toThrow("The server answered 401: The key is revoked.");
  expect(written.at(-1)).toBe("Not connected: the server answered 503: The server is being stopped. Trying again.\n");
});

describe("what cannot work is refused, and nothing is repeated that may be a secret:", () => {
  test.each([
    [{}, { BYONDAPI_KEY: "" }, /^Give an API key: --api-key, or BYONDAPI_KEY\.$/],
    [{ "forward-to": "localhost:3000" }, {}, /^--forward-to must be an http or https URL, without a user\.$/],
    [{ "forward-to": "http://hunter2@localhost" }, {}, /^--forward-to must be an http or https URL, without a user\.$/],
    [{ url: "ftp://localhost" }, {}, /^--url must be an http or https URL, without a user\.$/],
    [{ secret: "hunter2" }, {}, /^--secret must be whsec_ and the base64 of 24 to 64 bytes\.$/],
    [{ secret: "whsec_aHVudGVyMg==" }, {}, /^--secret must be whsec_ and the base64 of 24 to 64 bytes\.$/],
    [{ types: "hunter3" }, {}, /^The server answered 422: .+ types/],
    [{ "api-key": "pk_test_none.hunter2" }, {}, /^The server answered 401: /],
    [
      { "api-key": "pk_test_none.hunter2\npk_test_other" },
      {},
      /^The API key of --api-key or BYONDAPI_KEY contains spaces /,
    ],
    [{}, { BYONDAPI_KEY: "pk_test_none.hunter2…" }, /^The API key of --api-key or BYONDAPI_KEY contains spaces /],
  ])("%j %j", async (options, environment, problem) => {
    const key = await app.mintKey({ mode: "test" });
    const said = await refusalOf(
      { "forward-to": "http://127.0.0.1:9/hook", ...options },
      { BYOND_URL: app.url, BYONDAPI_KEY: key, ...environment },
    );
    expect(said).toMatch(problem);
    expect(said).not.toContain("hunter2");
    expect(said).not.toContain(key);
  });

  test("white space around the key is no part of it", async () => {
    expect(
      await refusalOf(
        { "forward-to": "http://127.0.0.1:9/hook" },
        { BYOND_URL: app.url, BYONDAPI_KEY: "pk_test_none.x\n" },
      ),
    ).toMatch(/^The server answered 401: /);
  });

  test("a URL that is no server", async () => {
    const receiver = await Receiver.start();
    const environment = { BYOND_URL: receiver.url, BYONDAPI_KEY: "pk_test_none.hunter2" };
    receiver.behaviour = 301;
    const options = { "forward-to": receiver.url };
    expect(await refusalOf(options, environment)).toMatch(/^The server answered 301: /);
    receiver.behaviour = 200;
    expect(await refusalOf(options, environment)).toMatch(/^There is no stream of events at http/);
  });
});

/** What the command is refused with. It would not end otherwise. */
async function refusalOf(options: Record<string, string>, environment: Record<string, string>): Promise<string> {
  const refusal = await listen({ options, environment, write: () => undefined }).catch((error: unknown) => error);
  if (!(refusal instanceof CommandError)) {
    throw refusal;
  }
  return refusal.message;
}
