import { isId } from "../../crypto/ids.ts";
import { change, type Database, type Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import { AppError } from "../../errors.ts";
import { type HeldCredential, heldCredential, requireCredential } from "../../revocation/held-credential.ts";

/** How much a workspace or one of its keys may spend in a day or a month of UTC. */
export interface SpendCap {
  /** Empty: the cap of the workspace. */
  readonly keyId: string;
  readonly amount: bigint;
  readonly period: "day" | "month";
  /** In the current period. */
  readonly spent: bigint;
  readonly resetsAt: Date;
}

type Row = Omit<SpendCap, "amount" | "spent"> & { readonly amount: string; readonly spent: string };

/** SQL of the columns of a row. What open reserves have is not spent, and what is refunded is not counted yet. */
const columns = (cap: string) => `
  ${cap}.key_id, ${cap}.amount, ${cap}.period,
  coalesce((
    SELECT amount FROM spend_period AS spent
    WHERE spent.workspace_id = ${cap}.workspace_id AND spent.key_id = ${cap}.key_id AND spent.period = ${cap}.period
      AND spent.starts = date_trunc(${cap}.period, byond_now() AT TIME ZONE 'UTC')::date
  ), 0)::bigint
    - spend_set_aside(${cap}.workspace_id, ${cap}.key_id, date_trunc(${cap}.period, byond_now() AT TIME ZONE 'UTC')::date)
    - coalesce((
      SELECT sum(amount) FROM ledger_entry
      WHERE workspace_id = ${cap}.workspace_id AND NOT is_counted AND ${cap}.key_id IN ('', key_id)
        AND day >= date_trunc(${cap}.period, byond_now() AT TIME ZONE 'UTC')::date
    ), 0)::bigint AS spent,
  (date_trunc(${cap}.period, byond_now() AT TIME ZONE 'UTC') + ('1 ' || ${cap}.period)::interval) AT TIME ZONE 'UTC' AS resets_at`;

/** SQL: whether the workspace has this key, and it is not revoked. */
const hasKey = (workspaceId: string, keyId: string) =>
  `EXISTS (SELECT FROM api_key WHERE id = ${keyId} AND workspace_id = ${workspaceId} AND revoked_at IS NULL)`;

const list = statement<Row>("list_spend_caps")(
  { workspaceId: text },
  (p) => `SELECT ${columns("cap")} FROM spend_cap AS cap 
    WHERE cap.workspace_id = ${p.workspaceId} AND (cap.key_id = '' OR ${hasKey(p.workspaceId, "cap.key_id")})
    ORDER BY cap.key_id`,
);

export async function listSpendCaps(
  { database }: { readonly database: Queryable },
  workspaceId: string,
): Promise<readonly SpendCap[]> {
  return (await database.run(list, { workspaceId })).map(capOf);
}

const set = statement<Row & { held: boolean }>("set_spend_cap")(
  { workspaceId: text, keyId: text, period: text, amount: text, credential: heldCredential },
  // The amount is text: with the digits of some currencies it is no safe integer.
  (p) => `
    WITH stored AS (
      INSERT INTO spend_cap AS cap (workspace_id, key_id, period, amount, created_at)
      SELECT ${p.workspaceId}, ${p.keyId}, ${p.period}, ${p.amount}::bigint, date_trunc('milliseconds', byond_now())
      WHERE ${p.keyId} = '' OR ${hasKey(p.workspaceId, p.keyId)}
      ON CONFLICT (workspace_id, key_id) DO UPDATE SET period = excluded.period, amount = excluded.amount
      RETURNING *
    ), checked AS (
      SELECT ${requireCredential(p.credential, { after: [], effect: "stored" })} AS held
    )
    SELECT ${columns("stored")}, checked.held FROM stored, checked`,
);

interface Dependencies {
  readonly database: Pick<Database, "transaction">;
}

/** Whose cap it is: the workspace's, or that of a key. Throws `not_found` for what is no id of a key. */
function keyIdOf(owner: string): string {
  if (owner !== "workspace" && !isId("key", owner)) {
    throw keyNotFound();
  }
  return owner === "workspace" ? "" : owner;
}

const keyNotFound = () => new AppError("not_found", "There is no key with this id.");

/** Sets a cap. Throws `not_found` if the workspace has no such key, and `invalid_api_key` if the credential no longer holds. */
export async function setSpendCap(
  { database }: Dependencies,
  input: { readonly workspaceId: string; readonly owner: string } & Pick<SpendCap, "amount" | "period">,
  credential: HeldCredential,
): Promise<SpendCap> {
  const { workspaceId, owner, period } = input;
  const keyId = keyIdOf(owner);
  const [row] = await change(database, set, { workspaceId, keyId, period, amount: String(input.amount), credential });
  if (row === undefined) {
    throw keyNotFound();
  }
  return capOf(row);
}

const remove = statement<{ removed: number }>("delete_spend_cap")(
  { workspaceId: text, keyId: text, credential: heldCredential },
  (p) => `
    WITH removed AS (
      DELETE FROM spend_cap WHERE workspace_id = ${p.workspaceId} AND key_id = ${p.keyId} RETURNING key_id
    )
    SELECT (SELECT count(*) FROM removed)::integer AS removed,
      ${requireCredential(p.credential, { after: [], effect: "removed" })}`,
);

/** Removes a cap. Throws `not_found` if there is none, and `invalid_api_key` if the credential no longer holds. */
export async function deleteSpendCap(
  { database }: Dependencies,
  { workspaceId, owner }: { readonly workspaceId: string; readonly owner: string },
  credential: HeldCredential,
): Promise<void> {
  const [row] = await change(database, remove, { workspaceId, keyId: keyIdOf(owner), credential });
  if (row === undefined || row.removed === 0) {
    throw new AppError("not_found", "There is no spend cap for this.");
  }
}

function capOf({ keyId, period, resetsAt, ...row }: Row): SpendCap {
  return { keyId, period, resetsAt, amount: BigInt(row.amount), spent: BigInt(row.spent) };
}
