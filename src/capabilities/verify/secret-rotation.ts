import { setTimeout as pause } from "node:timers/promises";
import { CommandError } from "../../capability.ts";
import { type Keyring, seal, unseal } from "../../crypto/keyring.ts";
import { maxCounted, type SealedRows, type UsedSecret } from "../../crypto/master-secret-use.ts";
import { change, type Database, type Queryable } from "../../database/database.ts";
import { array, bytea, nullable, type Placeholders, statement, text, timestamptz } from "../../database/statement.ts";
import { sealApproval, unsealApproval } from "./approval.ts";
import { erasure } from "./erase-recipient.ts";
import { exactIndex, exactOfAddress, recipientContext, secondRecipientContext } from "./recipient.ts";

/** The parameters of `rowsOfSecret`. */
const usedSecret = { id: text, from: timestamptz, until: timestamptz };

/**
 * SQL of the rows that have a recipient sealed with the secret. The times, and the predicate that is true of all rows, let it use the index
 * on `created_at`, so that it does not read the whole table.
 */
const rowsOfSecret = (p: Placeholders<typeof usedSecret>) => `
  FROM verification
  WHERE created_at >= ${p.from} AND created_at <= ${p.until} AND created_at < 'infinity' AND (
    (secret_id = ${p.id} AND recipient_sealed IS NOT NULL)
    OR substring(second_recipient_sealed FROM 1 FOR 4) = decode(${p.id}, 'hex')
  )`;

const count = statement<{ rows: number; newest: Date | null }>("count_rows_of_secret")(
  usedSecret,
  (p) => `
    SELECT
      (SELECT count(*) FROM (SELECT 1 ${rowsOfSecret(p)} ORDER BY created_at DESC LIMIT ${maxCounted}) AS rows)::integer AS rows,
      (SELECT created_at ${rowsOfSecret(p)} ORDER BY created_at DESC LIMIT 1) AS newest`,
);

const eraseBatchSize = 500;

const erase = statement<{ erased: number; newest: Date | null }>("erase_rows_of_secret")(
  usedSecret,
  (p) => `
    WITH due AS (
      SELECT workspace_id, id, created_at ${rowsOfSecret(p)} ORDER BY created_at LIMIT ${eraseBatchSize} FOR UPDATE
    ), erased AS (
      UPDATE verification SET ${erasure} FROM due
      WHERE verification.workspace_id = due.workspace_id AND verification.id = due.id
      RETURNING due.created_at
    ), given_up AS (
      UPDATE outbox SET
        payload_sealed = NULL,
        status = CASE status WHEN 'pending' THEN 'expired' ELSE status END,
        finished_at = coalesce(finished_at, byond_now())
      FROM due WHERE outbox.workspace_id = due.workspace_id AND outbox.subject_id = due.id
    )
    SELECT count(*)::integer AS erased, max(created_at) AS newest FROM erased`,
);

/** Small, so that no call waits noticeably for a row. */
const resealBatchSize = 200;

/**
 * Pending rows are not resealed until they end, which takes minutes: their code is derived from the old secret, and so are the
 * indexes under which wrong codes are counted.
 */
const hasEnded = "NOT (status = 'pending' AND expires_at > byond_now())";

const readBatch = statement<SealedRow>("read_rows_to_reseal")(
  { ...usedSecret, afterWorkspaceId: text, afterId: text },
  (p) => `
    SELECT workspace_id, id, created_at, recipient_sealed, second_recipient_sealed, end_user_sealed, approval_sealed
    ${rowsOfSecret(p)} AND ${hasEnded}
      AND (created_at, workspace_id, id) > (${p.from}, ${p.afterWorkspaceId}, ${p.afterId})
    ORDER BY created_at, workspace_id, id LIMIT ${resealBatchSize}
    FOR UPDATE SKIP LOCKED`,
);

interface SealedRow {
  readonly workspaceId: string;
  readonly id: string;
  readonly createdAt: Date;
  readonly recipientSealed: Buffer | null;
  readonly secondRecipientSealed: Buffer | null;
  readonly endUserSealed: Buffer | null;
  readonly approvalSealed: Buffer | null;
}

/**
 * `limit_indexes` becomes an empty list, `approval_index` null, and the device is forgotten: only pending verifications count wrong codes and
 * sends, and are checked.
 */
const writeBatch = statement("write_resealed_rows")(
  {
    secretId: text,
    workspaceIds: array(text),
    ids: array(text),
    recipientsSealed: array(nullable(bytea)),
    recipientIndexes: array(nullable(text)),
    secondRecipientsSealed: array(nullable(bytea)),
    secondRecipientIndexes: array(nullable(text)),
    endUsersSealed: array(nullable(bytea)),
    approvalsSealed: array(nullable(bytea)),
  },
  (p) => `
    UPDATE verification SET
      secret_id = ${p.secretId},
      recipient_sealed = resealed.recipient_sealed, recipient_index = resealed.recipient_index,
      second_recipient_sealed = resealed.second_recipient_sealed,
      second_recipient_index = resealed.second_recipient_index,
      end_user_sealed = resealed.end_user_sealed,
      device_indexes = NULL,
      approval_sealed = resealed.approval_sealed, approval_index = NULL,
      limit_indexes = CASE WHEN limit_indexes IS NOT NULL THEN ARRAY[]::text[] END
    FROM unnest(
      ${p.workspaceIds}, ${p.ids}, ${p.recipientsSealed}, ${p.recipientIndexes}, ${p.secondRecipientsSealed},
      ${p.secondRecipientIndexes}, ${p.endUsersSealed}, ${p.approvalsSealed}
    ) AS resealed (
      workspace_id, id, recipient_sealed, recipient_index, second_recipient_sealed, second_recipient_index, end_user_sealed,
      approval_sealed
    )
    WHERE verification.workspace_id = resealed.workspace_id AND verification.id = resealed.id`,
);

