import type pg from "pg";
import { expect } from "vitest";
import { slotMinutes } from "../../src/capabilities/reports/reports.policy.ts";
import { until } from "./load.ts";

/** What an SQL query counts. */
export async function countOf(client: pg.Client, text: string): Promise<number> {
  return Number((await client.query(text)).rows[0]?.count);
}

/**
 * Charges, messages and usage agree: each message has one charge and each charge a message, what a provider took is paid for, what is
 * refunded was not recorded as sent. `sentIds` are the messages that the provider took.
 */
export async function checkCharges(client: pg.Client, sentIds: ReadonlySet<string>) {
  const count = (text: string) => countOf(client, text);
  const references = async (kind: string): Promise<ReadonlySet<string>> => {
    const { rows } = await client.query("SELECT reference FROM ledger_entry WHERE kind = $1", [kind]);
    return new Set(rows.map(({ reference }) => reference));
  };
  const message = "kind <> 'verification_fallback' AND workspace_id IN (SELECT workspace_id FROM wallet)";
  expect(
    await count(`SELECT count(*) FROM outbox WHERE ${message} AND NOT EXISTS (
      SELECT FROM ledger_entry AS charge
      WHERE charge.workspace_id = outbox.workspace_id AND reference = outbox.id AND kind = 'charge'
    )`),
  ).toBe(0);
  expect(
    await count(`SELECT count(*) FROM ledger_entry AS charge WHERE kind = 'charge' AND item <> 'lookup' AND NOT EXISTS (
      SELECT FROM outbox WHERE outbox.workspace_id = charge.workspace_id AND outbox.id = reference
        AND coalesce(charged_to, charge.reserve_id) = charge.reserve_id
    )`),
  ).toBe(0);
  // Once each, whatever the reserve.
  for (const kind of ["charge", "refund", "top_up"]) {
    const repeated = await count(
      `SELECT count(*) - count(DISTINCT (workspace_id, reference)) AS count FROM ledger_entry WHERE kind = '${kind}'`,
    );
    expect([kind, repeated]).toEqual([kind, 0]);
  }
  expect(
    await count(`SELECT count(*) FROM ledger_entry AS refund WHERE kind = 'refund' AND NOT EXISTS (
      SELECT FROM ledger_entry AS charge WHERE charge.kind = 'charge' AND charge.workspace_id = refund.workspace_id
        AND charge.reserve_id = refund.reserve_id AND charge.reference = refund.reference AND charge.amount = refund.amount
    )`),
  ).toBe(0);
  // No reserve was charged for more than it had.
  expect(
    await count(`SELECT count(*) FROM (
      SELECT FROM ledger_entry WHERE reserve_id <> '' GROUP BY workspace_id, reserve_id
      HAVING sum(CASE kind WHEN 'reserve' THEN amount WHEN 'refund' THEN 0 ELSE -amount END) < 0
    ) AS overdrawn`),
  ).toBe(0);
  expect(
    await count(`SELECT count(*) FROM outbox JOIN ledger_entry AS refund
      ON refund.workspace_id = outbox.workspace_id AND reference = outbox.id AND refund.kind = 'refund' WHERE outbox.status = 'sent'`),
  ).toBe(0);
  const charged = await references("charge");
  const refunded = await references("refund");
  expect([...sentIds].filter((id) => !charged.has(id))).toEqual([]);
  const sentUncharged = [...sentIds].filter((id) => refunded.has(id)).length;
  expect(sentUncharged).toBe(0);
  return { charges: charged.size, refunds: refunded.size, sentUncharged };
}

/**
 * The usage is what was recorded as sent, and what lookups were charged for. A message that a provider took is missing from it only if its
 * server was killed before that was recorded, and no other one sent it again. Whoever claims a message after that no longer refunds it.
 */
export async function checkUsage(client: pg.Client, lookupPrice: number, sentIds: ReadonlySet<string>) {
  const messages = await countOf(
    client,
    "SELECT coalesce(sum(number), 0) AS count FROM usage_day WHERE channel <> '' AND workspace_id IN (SELECT workspace_id FROM wallet)",
  );
  const wasSent = "(state IN ('sent', 'delivered', 'read') OR failed_at IS NOT NULL)";
  expect(messages).toBe(
    await countOf(
      client,
      `SELECT count(*) FROM (
        SELECT outbox_id FROM delivery_attempt WHERE ${wasSent} AND workspace_id IN (SELECT workspace_id FROM wallet)
        UNION SELECT id FROM outbox WHERE is_counted AND workspace_id IN (SELECT workspace_id FROM wallet)
      ) AS message`,
    ),
  );
  const unrecorded = `FROM outbox WHERE id = ANY ('{${[...sentIds].join()}}') AND NOT EXISTS (
    SELECT FROM delivery_attempt AS attempt WHERE attempt.outbox_id = outbox.id AND ${wasSent}
  )`;
  await until("the server that had claimed it counts as gone", 100_000, async () => {
    const isGone = "(charged_to IS NULL OR NOT outbox_claimant_lives(claimed_by))";
    const explained = `status IN ('failed', 'expired') AND ${isGone}`;
    return (await countOf(client, `SELECT count(*) ${unrecorded} AND (${explained}) IS NOT TRUE`)) === 0;
  });
  const unrecordedMessages = await countOf(client, `SELECT count(*) ${unrecorded}`);
  const lookups = await countOf(
    client,
    "SELECT coalesce(sum(number), 0) AS count FROM usage_day WHERE channel = '' AND workspace_id IN (SELECT workspace_id FROM wallet)",
  );
  expect(lookups * lookupPrice).toBe(
    await countOf(client, "SELECT coalesce(sum(amount), 0) AS count FROM ledger_entry WHERE item = 'lookup'"),
  );
  return { messages, unrecordedMessages, lookups };
}

/**
 * Reports have what was charged for messages and did not come back, once each verification has ended. What comes back while this is asked
 * is noted, and subtracted within a minute.
 */
export async function checkReports(client: pg.Client): Promise<void> {
  await client.query("UPDATE verification SET status = 'expired' WHERE status = 'pending'");
  await until(
    "every event has its position, and prices that came back late are subtracted",
    150_000,
    async () =>
      (await countOf(
        client,
        "SELECT (SELECT count(*) FROM event_pending) + (SELECT count(*) FROM verification_refund) AS count",
      )) === 0,
  );
  for (const minutes of Object.values(slotMinutes)) {
    const beyondLedger = await countOf(
      client,
      `SELECT
        (SELECT coalesce(sum(cost), 0) FROM verification_slot WHERE minutes = ${minutes})
        - (SELECT coalesce(sum(amount), 0) FROM verification_refund)
        - (
          SELECT sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END) FROM ledger_entry
          WHERE kind IN ('charge', 'refund') AND subject_id IS NOT NULL
        ) AS count`,
    );
    expect([minutes, beyondLedger]).toEqual([minutes, 0]);
  }
}
