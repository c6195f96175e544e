/** Webhooks over every protocol, and what becomes of them with their workspace. */
import pg from "pg";
import { describe, expect, test, vi } from "vitest";
import { minutesUntilErased } from "../../../src/capabilities/accounts/accounts.policy.ts";
import { password, useTestApp } from "../../support/app.ts";
import { type Protocol, protocols } from "../../support/protocols.ts";
import { Receiver } from "./receiver.ts";

const app = useTestApp(
  { webhookDestinations: { allowedNetworks: [], allowsLoopback: true } },
  { sweepIntervalMs: 100 },
);

describe.each(protocols)("over $name", (protocol: Protocol) => {
  test("an endpoint lives: created, listed, read, changed, tested, given a new secret, deleted", async () => {
    const receiver = await Receiver.start();
    const key = await app.mintKey({ mode: "test", scopes: ["webhooks"] });
    const call = (rpc: Parameters<Protocol["call"]>[1], input: Readonly<Record<string, unknown>>) =>
      protocol.call(app, rpc, input, { key });

    const created = await call("CreateWebhook", { url: receiver.url, events: ["api_key.created"] });
    expect(created).toMatchObject({ code: "ok", body: { events: ["api_key.created"], mode: "test", enabled: true } });
    const { id, secret } = created.body;
    const shown = { ...created.body };
    delete shown.secret;
    expect((await call("ListWebhooks", {})).body.webhooks).toEqual([shown]);
    expect((await call("GetWebhook", { id })).body).toEqual(shown);
    expect((await call("UpdateWebhook", { id, description: "changed" })).body).toEqual({
      ...shown,
      description: "changed",
    });
    expect((await call("TestWebhook", { id })).body).toMatchObject({ succeeded: true, response_status: 200 });
    const rotated = await call("RotateWebhookSecret", { id, grace_seconds: 60 });
    expect(rotated.body.secret).not.toBe(secret);
    expect((await call("ListWebhookDeliveries", { id })).body.deliveries).toEqual([]);
    const unknown = { id, delivery_id: "dlv_0123456789abcdefghijkl" };
    expect((await call("RedeliverWebhook", unknown)).code).toBe("not_found");
    expect((await call("DeleteWebhook", { id })).body).toEqual({ id, deleted: true });
    expect((await call("GetWebhook", { id })).code).toBe("not_found");
  });

  test("an unrestricted key is refused", async () => {
    const key = await app.mintKey({ mode: "test" });
    expect((await protocol.call(app, "ListWebhooks", {}, { key })).code).toBe("insufficient_scope");
  });
});

test("with a workspace go its endpoints, secrets, deliveries and messages", async () => {
  const receiver = await Receiver.start();
  receiver.behaviour = 500;
  const { session, workspaceId } = await app.signUp();
  await app.rest("POST", "/webhooks", { session, body: { url: receiver.url } });
  await app.rest("POST", "/api-keys", { session, body: { name: "an event" } });
  await receiver.got(1);
  const deleted = await app.rest("POST", "/auth/delete-account", { session, body: { password } });
  expect(deleted.status).toBe(200);
  await app.time.advance({ seconds: 60 * minutesUntilErased });
  const client = new pg.Client({ connectionString: app.databaseUrl });
  await client.connect();
  try {
    await vi.waitFor(
      async () => {
        const { rows } = await client.query(
          `SELECT
             (SELECT count(*)::int FROM webhook_endpoint WHERE workspace_id = $1) AS endpoints,
             (SELECT count(*)::int FROM webhook_secret AS secret
              WHERE NOT EXISTS (SELECT FROM webhook_endpoint WHERE id = secret.endpoint_id)) AS secrets,
             (SELECT count(*)::int FROM webhook_delivery WHERE workspace_id = $1) AS deliveries,
             (SELECT count(*)::int FROM outbox WHERE workspace_id = $1) AS messages`,
          [workspaceId],
        );
        expect(rows).toEqual([{ endpoints: 0, secrets: 0, deliveries: 0, messages: 0 }]);
      },
      { timeout: 20_000 },
    );
  } finally {
    await client.end();
  }
  expect(receiver.types).toEqual(["api_key.created"]);
});
