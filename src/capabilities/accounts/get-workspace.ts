import type { Tier } from "../../access/tiers.ts";
import type { Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import { accountNotFound } from "./find-account.ts";

/** What keys and verifications belong to. */
export interface Workspace {
  readonly id: string;
  readonly name: string;
  readonly tier: Tier;
  /** Null: all addresses. */
  readonly ipAllowlist: readonly string[] | null;
  readonly createdAt: Date;
}

/** SQL of a `Workspace`. */
export const workspaceColumns = "id, name, tier, ip_allowlist, created_at";

const read = statement<Workspace>("read_workspace")(
  { id: text },
  (p) => `SELECT ${workspaceColumns} FROM workspace WHERE id = ${p.id} AND deactivated_at IS NULL`,
);

/** A workspace that was not shut down. Throws `not_found` for others. */
export async function getWorkspace({ database }: { readonly database: Queryable }, id: string): Promise<Workspace> {
  const [workspace] = await database.run(read, { id });
  if (workspace === undefined) {
    throw accountNotFound();
  }
  return workspace;
}
