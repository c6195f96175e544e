import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createAdapter, type Message, type Outcome, reportDelivery } from "../../../docs/provider-adapter/adapter.ts";
import { createAdapterProvider } from "../../../src/capabilities/channels/adapter/adapter.ts";
import { adapterCallback } from "../../../src/capabilities/channels/adapter/adapter-callback.ts";
import { HttpFake } from "./http-fake.ts";
import { codeMessage, fixedNow } from "./messages.ts";

/** The example adapter, talked to by the channel that it is an example for. */
let adapter: Server;
let url: string;
let outcome: Outcome;
let delivered: Message[];
let nowMs: number;
const clock = { now: () => fixedNow, monotonicMs: () => 0 };

beforeEach(async () => {
  delivered = [];
  outcome = { kind: "accepted", messageId: "carrier-1" };
  nowMs = fixedNow.getTime();
  adapter = createAdapter({
    secret: "shared secret",
    now: () => nowMs,
    deliver: async (message) => {
      delivered.push(message);
      return outcome;
    },
  });
  adapter.listen(0, "127.0.0.1");
  await once(adapter, "listening");
  url = `http://127.0.0.1:${(adapter.address() as AddressInfo).port}/`;
});
afterEach(() => {
  adapter.closeAllConnections();
  adapter.close();
});

function send(secret = "shared secret", idempotencyKey = "dlv_1") {
  const channel = createAdapterProvider({ url, secret }, { name: "adapter", clock });
  const message = codeMessage({ channel: "sms", recipient: "+6591234567" });
  return channel.send(message, { idempotencyKey, signal: new AbortController().signal });
}

describe("the example adapter", () => {
  test("delivers a message", async () => {
    expect(await send()).toEqual({ kind: "sent", providerMessageId: "carrier-1" });
    expect(delivered).toMatchObject([{ id: "dlv_1", channel: "sms", recipient: "+6591234567", code: "493817" }]);
  });

  test("says whether it reports deliveries, and whether a number can never receive messages", async () => {
    outcome = { kind: "accepted", messageId: "carrier-1", reportsDelivery: true };
    expect(await send()).toEqual({ kind: "sent", providerMessageId: "carrier-1", awaitsReceipt: true });
    outcome = { kind: "refused", error: "landline", undeliverable: true };
    expect(await send("shared secret", "dlv_2")).toMatchObject({ kind: "failed", undeliverable: true });
  });

  test("reports a delivery as the channel reads it, and says whether to do it again", async () => {
    const received: unknown[] = [];
    let status = 200;
    const read = adapterCallback("shared secret", clock);
    const byond = await HttpFake.open();
    const report = async () => {
      byond.answer = { status };
      const wasTaken = await reportDelivery(
        `${byond.url}/webhooks/sms/adapter`,
        "shared secret",
        { message_id: "carrier-1", status: "failed", error: "landline", undeliverable: true },
        nowMs,
      );
      const request = byond.requests.at(-1);
      const header = (name: string) => request?.headers[name]?.toString();
      const body = Buffer.from(request?.body ?? "");
      received.push(await read({ url: "", query: new URLSearchParams(), header, body }));
      return wasTaken;
    };
    expect(await report()).toBe(true);
    status = 503;
    expect(await report()).toBe(false);
    const receipt = {
      messageId: "carrier-1",
      state: "failed",
      at: fixedNow,
      error: "the provider could not deliver the message (landline)",
      undeliverable: true,
    };
    await byond.close();
    expect(received).toEqual(Array(2).fill({ kind: "receipts", receipts: [receipt] }));
  });

  test("delivers a repeated message once", async () => {
    await Promise.all([send(), send(), send()]);
    await send();
    await send("shared secret", "dlv_2");
    expect(delivered.map((message) => message.id)).toEqual(["dlv_1", "dlv_2"]);
  });

  test("takes a message again that the carrier could not take", async () => {
    outcome = { kind: "unavailable", retryAfterSeconds: 2 };
    expect(await send()).toMatchObject({ kind: "retry", afterMs: 2_000 });
    outcome = { kind: "accepted", messageId: "carrier-2" };
    expect(await send()).toEqual({ kind: "sent", providerMessageId: "carrier-2" });
  });

  test("tells why the carrier refused", async () => {
    outcome = { kind: "refused", error: "invalid_number" };
    expect(await send()).toEqual({
      kind: "failed",
      reason: "the provider answered 422 (invalid_number)",
      provider: "works",
    });
  });

  test("refuses another secret, and a signature that is too old", async () => {
    expect(await send("another secret")).toMatchObject({ kind: "retry", provider: "fails" });
    nowMs += 300_001;
    expect(await send()).toMatchObject({ kind: "retry", provider: "fails" });
    expect(delivered).toEqual([]);
  });

  test("does not deliver an expired code", async () => {
    nowMs += 300_000;
    expect(await send()).toEqual({ kind: "failed", reason: "the provider answered 422 (expired)", provider: "works" });
  });
});
