import { createHmac } from "node:crypto";
import { connect } from "node:net";
import { expect, test, vi } from "vitest";
import { parseConfig } from "../../src/config.ts";
import { startTestApp } from "../support/app.ts";

const webhook = { appSecret: "the secret of the app at Meta", verifyToken: "a word" };
const delivery = { ...parseConfig({}).delivery, whatsappWebhook: webhook };

test("Meta can subscribe with the word that was agreed", async () => {
  await using app = await startTestApp({ delivery });
  const subscribe = (word: string) =>
    fetch(`${app.url}/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token=${word}&hub.challenge=1158201444`);
  const accepted = await subscribe("a%20word");
  expect([accepted.status, await accepted.text()]).toEqual([200, "1158201444"]);
  expect((await subscribe("another")).status).toBe(403);
});

test("a report is taken only with the app's signature over the bytes as they came", async () => {
  await using app = await startTestApp({ delivery });
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

test("reports that arrive at once hold 24 MiB at most, whoever sends them; there is room again when they end", async () => {
  await using app = await startTestApp({ delivery });
  const { hostname, port } = new URL(app.url);
  const bytes = 3 * 1024 * 1024 - 1;
  const head = `POST /webhooks/whatsapp HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: ${bytes + 1}\r\n\r\n`;
  const held = Array.from({ length: 9 }, () => connect(Number(port), hostname));
  const refusals: string[] = [];
  const first = Promise.withResolvers<void>();
  for (const socket of held) {
    socket.on("error", () => undefined);
    socket.on("data", (answer: Buffer) => {
      refusals.push(answer.toString("latin1").split("\r\n", 1)[0] ?? "");
      first.resolve();
    });
    socket.write(head);
    // All but the last byte.
    socket.write(Buffer.alloc(bytes));
  }
  await first.promise;
  expect(refusals).toEqual(["HTTP/1.1 503 Service Unavailable"]);
  for (const socket of held) socket.destroy();
  const body = JSON.stringify({ object: "whatsapp_business_account", entry: [] });
  const signature = `sha256=${createHmac("sha256", webhook.appSecret).update(body).digest("hex")}`;
  const report = () =>
    fetch(`${app.url}/webhooks/whatsapp`, { method: "POST", headers: { "X-Hub-Signature-256": signature }, body });
  await vi.waitFor(async () => expect((await report()).status).toBe(200), { timeout: 20_000 });
});

test("without the settings the path does not exist", async () => {
  await using app = await startTestApp();
  expect((await fetch(`${app.url}/webhooks/whatsapp`)).status).toBe(404);
});
