import type { Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";

/** A balance: what can be spent. */
export interface Balance {
  readonly total: bigint;
  /** The part of it that servers hold for messages to come. */
  readonly reserved: bigint;
}

/** One snapshot: what moves from one part to another is in one of them. */
const read = statement<{ wallet: string; refunded: string; reserved: string }>("read_balance")(
  { workspaceId: text },
  (p) => `
    SELECT
      coalesce((SELECT balance FROM wallet WHERE workspace_id = ${p.workspaceId}), 0)::bigint AS wallet,
      coalesce((
        SELECT sum(amount) FROM ledger_entry WHERE workspace_id = ${p.workspaceId} AND NOT is_counted
      ), 0)::bigint AS refunded,
      coalesce((
        SELECT sum(reserve.amount - charged.amount)
        FROM spend_reserve AS reserve, LATERAL (
          SELECT coalesce(sum(amount), 0) AS amount FROM ledger_entry
          WHERE workspace_id = ${p.workspaceId} AND reserve_id = reserve.id AND kind = 'charge'
          OFFSET 0
        ) AS charged
        WHERE reserve.workspace_id = ${p.workspaceId}
      ), 0)::bigint AS reserved`,
);

export async function readBalance(
  { database }: { readonly database: Queryable },
  workspaceId: string,
): Promise<Balance> {
  const [row] = await database.run(read, { workspaceId });
  const { wallet, refunded, reserved } = row ?? { wallet: "0", refunded: "0", reserved: "0" };
  return { total: BigInt(wallet) + BigInt(refunded) + BigInt(reserved), reserved: BigInt(reserved) };
}
