/** Verifications whose codes go to a number and to a mail address: what counts for the range of the number. */
import pg from "pg";
import { expect, onTestFinished, test, vi } from "vitest";
import { noAccount, useFallbackFixture } from "../capabilities/verify/fallback-fixture.ts";
import { codeIn, messagesTo, rowsOf } from "../capabilities/verify/verify-calls.ts";

const use = useFallbackFixture();
const mailOf = (recipient: string) => `two-${recipient.slice(1)}@example.com`;
const codeOfMail = async (recipient: string) => codeIn((await messagesTo(use.app, mailOf(recipient), 1))[0]);

/** A check of the code, which is right. */
async function enter(id: string, code: string | undefined): Promise<void> {
  const { body } = await use.app.rest("POST", "/verify/check", { key: use.key, body: { verification_id: id, code } });
  expect(body.status).toBe("approved");
}

async function resend(id: string, channel: string, recipient?: string): Promise<void> {
  const body = recipient === undefined ? { channel } : { channel, recipient };
  expect((await use.app.rest("POST", `/verify/${id}/resend`, { key: use.key, body })).status).toBe(200);
}

/** What is counted for the range in the half minute of a test, once all events have a position. */
async function counted() {
  for (let moved = 1; moved > 0; ) {
    const [row] = await rowsOf(use.app, "SELECT moved FROM number_events(0, 1000)");
    moved = Number(row?.moved);
  }
  const text = `
    SELECT sum(started)::int AS started, sum(failed)::int AS failed, sum(approved)::int AS approved
    FROM guard_count WHERE workspace_id = $1 AND number_range = '+65912x'`;
  const [row] = await rowsOf(use.app, text, [use.workspaceId]);
  return [row?.started ?? 0, row?.failed ?? 0, row?.approved ?? 0].map(Number);
}

/** What a test adds to the started, failed and approved verifications of the range. */
async function added(work: (recipient: string) => Promise<void>): Promise<number[]> {
  const before = await counted();
  await work(use.phone());
  return (await counted()).map((count, index) => count - (before[index] ?? 0));
}

/** Has the mail of a verification fail, once that it was sent has a position. */
const mailHasFailed = `
  INSERT INTO event_pending (workspace_id, mode, type, subject_id, created_at, snapshot)
  SELECT workspace_id, mode, 'verification.delivery_failed', subject_id, created_at, snapshot
  FROM event WHERE subject_id = $1 AND type = 'verification.delivered' AND snapshot ->> 'message' = (
    SELECT id FROM outbox WHERE subject_id = $1 AND lane = 'email'
  )
  RETURNING 1`;

const byMail = (recipient: string, channel = "sms") =>
  use.start({ channel: "email", recipient: mailOf(recipient), fallback: [{ channel, recipient }] });

test("a code that came by mail says nothing of the number of the fallback, to which none was sent", async () => {
  const counts = await added(async (recipient) => {
    const { body } = await byMail(recipient);
    await enter(body.verification_id, await codeOfMail(recipient));
  });
  expect(counts).toEqual([0, 0, 0]);
});

test("a resend to the number is a start of its range, once, and the code that is entered then counts", async () => {
  const counts = await added(async (recipient) => {
    const { body } = await byMail(recipient);
    await resend(body.verification_id, "sms");
    await use.untilDelivery(body.verification_id, 1, "sent");
    expect(await counted()).toEqual([1, 0, 0]);
    await resend(body.verification_id, "sms");
    await enter(body.verification_id, use.textsTo(recipient)[0]);
  });
  expect(counts).toEqual([1, 0, 1]);
});

test("so is a resend to a number that the start did not name, also before the start itself is counted", async () => {
  const counts = await added(async (recipient) => {
    const { body } = await use.start({ channel: "email", recipient: mailOf(recipient), fallback: [] });
    await resend(body.verification_id, "sms", recipient);
  });
  expect(counts).toEqual([1, 0, 0]);
});

test("a start of which the code was last sent by mail counts, and its approval does not", async () => {
  const counts = await added(async (recipient) => {
    const { body } = await use.start({ channel: "sms", recipient, fallback: [] });
    await use.untilDelivery(body.verification_id, 0, "sent");
    await resend(body.verification_id, "email", mailOf(recipient));
    await enter(body.verification_id, await codeOfMail(recipient));
  });
  expect(counts).toEqual([1, 0, 0]);
});

test("a message to the number that failed is no start of its range, even if the code came by mail then", async () => {
  const counts = await added(async (recipient) => {
    use.whatsapp.troubles.set(recipient, [noAccount]);
    const email = mailOf(recipient);
    const { body } = await use.start({ recipient, fallback: [{ channel: "email", recipient: email }] });
    await use.untilSteps(body.verification_id, ["taken"]);
    await enter(body.verification_id, await codeOfMail(recipient));
  });
  expect(counts).toEqual([1, 1, 0]);
});