/** The rows that are left: whether some have ended (meanwhile, or locked by others), and when the last pending one expires. */
const readLeft = statement<{ hasEnded: boolean | null; until: Date | null }>("read_rows_left_to_reseal")(
  usedSecret,
  (p) => `
    SELECT bool_or(${hasEnded}) AS has_ended, max(expires_at) FILTER (WHERE NOT (${hasEnded})) AS until
    ${rowsOfSecret(p)}`,
);

/** Passes in which others had locked every row that was left. */
const maxIdlePasses = 20;
const idlePauseMs = 500;

/**
 * Reseals the recipients and end users of verifications that have ended, and their indexes, with the current secret. Works in
 * batches while servers run: a server that knows both secrets can find and read a row before and after.
 */
const resealRecipients: SealedRows["reseal"] = async (database, keyring, secret, onProgress) => {
  for (let idlePasses = 0; idlePasses < maxIdlePasses; ) {
    const count = await resealOnce(database, keyring, secret, onProgress);
    const [left] = await database.transaction((transaction) => transaction.run(readLeft, secret));
    if (left?.hasEnded !== true) {
      return left?.until ?? undefined;
    }
    if (count === 0) {
      idlePasses += 1;
      await pause(idlePauseMs);
    }
  }
  throw new CommandError("Some rows are held by other transactions all the time: run the command again.");
};

/** Reseals all rows once, except those that others have locked. Returns the number of resealed rows. */
async function resealOnce(
  database: Pick<Database, "transaction">,
  keyring: Keyring,
  { id, from, until }: UsedSecret,
  onProgress: (rows: number) => void,
): Promise<number> {
  let count = 0;
  let after = { from, afterWorkspaceId: "", afterId: "" };
  for (;;) {
    const rows = await database.transaction((transaction) =>
      resealBatch(transaction, keyring, { id, until, ...after }),
    );
    count += rows.length;
    onProgress(rows.length);
    const last = rows.at(-1);
    if (last === undefined || rows.length < resealBatchSize) {
      return count;
    }
    after = { from: last.createdAt, afterWorkspaceId: last.workspaceId, afterId: last.id };
  }
}

async function resealBatch(
  transaction: Queryable,
  keyring: Keyring,
  values: Parameters<typeof readBatch.bind>[0],
): Promise<readonly SealedRow[]> {
  const rows = await transaction.run(readBatch, values);
  const resealed = rows.map((row) => resealRow(keyring, row));
  await transaction.run(writeBatch, {
    secretId: keyring.current.id,
    workspaceIds: rows.map(({ workspaceId }) => workspaceId),
    ids: rows.map((row) => row.id),
    recipientsSealed: resealed.map(({ first }) => first?.sealed ?? null),
    recipientIndexes: resealed.map(({ first }) => first?.index ?? null),
    secondRecipientsSealed: resealed.map(({ second }) => second?.sealed ?? null),
    secondRecipientIndexes: resealed.map(({ second }) => second?.index ?? null),
    endUsersSealed: resealed.map(({ endUserSealed }) => endUserSealed),
    approvalsSealed: resealed.map(({ approvalSealed }) => approvalSealed),
  });
  return rows;
}

/** Drops what is sealed with a secret that the keyring does not have. The command refuses to run if there are such rows. */
function resealRow(
  keyring: Keyring,
  { workspaceId, id, recipientSealed, secondRecipientSealed, endUserSealed, approvalSealed }: SealedRow,
) {
  const context = recipientContext(workspaceId, id);
  const approval = unsealApproval(keyring, workspaceId, id, approvalSealed);
  const endUserKey = endUserSealed === null ? undefined : unseal(keyring, "end-user-seal", context, endUserSealed);
  return {
    first: resealRecipient(keyring, context, recipientSealed),
    second: resealRecipient(keyring, secondRecipientContext(workspaceId, id), secondRecipientSealed),
    endUserSealed: endUserKey === undefined ? null : seal(keyring, "end-user-seal", context, endUserKey),
    approvalSealed: approval === null ? null : sealApproval(keyring, workspaceId, id, approval),
  };
}

function resealRecipient(keyring: Keyring, context: string, sealed: Buffer | null) {
  const address = sealed === null ? undefined : unseal(keyring, "recipient-seal", context, sealed);
  return address === undefined
    ? undefined
    : {
        sealed: seal(keyring, "recipient-seal", context, address),
        index: exactIndex(keyring.current, exactOfAddress(address)),
      };
}

/** The recipients of verifications, which are kept for `retentionDays` after the start. */
export function sealedRecipients({ retentionDays }: { readonly retentionDays: number }): SealedRows {
  return {
    async describe(database, { id, from, until }) {
      const [found] = await database.run(count, { id, from, until });
      if (found === undefined || found.newest === null) {
        return undefined;
      }
      const rows = found.rows < maxCounted ? `${found.rows}` : `${maxCounted} or more`;
      const lastDay = new Date(found.newest.getTime() + retentionDays * 86_400_000).toISOString().slice(0, 10);
      return `${rows} verifications hold recipients that nobody can find or erase without it, until ${lastDay} (RETENTION_DAYS=${retentionDays})`;
    },

    reseal: resealRecipients,

    async erase(database, { id, from, until }) {
      let total = 0;
      let earliest = from;
      for (;;) {
        const [row] = await change(database, erase, { id, from: earliest, until });
        total += row?.erased ?? 0;
        if (row === undefined || row.erased < eraseBatchSize) {
          return total;
        }
        earliest = row.newest ?? earliest;
      }
    },
  };
}
