import type { Mode } from "../../../access/caller.ts";
import { isId } from "../../../crypto/ids.ts";
import type { Keyring } from "../../../crypto/keyring.ts";
import type { Queryable } from "../../../database/database.ts";
import { statement, text } from "../../../database/statement.ts";
import { AppError } from "../../../errors.ts";
import { type LookupRow, type LookupView, lookupView } from "./lookup-view.ts";

const read = statement<LookupRow>("read_lookup")(
  { workspaceId: text, mode: text, id: text },
  (p) => `
    SELECT id, sealed, created_at FROM lookup
    WHERE workspace_id = ${p.workspaceId} AND id = ${p.id} AND mode || '' = ${p.mode}`,
);

/** A lookup of the history. Throws `not_found` if the workspace has no such lookup in this mode. */
export async function getLookup(
  { database, keyring }: { readonly database: Queryable; readonly keyring: Keyring },
  { workspaceId, mode, id }: { readonly workspaceId: string; readonly mode: Mode; readonly id: string },
): Promise<LookupView> {
  const [row] = isId("lkp", id) ? await database.run(read, { workspaceId, mode, id }) : [];
  if (row === undefined) {
    throw new AppError("not_found", "There is no lookup with this id.");
  }
  return lookupView(keyring, workspaceId, row);
}
