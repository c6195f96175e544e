/** Secrets of webhooks when the master secret is rotated. */
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { startTestApp } from "../../support/app.ts";
import { runCommand } from "../../support/run-command.ts";
import { Receiver } from "./receiver.ts";

const old = "the old secret which has thirty-two bytes";
const fresh = "the new secret which has thirty-two bytes";
const webhookDestinations = { allowedNetworks: [], allowsLoopback: true };

test("after a reseal, deliveries are signed with the same secrets by servers that know the new master secret alone", async () => {
  await using before = await startTestApp({ secrets: [old, fresh], webhookDestinations });
  const receiver = await Receiver.start();
  const key = await before.mintKey({ mode: "test", scopes: ["*"] });
  const { secret } = (await before.rest("POST", "/webhooks", { key, body: { url: receiver.url } })).body;
  await before.app.close();
  await expect(before.startAnother({ secrets: [fresh] })).rejects.toThrow(
    /1 secrets of webhooks cannot sign deliveries without it/,
  );

  await runCommand("reseal", before.databaseUrl, { options: {}, input: "", secrets: [fresh, old] });
  await using after = await before.startAnother({ secrets: [fresh], webhookDestinations });
  const { webhooks } = (await after.rest("GET", "/webhooks", { key })).body;
  const ping = await after.rest("POST", `/webhooks/${webhooks[0].id}/test`, { key });
  expect(ping.body).toMatchObject({ succeeded: true });
  const { body, headers } = await receiver.got(1);
  new Webhook(secret).verify(body, {
    "webhook-id": `${headers["webhook-id"]}`,
    "webhook-timestamp": `${headers["webhook-timestamp"]}`,
    "webhook-signature": `${headers["webhook-signature"]}`,
  });
});
