import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { IpAllowlistSchema } from "../../../gen/byond/v1/api_key_pb.ts";
import {
  Tier as TierMessage,
  type UpdateWorkspaceRequest,
  WorkspaceChangesSchema,
} from "../../../gen/byond/v1/auth_pb.ts";
import { ipAllowlistProblems } from "../../access/ip-allowlist.ts";
import type { Tier } from "../../access/tiers.ts";
import { problemOf } from "../../errors.ts";
import { namedChanges, updateMaskProblems } from "../../rpc/update-mask.ts";
import { senderNameProblem } from "../../text/display-name-rules.ts";
import type { Workspace } from "./get-workspace.ts";
import type { WorkspaceChanges } from "./update-workspace.ts";

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
