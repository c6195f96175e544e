import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Channels, createChannels } from "../../../src/capabilities/channels/channels.ts";
import type { OutboxItem } from "../../../src/outbox/outbox.ts";
import type { DeliveryWorker } from "../../../src/outbox/worker.ts";
import { useOutbox } from "../../outbox/outbox-fixture.ts";
import { querySql } from "../../support/sql.ts";
import { codeMessage } from "./messages.ts";
import { SmtpSink, smtpError } from "./smtp-sink.ts";

/** The whole way of a mail: outbox, worker, channel, a real mail server that misbehaves. */
const use = useOutbox();
let sink: SmtpSink;
let channels: Channels;
let worker: DeliveryWorker;

beforeEach(async () => {
  ended = 0;
  sink = await SmtpSink.open();
  channels = createChannels({ clock: use.outbox.clock, smtp: { url: sink.url, from: "no-reply@acme.example" } });
  worker = use.outbox.server("a", send, { lanes: channels.lanes });
});
afterEach(async () => {
  channels.close();
  await sink.close();
});

let underWay = 0;
let ended = 0;

/** The recipient tells which message it was. */
async function send(item: OutboxItem, signal: AbortSignal) {
  const { createdAt, expiresAt } = item;
  const message = codeMessage({ recipient: `${item.id}@example.com`, createdAt, expiresAt });
  underWay += 1;
  const result = await channels.send(message, { idempotencyKey: item.id, signal });
  underWay -= 1;
  ended += 1;
  return result;
}

async function start(count: number, ttlMs = 300_000): Promise<OutboxItem[]> {
  const items: OutboxItem[] = [];
  for (let number = 0; number < count; number += 1) {
    const item = await use.outbox.write("a", { lane: "email", ttlMs });
    worker.dispatch(item);
    items.push(item);
  }
  return items;
}

/** Lets time go by, second by second, with the worker looking for due messages. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    await attemptsToEnd();
    await use.outbox.clock.advance(1_000);
    await worker.poll();
  }
  await attemptsToEnd();
}

/** Messages may still be waiting then, for a pause to be over. */
async function attemptsToEnd(): Promise<void> {
  await vi.waitFor(() => expect(underWay).toBe(0), { interval: 2, timeout: 10_000 });
  // A retry is due by the time at which its attempt is recorded.
  await vi.waitFor(async () => expect(await recordedAttempts()).toBe(ended), { interval: 2, timeout: 10_000 });
  await worker.poll();
}

async function recordedAttempts(): Promise<number | undefined> {
  const text = "SELECT count(*)::integer AS count FROM delivery_attempt WHERE workspace_id = $1";
  const { database, workspaceId } = use.outbox;
  const [row] = await querySql<{ count: number }>(database, { name: "test_recorded", text }, [workspaceId]);
  return row?.count;
}

async function statuses(items: readonly OutboxItem[]) {
  const states = await Promise.all(items.map((item) => use.outbox.state(item)));
  return states.map((state) => state?.status);
}

const recipients = () => sink.mails.flatMap((mail) => mail.to).sort();
const addresses = (items: readonly OutboxItem[]) => items.map((item) => `${item.id}@example.com`).sort();

