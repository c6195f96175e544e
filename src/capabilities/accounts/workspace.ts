import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { IpAllowlistSchema } from "../../../gen/byond/v1/api_key_pb.ts";
import {
  Tier as TierMessage,
  type UpdateWorkspaceRequest,
  WorkspaceChangesSchema,
} from "../../../gen/byond/v1/auth_pb.ts";
import { credentialOf, type SessionCaller } from "../../access/caller.ts";
import { ipAllowlistProblems, normalizeIpAllowlist } from "../../access/ip-allowlist.ts";
import type { Tier } from "../../access/tiers.ts";
import type { Queryable } from "../../database/database.ts";
import { array, nullable, statement, text } from "../../database/statement.ts";
import { problemOf } from "../../errors.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { workspaceSubject } from "../../revocation/revocation-subjects.ts";
import { namedChanges, updateMaskProblems } from "../../rpc/update-mask.ts";
import { senderNameProblem } from "../../text/display-name-rules.ts";
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

const tiers = {
  starter: TierMessage.STARTER,
  builder: TierMessage.BUILDER,
  scale: TierMessage.SCALE,
  unlimited: TierMessage.UNLIMITED,
} as const satisfies Record<Tier, TierMessage>;

/** A workspace as it is told. */
export function workspaceMessage({ id, name, tier, ipAllowlist, createdAt }: Workspace) {
  return {
    id,
    name,
    tier: tiers[tier],
    ...(ipAllowlist === null ? {} : { ipAllowlist: create(IpAllowlistSchema, { ranges: [...ipAllowlist] }) }),
    createdAt: timestampFromDate(createdAt),
  };
}

/** The changes that a request names, as the operation takes them. */
export function workspaceChangesOf(request: UpdateWorkspaceRequest): WorkspaceChanges {
  const { name, ipAllowlist } = namedChanges(updateOf(request));
  return {
    ...(name !== undefined && { name }),
    ...(ipAllowlist !== undefined && { ipAllowlist: ipAllowlist.ranges }),
  };
}

/** What is wrong with the changes, beyond what the schema says. */
export function workspaceChangesProblems(request: UpdateWorkspaceRequest): Record<string, string> {
  const { name, ipAllowlist } = request.workspace ?? {};
  const ranges = ipAllowlist?.ranges;
  return {
    ...updateMaskProblems(updateOf(request), "workspace", {
      ip_allowlist: 'to allow every address, write ["0.0.0.0/0", "::/0"]',
    }),
    ...problemOf("workspace.name", name === undefined ? undefined : senderNameProblem(name)),
    ...(ranges === undefined ? {} : ipAllowlistProblems(ranges, "workspace.ip_allowlist")),
  };
}

function updateOf({ workspace, updateMask }: UpdateWorkspaceRequest) {
  return { schema: WorkspaceChangesSchema, changes: workspace, mask: updateMask };
}
