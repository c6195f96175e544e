import { createHmac } from "node:crypto";
import { connect } from "node:net";
import { expect, test, vi } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import { startTestApp, useTestApp } from "../../support/app.ts";
import { limitsOf } from "../../support/limit-settings.ts";
import { loopbackProxy } from "../../support/loopback-proxy.ts";

const webhook = { appSecret: "the secret of the app at Meta", verifyToken: "a word" };
const delivery = { ...parseConfig({}).delivery, whatsappWebhook: webhook };

const app = useTestApp({ delivery });

test("Meta can subscribe with the verify token", async () => {
  const subscribe = (word: string) =>
    fetch(`${app.url}/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token=${word}&hub.challenge=1158201444`);
  const accepted = await subscribe("a%20word");
  expect([accepted.status, await accepted.text()]).toEqual([200, "1158201444"]);
  expect((await subscribe("another")).status).toBe(403);
});

test("a report is accepted only with the app's signature over its exact bytes", async () => {
  const body = JSON.stringify({ object: "whatsapp_business_account", entry: [] });
  const signature = createHmac("sha256", webhook.appSecret).update(body).digest("hex");
  const report = (given: string, sent = body) =>
    fetch(`${app.url}/webhooks/whatsapp`, {
      method: "POST",
      headers: { "X-Hub-Signature-256": `sha256=${given}`, "Content-Type": "application/json" },
      body: sent,
    });
  expect((await report(signature)).status).toBe(200);
  expect((await report(signature, `${body} `)).status).toBe(401);
  expect((await report(signature, "x".repeat(3 * 1024 * 1024 + 1))).status).toBe(413);
});

const bytes = 3 * 1024 * 1024 - 1;

/** Sends all of a report but its last byte, from `count` connections. The first lines of their answers are in `answers`. */
function holdReports(url: string, count: number, headers: (index: number) => string) {
  const { hostname, port } = new URL(url);
  const answers: string[] = [];
  const sockets = Array.from({ length: count }, (_, index) => {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => undefined);
    socket.on("data", (answer: Buffer) => answers.push(answer.toString("latin1").split("\r\n", 1)[0] ?? ""));
    socket.write(
      `POST /webhooks/whatsapp HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: ${bytes + 1}\r\n${headers(index)}\r\n`,
    );
    socket.write(Buffer.alloc(bytes));
    return socket;
  });
  return { answers, [Symbol.dispose]: () => void sockets.map((socket) => socket.destroy()) };
}

const forged = `X-Hub-Signature-256: sha256=${"0".repeat(64)}\r\n`;

function sendReport(url: string): Promise<Response> {
  const body = JSON.stringify({ object: "whatsapp_business_account", entry: [], padding: " ".repeat(100_000) });
  const signature = `sha256=${createHmac("sha256", webhook.appSecret).update(body).digest("hex")}`;
  return fetch(`${url}/webhooks/whatsapp`, { method: "POST", headers: { "X-Hub-Signature-256": signature }, body });
}

test("a report without a well-formed signature is refused before its body is read", async () => {
  using held = holdReports(app.url, 3, (index) => (index === 0 ? "" : "X-Hub-Signature-256: sha256=0\r\n"));
  await vi.waitFor(() => expect(held.answers).toEqual(Array(3).fill("HTTP/1.1 401 Unauthorized")), { timeout: 20_000 });
});

test("unfinished reports of one source take 12 MiB at most, and small reports still get through", async () => {
  await using server = await startTestApp({ delivery });
  using held = holdReports(server.url, 9, () => forged);
  await vi.waitFor(() => expect(held.answers).toHaveLength(5), { timeout: 20_000 });
  expect(new Set(held.answers)).toEqual(new Set(["HTTP/1.1 503 Service Unavailable"]));
  for (let index = 0; index < 20; index += 1) {
    expect((await sendReport(server.url)).status).toBe(200);
  }
});

test("unfinished reports take 24 MiB at most; beyond that, those of the source with the most are dropped", async () => {
  await using server = await startTestApp({ delivery, ...limitsOf(), proxyTrust: loopbackProxy });
  using held = holdReports(server.url, 12, (index) => `${forged}X-Forwarded-For: 192.0.2.${index % 4}\r\n`);
  await vi.waitFor(() => expect(held.answers).toHaveLength(4), { timeout: 20_000 });
  for (let index = 0; index < 20; index += 1) {
    expect((await sendReport(server.url)).status).toBe(200);
  }
});

test("without the settings the path does not exist", async () => {
  await using server = await startTestApp();
  expect((await fetch(`${server.url}/webhooks/whatsapp`)).status).toBe(404);
});