test("a code that came by mail is not entered for a number whose message the provider refused", async () => {
  const counts = await added(async (recipient) => {
    const { body } = await use.start({ channel: "email", recipient: mailOf(recipient), fallback: [] });
    use.sms.answer = { status: 422 };
    await resend(body.verification_id, "sms", recipient);
    await use.untilDelivery(body.verification_id, 1, "failed");
    use.sms.answer = { status: 200 };
    await enter(body.verification_id, await codeOfMail(recipient));
  });
  expect(counts).toEqual([1, 1, 0]);
});

test("a code that came to the number is entered for it, although a mail that came later was refused", async () => {
  for (const isCountedBetween of [true, false]) {
    const counts = await added(async (recipient) => {
      const { body } = await use.start({ channel: "sms", recipient, fallback: [] });
      const id = body.verification_id;
      await use.untilDelivery(id, 0, "sent");
      await resend(id, "email", mailOf(recipient));
      await use.untilDelivery(id, 1, "sent");
      await counted();
      // As if the mail server had refused it.
      await rowsOf(
        use.app,
        "UPDATE outbox SET status = 'failed' WHERE subject_id = $1 AND lane = 'email' RETURNING 1",
        [id],
      );
      await rowsOf(use.app, mailHasFailed, [id]);
      if (isCountedBetween) {
        await counted();
      }
      await enter(id, use.textsTo(recipient)[0]);
    });
    expect(counts).toEqual([1, 0, 1]);
  }
});

test("a message to the number that fails after the code was entered does not take the approval back", async () => {
  const counts = await added(async (recipient) => {
    const before = await counted();
    const { body } = await use.start({ channel: "email", recipient: mailOf(recipient), fallback: [] });
    const id = body.verification_id;
    use.sms.answer = "hang up";
    await resend(id, "sms", recipient);
    await vi.waitFor(() => expect(use.textsTo(recipient)).not.toEqual([]), 10_000);
    await enter(id, use.textsTo(recipient)[0]);
    expect(await counted()).toEqual([1, 0, 1].map((count, index) => count + (before[index] ?? 0)));
    use.sms.answer = { status: 200 };
    await use.app.time.advance({ seconds: 2 });
    await use.untilDelivery(id, 1, "failed");
  });
  expect(counts).toEqual([1, 0, 1]);
});

test("an approval counts although the recipient is erased before it is counted; one by mail does not, even so", async () => {
  // Numbering waits until the recipient is erased.
  const connection = new pg.Client(use.app.databaseUrl);
  await connection.connect();
  onTestFinished(() => connection.end());
  const enterAndErase = async (recipient: string, id: string, code: string | undefined) => {
    await counted();
    await connection.query("SELECT pg_advisory_lock(7269341953)");
    await enter(id, code);
    const answer = await use.app.rest("POST", "/verifications/erase", { key: use.key, body: { recipient } });
    expect(answer.body.erased).toBe(1);
    await connection.query("SELECT pg_advisory_unlock(7269341953)");
  };
  const ofNumber = await added(async (recipient) => {
    const { body } = await use.start({ channel: "sms", recipient, fallback: [] });
    await use.untilDelivery(body.verification_id, 0, "sent");
    await enterAndErase(recipient, body.verification_id, use.textsTo(recipient)[0]);
  });
  const ofMail = await added(async (recipient) => {
    const { body } = await use.start({ channel: "sms", recipient, fallback: [] });
    await use.untilDelivery(body.verification_id, 0, "sent");
    await resend(body.verification_id, "email", mailOf(recipient));
    await enterAndErase(recipient, body.verification_id, await codeOfMail(recipient));
  });
  expect([ofNumber, ofMail]).toEqual([
    [1, 0, 1],
    [1, 0, 0],
  ]);
});

test("a mail that failed says nothing of the number", async () => {
  const counts = await added(async (recipient) => {
    const { body } = await use.start({ channel: "sms", recipient, fallback: [] });
    await use.untilDelivery(body.verification_id, 0, "sent");
    await resend(body.verification_id, "email", mailOf(recipient));
    await use.untilDelivery(body.verification_id, 1, "sent");
    await counted();
    expect(await rowsOf(use.app, mailHasFailed, [body.verification_id])).toHaveLength(1);
  });
  expect(counts).toEqual([1, 0, 0]);
});

test("a step of a fallback is a start of the range when it is taken", async () => {
  const counts = await added(async (recipient) => {
    const { body } = await byMail(recipient);
    const id = body.verification_id;
    await use.untilSteps(id, ["skipped: delivered"]);
    // The mail comes back.
    await rowsOf(use.app, "UPDATE delivery_attempt SET state = 'failed' WHERE subject_id = $1 RETURNING 1", [id]);
    await use.untilSteps(id, ["taken"]);
    await vi.waitFor(() => expect(use.textsTo(recipient)).toHaveLength(1), 10_000);
    await enter(id, use.textsTo(recipient)[0]);
  });
  expect(counts).toEqual([1, 0, 1]);
});
