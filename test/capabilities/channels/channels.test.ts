import { describe, expect, test } from "vitest";
import { channelOfLane, createChannels, laneOf } from "../../../src/capabilities/channels/channels.ts";
import { Inbox } from "../../../src/capabilities/channels/inbox/inbox.ts";
import type { ChannelName } from "../../../src/capabilities/channels/outgoing-message.ts";
import { LocalState } from "../../../src/workers/shared-state.ts";
import { codeMessage, fixedNow } from "./messages.ts";

const clock = { now: () => fixedNow };
const names: readonly ChannelName[] = ["sms", "voice", "whatsapp", "email"];
const smtp = { url: "smtp://127.0.0.1:1", from: "Acme <no-reply@acme.example>" };
const attempt = { idempotencyKey: "dlv_1", signal: new AbortController().signal };

function available(options: Omit<Parameters<typeof createChannels>[0], "clock">, mode: "live" | "test") {
  const channels = createChannels({ clock, ...options });
  const list = names.filter((name) => channels.isAvailable(name, mode));
  channels.close();
  return list;
}

describe("what can be sent", () => {
  test("live: no channel without a provider or an inbox", () => {
    expect(available({}, "live")).toEqual([]);
    expect(available({ sandbox: new Inbox(clock, new LocalState()) }, "live")).toEqual([]);
  });
  test("live: mail and WhatsApp with an inbox", () => {
    expect(available({ substitute: new Inbox(clock, new LocalState()) }, "live")).toEqual(["whatsapp", "email"]);
  });
  test("live: mail with a mail server", () => {
    expect(available({ smtp }, "live")).toEqual(["email"]);
  });
  test("sandbox: mail and WhatsApp, always", () => {
    expect(available({}, "test")).toEqual(["whatsapp", "email"]);
  });
});

describe("the sandbox", () => {
  test("lands in the inbox even when a mail server is set", async () => {
    const inbox = new Inbox(clock, new LocalState());
    const channels = createChannels({ clock, smtp, sandbox: inbox });
    const result = await channels.send(codeMessage({ mode: "test" }), attempt);
    expect(result).toEqual({ kind: "sent", providerMessageId: "dlv_1", providerName: "sandbox" });
    expect(await inbox.listAll()).toHaveLength(1);
    channels.close();
  });

  test("is dropped and counts as sent if there is no inbox", async () => {
    const channels = createChannels({ clock });
    expect(await channels.send(codeMessage({ mode: "test" }), attempt)).toMatchObject({ kind: "sent" });
  });
});

test("a message for a channel without a provider fails without a retry", async () => {
  const result = await createChannels({ clock }).send(codeMessage({ channel: "sms" }), attempt);
  expect(result).toEqual({ kind: "failed", reason: "the channel has no provider", provider: "unknown" });
});

test("every channel has a lane of its own, and its sandbox another", () => {
  const lanes = names.flatMap((name) => [laneOf(name, "live"), laneOf(name, "test")]);
  expect(new Set(lanes).size).toBe(8);
  expect(Object.keys(createChannels({ clock }).lanes).sort()).toEqual(lanes.sort());
  expect(names.map((name) => channelOfLane(laneOf(name, "test")))).toEqual(names);
  expect(channelOfLane("webhook")).toBeUndefined();
});

describe("the inbox", () => {
  test("shows a mail with subject, text and HTML", async () => {
    const inbox = new Inbox(clock, new LocalState());
    await inbox.send(codeMessage(), attempt);
    expect(await inbox.listAll()).toEqual([
      {
        id: "dlv_1",
        channel: "email",
        recipient: "jane@example.com",
        subject: "Your Acme verification code",
        code: "493817",
        text: expect.stringContaining("493817"),
        html: expect.stringContaining("493817"),
        created_at: "2026-03-01T12:00:00Z",
      },
    ]);
  });

  test("shows other channels with a short text only", async () => {
    const inbox = new Inbox(clock, new LocalState());
    await inbox.send(codeMessage({ channel: "whatsapp", recipient: "+6591234567" }), attempt);
    expect(await inbox.listAll()).toMatchObject([
      {
        channel: "whatsapp",
        subject: null,
        html: null,
        text: "493817 is your Acme verification code. It expires in 5 minutes. Do not share it.",
      },
    ]);
  });

  test("shows each workspace its own messages, by mode, and nobody the server's", async () => {
    const inbox = new Inbox(clock, new LocalState());
    await inbox.add("dlv_1", codeMessage());
    await inbox.add("dlv_2", codeMessage({ mode: "test" }));
    await inbox.add("dlv_3", codeMessage({ workspaceId: "ws_2" }));
    await inbox.add("dlv_4", codeMessage({ workspaceId: "ws_byond" }));
    await inbox.add("dlv_5", codeMessage());
    const idsOf = async (workspaceId: string, mode: "live" | "test") =>
      (await inbox.listOf({ workspaceId, mode })).map(({ id }) => id);
    expect(await idsOf("ws_1", "live")).toEqual(["dlv_5", "dlv_1"]);
    expect(await idsOf("ws_1", "test")).toEqual(["dlv_2"]);
    expect(await idsOf("ws_2", "live")).toEqual(["dlv_3"]);
    expect(await idsOf("ws_2", "test")).toEqual([]);
    expect((await inbox.listAll()).map(({ id }) => id)).toEqual(["dlv_5", "dlv_4", "dlv_3", "dlv_2", "dlv_1"]);
  });

  test("keeps the newest hundred messages, each once, newest first", async () => {
    const inbox = new Inbox(clock, new LocalState());
    for (let number = 1; number <= 101; number += 1) {
      await inbox.add(`dlv_${number}`, codeMessage());
    }
    await inbox.add("dlv_101", codeMessage());
    const ids = (await inbox.listAll()).map((message) => message.id);
    expect(ids).toHaveLength(100);
    expect([ids[0], ids[99]]).toEqual(["dlv_101", "dlv_2"]);
  });
});
