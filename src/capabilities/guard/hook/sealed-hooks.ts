import { maxCounted, type SealedRows } from "../../../crypto/master-secret-use.ts";
import { array, bytea, nullable, statement, text } from "../../../database/statement.ts";
import { resealHookSecret } from "./guard-hook.ts";

const batchSize = 500;

const count = statement<{ count: number }>("count_guard_hooks_of_secret")(
  { secretId: text },
  (p) => `
    SELECT count(*)::integer AS count FROM (
      SELECT FROM guard_setting WHERE hook_secret_id = ${p.secretId} LIMIT ${maxCounted}
    ) AS sealed`,
);

const readBatch = statement<{ workspaceId: string; sealed: Buffer }>("read_guard_hooks_to_reseal")(
  { secretId: text },
  (p) => `
    SELECT workspace_id, hook_secret_sealed AS sealed FROM guard_setting WHERE hook_secret_id = ${p.secretId}
    ORDER BY workspace_id LIMIT ${batchSize} FOR UPDATE`,
);

/** A hook whose secret nobody can read is removed. */
const writeBatch = statement("write_resealed_guard_hooks")(
  { secretId: text, workspaceIds: array(text), sealed: array(nullable(bytea)) },
  (p) => `
    UPDATE guard_setting SET
      version = version + 1,
      hook_url = CASE WHEN resealed.sealed IS NOT NULL THEN hook_url END,
      hook_on_failure = CASE WHEN resealed.sealed IS NOT NULL THEN hook_on_failure END,
      hook_secret_id = CASE WHEN resealed.sealed IS NOT NULL THEN ${p.secretId} END,
      hook_secret_sealed = resealed.sealed
    FROM unnest(${p.workspaceIds}, ${p.sealed}) AS resealed (workspace_id, sealed)
    WHERE guard_setting.workspace_id = resealed.workspace_id`,
);

const erase = statement<{ workspaceId: string }>("erase_guard_hooks_of_secret")(
  { secretId: text },
  (p) => `
    UPDATE guard_setting SET
      version = version + 1, hook_url = NULL, hook_on_failure = NULL, hook_secret_id = NULL, hook_secret_sealed = NULL
    WHERE hook_secret_id = ${p.secretId}
    RETURNING workspace_id`,
);

/** The secrets of hooks, which sign what they are asked. */
export const sealedHooks: SealedRows = {
  async describe(database, { id }) {
    const [found] = await database.run(count, { secretId: id });
    const hooks = found?.count ?? 0;
    return hooks === 0
      ? undefined
      : `${hooks < maxCounted ? hooks : `${maxCounted} or more`} hooks of the fraud guard cannot be asked without it`;
  },

  async reseal(database, keyring, { id }, onProgress) {
    for (;;) {
      const rows = await database.transaction(async (transaction) => {
        const found = await transaction.run(readBatch, { secretId: id });
        await transaction.run(writeBatch, {
          secretId: keyring.current.id,
          workspaceIds: found.map(({ workspaceId }) => workspaceId),
          sealed: found.map(({ workspaceId, sealed }) => resealHookSecret(keyring, workspaceId, sealed)),
        });
        return found.length;
      });
      onProgress(rows);
      if (rows < batchSize) {
        return undefined;
      }
    }
  },

  async erase(database, { id }) {
    return (await database.transaction((transaction) => transaction.run(erase, { secretId: id }))).length;
  },
};