describe("a mail server that", () => {
  test("is down for twenty seconds gets every mail once afterwards", async () => {
    const { port } = sink;
    await sink.close();
    const items = await start(30);
    await pass(20);
    expect(new Set(await statuses(items))).toEqual(new Set(["pending"]));
    sink = await SmtpSink.open({}, port);
    await pass(25);
    await worker.idle();
    expect(await statuses(items)).toEqual(items.map(() => "sent"));
    expect(recipients()).toEqual(addresses(items));
    const attempts = await use.outbox.attempts(items[0] ?? fail());
    expect(attempts.at(-1)).toMatchObject({ state: "sent" });
    expect(attempts.slice(0, -1).every((attempt) => attempt.error === "the mail server cannot be reached")).toBe(true);
    // The pauses spared it: thirty messages that each try on their own would have come to more than a hundred.
    const all = await Promise.all(items.map((item) => use.outbox.attempts(item)));
    expect(all.flat().length).toBeLessThan(60);
  });

  test("is slow gets every mail, at most ten at once", async () => {
    let current = 0;
    let most = 0;
    const held: (() => void)[] = [];
    sink.behaviour.onData = async () => {
      current += 1;
      most = Math.max(most, current);
      await new Promise<void>((resolve) => held.push(resolve));
      current -= 1;
    };
    const items = await start(25);
    for (const _ of items) {
      await vi.waitFor(() => expect(held.length).toBeGreaterThan(0), { interval: 5 });
      held.shift()?.();
    }
    await worker.idle();
    expect(most).toBeLessThanOrEqual(10);
    expect(recipients()).toEqual(addresses(items));
    expect(await statuses(items)).toEqual(items.map(() => "sent"));
  });

  test("refuses a recipient ends that message only", async () => {
    const [refused, ...others] = await start(3);
    const address = `${refused?.id}@example.com`;
    sink.behaviour.onRecipient = (recipient) => {
      if (recipient === address) {
        throw smtpError(550, `5.1.1 ${recipient} unknown`);
      }
    };
    await worker.idle();
    expect(await use.outbox.state(refused ?? fail())).toMatchObject({
      status: "failed",
      attempts: 1,
      last_error: "the mail server answered 550 5.1.1 to RCPT TO",
    });
    expect(await statuses(others)).toEqual(["sent", "sent"]);
  });

  test("greylists takes the mail at the second attempt", async () => {
    const seen = new Set<string>();
    sink.behaviour.onRecipient = (recipient) => {
      if (!seen.has(recipient)) {
        seen.add(recipient);
        throw smtpError(451, "4.7.1 greylisted");
      }
    };
    // More than five: it is not the mail server that fails.
    const items = await start(8);
    await pass(2);
    await worker.idle();
    expect(await statuses(items)).toEqual(items.map(() => "sent"));
    expect(await use.outbox.attempts(items[0] ?? fail())).toMatchObject([
      { state: "retried", error: "the mail server answered 451 4.7.1 to RCPT TO" },
      { state: "sent" },
    ]);
    expect(use.outbox.log.lines.join("")).not.toContain("provider_paused");
  });

  test("disconnects in the middle of a mail gets it again, once", async () => {
    let breaks = 3;
    sink.behaviour.onData = (destroy) => {
      if (breaks > 0) {
        breaks -= 1;
        destroy();
      }
    };
    const items = await start(1);
    await pass(8);
    await worker.idle();
    expect(await statuses(items)).toEqual(["sent"]);
    expect(recipients()).toEqual(addresses(items));
    expect((await use.outbox.attempts(items[0] ?? fail())).map((attempt) => attempt.state)).toEqual([
      "retried",
      "retried",
      "retried",
      "sent",
    ]);
  });

  test("comes back after the codes have expired gets no mail", async () => {
    const { port } = sink;
    await sink.close();
    const items = await start(10, 30_000);
    await pass(31);
    sink = await SmtpSink.open({}, port);
    await pass(10);
    await worker.idle();
    expect(sink.mails).toHaveLength(0);
    expect(await statuses(items)).toEqual(items.map(() => "expired"));
  });
});

test("no recipient and no code reaches the log or the database in the clear", async () => {
  sink.behaviour.onRecipient = (recipient) => {
    throw smtpError(550, `5.1.1 ${recipient} does not want 493817`);
  };
  const items = await start(2);
  await worker.idle();
  const rows = await querySql(
    use.outbox.database,
    { name: "test_dump_1", text: "SELECT o::text FROM outbox AS o" },
    [],
  );
  const attempts = await querySql(
    use.outbox.database,
    { name: "test_dump_2", text: "SELECT a::text FROM delivery_attempt AS a" },
    [],
  );
  expect(rows.length).toBe(items.length);
  const everything = JSON.stringify([rows, attempts]) + use.outbox.log.lines.join("");
  expect(everything).toContain("550 5.1.1");
  expect(everything).not.toMatch(/@example\.com|493817/);
});

function fail(): never {
  throw new Error("there is no such message");
}
