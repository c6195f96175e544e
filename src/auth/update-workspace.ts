import type { Queryable } from "../database/database.ts";
import type { RevocationService } from "../revocation/revocation-service.ts";
import { normalizeIpAllowlist } from "../rpc/ip-allowlist.ts";
import { getWorkspace, type Workspace } from "./get-workspace.ts";
import { workspaceSubject } from "./subjects.ts";

/** What is to be from now on. What is left out stays as it is, and nothing becomes null. */
export interface WorkspaceChanges {
  readonly name?: string;
  readonly ipAllowlist?: readonly string[];
}

const update = {
  name: "update_workspace",
  text: `
    UPDATE workspace SET name = coalesce($2, name), ip_allowlist = coalesce($3, ip_allowlist)
    WHERE id = $1 AND deactivated_at IS NULL`,
};

/** Changes a workspace. When it returns, every server goes by what it is now, for calls under way too. */
export async function updateWorkspace(
  deps: { readonly database: Queryable; readonly revocation: Pick<RevocationService, "revoke"> },
  id: string,
  { name, ipAllowlist }: WorkspaceChanges,
): Promise<Workspace> {
  const ranges = ipAllowlist && normalizeIpAllowlist(ipAllowlist, "workspace.ip_allowlist");
  await deps.revocation.revoke([workspaceSubject(id)], (transaction) =>
    transaction.query(update, [id, name ?? null, ranges ?? null]),
  );
  return getWorkspace(deps, id);
}
