import { credentialOf, type SessionCaller } from "../../access/caller.ts";
import { normalizeIpAllowlist } from "../../access/ip-allowlist.ts";
import type { Queryable } from "../../database/database.ts";
import { array, nullable, statement, text } from "../../database/statement.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { workspaceSubject } from "../../revocation/revocation-subjects.ts";
import { accountNotFound } from "./find-account.ts";
import { type Workspace, workspaceColumns } from "./get-workspace.ts";

/** What is to be from now on. What is left out stays as it is, and nothing becomes null. */
export interface WorkspaceChanges {
  readonly name?: string;
  readonly ipAllowlist?: readonly string[];
}

const update = statement<Workspace>("update_workspace")(
  { id: text, name: nullable(text), ipAllowlist: nullable(array(text)) },
  (p) => `
    UPDATE workspace SET
      name = coalesce(${p.name}, name),
      ip_allowlist = coalesce(${p.ipAllowlist}, ip_allowlist),
      revision = revision + (${p.ipAllowlist} IS NOT NULL)::integer
    WHERE id = ${p.id} AND deactivated_at IS NULL
    RETURNING ${workspaceColumns}`,
);

/**
 * Changes the caller's workspace. When it returns, every server goes by what it is now, for calls under way too. Throws
 * `invalid_api_key` if the session was ended meanwhile. `beforeCommit` runs in the transaction.
 */
export async function updateWorkspace(
  deps: { readonly revocation: Pick<RevocationService, "revoke"> },
  caller: SessionCaller,
  { name, ipAllowlist }: WorkspaceChanges,
  beforeCommit: (transaction: Queryable, workspace: Workspace) => Promise<void>,
): Promise<Workspace> {
  const ranges = ipAllowlist && normalizeIpAllowlist(ipAllowlist, "workspace.ip_allowlist");
  const { workspaceId: id } = caller;
  const change = async (transaction: Queryable) => {
    const [workspace] = await transaction.run(update, { id, name: name ?? null, ipAllowlist: ranges ?? null });
    if (workspace !== undefined) {
      await beforeCommit(transaction, workspace);
    }
    return workspace;
  };
  const workspace = await deps.revocation.revoke([workspaceSubject(id)], change, { credential: credentialOf(caller) });
  if (workspace === undefined) {
    // Sessions end with their workspace, and the credential was asked after the change.
    throw accountNotFound();
  }
  return workspace;
}
