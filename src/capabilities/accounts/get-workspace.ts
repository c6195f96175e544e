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

const read = {
  name: "read_workspace",
  text: "SELECT name, tier, ip_allowlist, created_at FROM workspace WHERE id = $1 AND deactivated_at IS NULL",
};

interface Row {
  readonly name: string;
  readonly tier: Tier;
  readonly ip_allowlist: readonly string[] | null;
  readonly created_at: Date;
}

/** A workspace that was not shut down. Throws `not_found` for others. */
export async function getWorkspace({ database }: { readonly database: Queryable }, id: string): Promise<Workspace> {
  const [row] = await database.query<Row & Record<string, unknown>>(read, [id]);
  if (row === undefined) {
    throw accountNotFound();
  }
  return { id, name: row.name, tier: row.tier, ipAllowlist: row.ip_allowlist, createdAt: row.created_at };
}
