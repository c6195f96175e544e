import type { Tier } from "../../access/tiers.ts";
import type { Queryable } from "../../database/database.ts";
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

/** SQL of what `workspaceOfRow` takes. */
export const workspaceColumns = "id, name, tier, ip_allowlist, created_at";

const read = {
  name: "read_workspace",
  text: `SELECT ${workspaceColumns} FROM workspace WHERE id = $1 AND deactivated_at IS NULL`,
};

export type WorkspaceRow = {
  readonly id: string;
  readonly name: string;
  readonly tier: Tier;
  readonly ip_allowlist: readonly string[] | null;
  readonly created_at: Date;
};

/** A workspace that was not shut down. Throws `not_found` for others. */
export async function getWorkspace({ database }: { readonly database: Queryable }, id: string): Promise<Workspace> {
  const [row] = await database.query<WorkspaceRow>(read, [id]);
  if (row === undefined) {
    throw accountNotFound();
  }
  return workspaceOfRow(row);
}

export function workspaceOfRow({ id, name, tier, ip_allowlist, created_at }: WorkspaceRow): Workspace {
  return { id, name, tier, ipAllowlist: ip_allowlist, createdAt: created_at };
}
