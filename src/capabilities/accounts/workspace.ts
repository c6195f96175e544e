import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { InferResult } from "kysely";
import { IpAllowlistSchema } from "../../../gen/byond/v1/api_key_pb.ts";
import {
  Tier as TierMessage,
  type UpdateWorkspaceRequest,
  WorkspaceChangesSchema,
} from "../../../gen/byond/v1/auth_pb.ts";
import { credentialOf, type SessionCaller } from "../../access/caller.ts";
import { ipAllowlistProblems, normalizeIpAllowlist } from "../../access/ip-allowlist.ts";
import type { Tier } from "../../access/tiers.ts";
import type { QueryableTables } from "../../database/database.ts";
import { problemOf } from "../../errors.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { workspaceSubject } from "../../revocation/revocation-subjects.ts";
import { namedChanges, updateMaskProblems } from "../../rpc/update-mask.ts";
import { senderNameProblem } from "../../text/display-name-rules.ts";
import type { AccountTables } from "./account-tables.ts";
import { accountNotFound } from "./find-account.ts";

const columns = ["id", "name", "tier", "ipAllowlist", "createdAt", "lookupHistory"] as const;

const selectWorkspace = (tables: AccountTables, id: string) =>
  tables.selectFrom("workspace").select(columns).where("id", "=", id).where("deactivatedAt", "is", null);

/** What keys and verifications belong to. */
export type Workspace = Readonly<InferResult<ReturnType<typeof selectWorkspace>>[number]>;

/** A workspace. Throws `not_found` if it was shut down. */
export async function getWorkspace(
  { database }: { readonly database: QueryableTables },
  id: string,
): Promise<Workspace> {
  const [workspace] = await database.query((tables: AccountTables) => selectWorkspace(tables, id));
  if (workspace === undefined) {
    throw accountNotFound();
  }
  return workspace;
}

/** New values. Fields that are left out stay as they are; none becomes null. */
export interface WorkspaceChanges {
  readonly name?: string;
  readonly ipAllowlist?: readonly string[];
  readonly lookupHistory?: boolean;
}

/**
 * Changes the caller's workspace. When it returns, the change holds on every server, for calls in flight too. Throws
 * `invalid_api_key` if the session was ended meanwhile. `beforeCommit` runs in the transaction.
 */
export async function updateWorkspace(
  deps: { readonly revocation: Pick<RevocationService, "revoke"> },
  caller: SessionCaller,
  { name, ipAllowlist, lookupHistory }: WorkspaceChanges,
  beforeCommit: (transaction: QueryableTables, workspace: Workspace) => Promise<void>,
): Promise<Workspace> {
  const ranges = ipAllowlist && normalizeIpAllowlist(ipAllowlist, "workspace.ip_allowlist");
  const { workspaceId: id } = caller;
  const change = async (transaction: QueryableTables) => {
    const [workspace] = await transaction.query((tables: AccountTables) =>
      tables
        .updateTable("workspace")
        .set((eb) => ({
          name,
          lookupHistory,
          ipAllowlist: ranges,
          revision: eb("revision", "+", ranges === undefined ? 0 : 1),
        }))
        .where("id", "=", id)
        .where("deactivatedAt", "is", null)
        .returning(columns),
    );
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

/** A workspace as a message. */
export function workspaceMessage({ id, name, tier, ipAllowlist, createdAt, lookupHistory }: Workspace) {
  return {
    id,
    name,
    tier: tiers[tier],
    ...(ipAllowlist === null ? {} : { ipAllowlist: create(IpAllowlistSchema, { ranges: [...ipAllowlist] }) }),
    createdAt: timestampFromDate(createdAt),
    lookupHistory,
  };
}

/** The changes that a request names, as the operation takes them. */
export function workspaceChangesOf(request: UpdateWorkspaceRequest): WorkspaceChanges {
  const { name, ipAllowlist, lookupHistory } = namedChanges(updateOf(request));
  return {
    ...(name !== undefined && { name }),
    ...(ipAllowlist !== undefined && { ipAllowlist: ipAllowlist.ranges }),
    ...(lookupHistory !== undefined && { lookupHistory }),
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
