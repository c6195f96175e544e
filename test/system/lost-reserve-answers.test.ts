/** A reserve of which nobody can tell whether it was taken: nothing was charged, and it is given back. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { query, topUp } from "../capabilities/balance/balance-fixture.ts";
import { SmtpSink } from "../capabilities/channels/smtp-sink.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { ServerProcess } from "../support/processes.ts";
import { CuttingProxy } from "./cutting-proxy.ts";
import { until } from "./load.ts";

test("a start whose reserve nobody can tell of is answered 503, and the money is back soon", {
  timeout: 120_000,
}, async () => {
  await using resources = new AsyncDisposableStack();
  const database = await createMigratedDatabase();
  resources.defer(() => database.drop());
  const proxy = resources.use(await CuttingProxy.open(database.url));
  const folder = await mkdtemp(join(tmpdir(), "byond-prices-"));
  resources.defer(() => rm(folder, { recursive: true }));
  const prices = { currency: "EUR", digits: 2, messages: { email: { default: 1 } }, lookup: 1 };
  await writeFile(join(folder, "prices.json"), JSON.stringify(prices));
  const sink = await SmtpSink.open();
  resources.defer(() => sink.close());
  const environment = {
    PRICES: join(folder, "prices.json"),
    SMTP_URL: sink.url,
    MAIL_FROM: "Acme <no-reply@acme.example>",
  };
  const server = resources.use(await ServerProcess.start({ databaseUrl: proxy.url, environment }));
  const { session, workspaceId } = await server.signUp();
  const { key } = (await server.rest("POST", "/api-keys", { session, body: { name: "a key" } })).body;
  await topUp(database.url, workspaceId, 100);
  const start = () =>
    server.rest("POST", "/verify/start", { key, body: { channel: "email", recipient: "user@example.com" } });
  const reserves = () =>
    query(database.url, "SELECT amount::int FROM spend_reserve WHERE workspace_id = $1", [workspaceId]);

  proxy.cutNext({ text: "COMMIT", transactionWith: "take_spend_reserve", when: "after", refuseAfterwards: true });
  const { status, body } = await start();
  expect([status, body.error.code]).toEqual([503, "unavailable"]);
  expect(proxy.cuts).toBe(1);
  expect(await query(database.url, "SELECT id FROM verification WHERE workspace_id = $1", [workspaceId])).toEqual([]);
  // Over connections that are left it may be closed already.
  proxy.accept();
  await until("the reserve is closed", 30_000, async () => (await reserves()).length === 0);
  expect((await start()).status).toBe(201);
});
