/** Verifications of which a message failed: whether they count as started for the range of the number. */
import { expect, test } from "vitest";
import { noAccount, useFallbackFixture } from "../capabilities/verify/fallback-fixture.ts";
import { rowsOf } from "../capabilities/verify/verify-calls.ts";

const use = useFallbackFixture();

async function eventsAreNumbered(): Promise<void> {
  for (let moved = 1; moved > 0; ) {
    const [row] = await rowsOf(use.app, "SELECT moved FROM number_events(0, 1000)");
    moved = Number(row?.moved);
  }
}

/** Started, failed and approved verifications of the range, once all events have a position. */
async function counted(): Promise<number[]> {
  await eventsAreNumbered();
  const text = `
    SELECT sum(started)::int AS started, sum(failed)::int AS failed, sum(approved)::int AS approved
    FROM guard_count WHERE workspace_id = $1 AND number_range = '+65912x'`;
  const [row] = await rowsOf(use.app, text, [use.workspaceId]);
  return [row?.started ?? 0, row?.failed ?? 0, row?.approved ?? 0].map(Number);
}

/** What was counted since. */
const since = async (before: readonly number[]) => (await counted()).map((count, at) => count - (before[at] ?? 0));

async function resend(id: string, channel: string): Promise<void> {
  const { status } = await use.app.rest("POST", `/verify/${id}/resend`, { key: use.key, body: { channel } });
  expect(status).toBe(200);
}

/** Starts a verification whose first message fails. */
async function startThatFails(
  fallback: readonly object[],
): Promise<{ readonly id: string; readonly recipient: string }> {
  const recipient = use.phone();
  use.whatsapp.troubles.set(recipient, [noAccount]);
  const { body } = await use.start({ recipient, fallback });
  return { id: body.verification_id, recipient };
}

test("the next message to the number takes a failure back, its own sets it again, and the code that is entered takes it back", async () => {
  const before = await counted();
  const { id, recipient } = await startThatFails([]);
  await use.untilDelivery(id, 0, "failed");
  expect(await since(before)).toEqual([1, 1, 0]);
  use.sms.answer = { status: 400 };
  await resend(id, "sms");
  await use.untilDelivery(id, 1, "failed");
  expect(await since(before)).toEqual([1, 1, 0]);
  use.sms.answer = { status: 200 };
  await resend(id, "sms");
  await use.untilDelivery(id, 2, "sent");
  expect(await since(before)).toEqual([1, 0, 0]);
  const code = use.textsTo(recipient).at(-1);
  await use.app.rest("POST", "/verify/check", { key: use.key, body: { verification_id: id, code } });
  expect(await since(before)).toEqual([1, 0, 1]);
});

test("so it is when each event gets its position by itself, and when all get theirs at once", async () => {
  const before = await counted();
  const { id } = await startThatFails([{ channel: "sms" }]);
  await use.untilSteps(id, ["taken"]);
  await use.untilDelivery(id, 1, "sent");
  for (let moved = 1; moved > 0; ) {
    const [row] = await rowsOf(use.app, "SELECT moved FROM number_events(0, 1)");
    moved = Number(row?.moved);
  }
  expect(await since(before)).toEqual([1, 0, 0]);
  use.sms.answer = { status: 400 };
  const { id: other } = await startThatFails([{ channel: "sms" }]);
  await use.untilDelivery(other, 1, "failed");
  use.sms.answer = { status: 200 };
  expect(await since(before)).toEqual([2, 1, 0]);
});

test("a message that the provider accepted is paid for: a report that it failed does not hide the start", async () => {
  const before = await counted();
  const recipient = use.phone();
  const { body } = await use.start({ recipient, fallback: [] });
  await use.report(recipient, "failed", 131_026);
  await use.untilDelivery(body.verification_id, 0, "failed");
  expect(await since(before)).toEqual([1, 0, 0]);
});

test("a range is blocked although the first message of each verification fails", async () => {
  const recipient = "+4915120000001";
  const { body } = await use.start({ channel: "sms", recipient, fallback: [] });
  await use.untilDelivery(body.verification_id, 0, "sent");
  const code = use.textsTo(recipient).at(-1);
  await use.app.rest("POST", "/verify/check", { key: use.key, body: { verification_id: body.verification_id, code } });
  for (let round = 0; round < 20; round += 1) {
    const { id } = await startThatFails([{ channel: "sms" }]);
    await use.untilDelivery(id, 1, "sent");
  }
  await eventsAreNumbered();
  await use.app.time.advance({ seconds: 180 });
  await use.start({ channel: "sms", recipient: use.phone(), fallback: [] });
  await eventsAreNumbered();
  const { body: refused } = await use.start({ channel: "sms", recipient: use.phone(), fallback: [] });
  expect(refused.error?.code).toBe("recipient_blocked");
});
