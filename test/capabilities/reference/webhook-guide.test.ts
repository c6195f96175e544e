/** The receivers of the guide, run as they stand there, in processes of their own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { createWebhookSecret } from "../../../src/outgoing/webhook-signature.ts";
import { useTestApp } from "../../support/app.ts";
import { freePort } from "../../support/free-port.ts";
import { codeBlocks } from "./guide-chapter.ts";

const app = useTestApp({ webhookDestinations: { allowedNetworks: [], allowsLoopback: true } });

async function runReceiver(program: string, port: number, secret: string): Promise<ChildProcess> {
  const listening = program.replace("listen(3000)", `listen(${port}, () => console.log("ready"))`);
  const receiver = spawn(process.execPath, ["--input-type=module", "-e", listening], {
    env: { PATH: process.env.PATH, WEBHOOK_SECRET: secret },
    stdio: ["ignore", "pipe", "inherit"],
  });
  receiver.stdout?.setEncoding("utf8");
  const [line] = await once(receiver.stdout ?? receiver, "data");
  expect(line).toBe("ready\n");
  return receiver;
}

async function stop(receiver: ChildProcess): Promise<void> {
  const exited = once(receiver, "exit");
  receiver.kill();
  await exited;
}

test.each([
  ["Standard Webhooks", 0],
  ["Byond-Signature", 1],
])("the receiver that verifies %s takes what is signed, and nothing else", async (_, index) => {
  const [program = "", ...others] = codeBlocks("webhooks", "javascript").slice(index);
  expect(others).toHaveLength(1 - index);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const { session } = await app.signUp();
  const { body: webhook } = await app.rest("POST", "/webhooks", { session, body: { url } });
  const ping = async () => (await app.rest("POST", `/webhooks/${webhook.id}/test`, { session })).body;

  const receiver = await runReceiver(program, port, webhook.secret);
  onTestFinished(() => void receiver.kill());
  const printed = once(receiver.stdout ?? receiver, "data");
  expect(await ping()).toMatchObject({ succeeded: true, response_status: 200 });
  expect((await printed)[0]).toMatch(/^ping evt_/);
  const { status } = await fetch(url, { method: "POST", body: "{}" });
  expect(status).toBe(401);
  await stop(receiver);

  const other = await runReceiver(program, port, createWebhookSecret());
  onTestFinished(() => void other.kill());
  expect(await ping()).toMatchObject({ succeeded: false, response_status: 401 });
  await stop(other);
});
