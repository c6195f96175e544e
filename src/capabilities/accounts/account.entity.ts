import { defineEntity, p } from "@mikro-orm/core";
import { WorkspaceEntity } from "../../access/workspace.entity.ts";

/** A person who signs in, with the workspace that is theirs. Only verified addresses are unique. */
export const AccountEntity = defineEntity({
  name: "Account",
  tableName: "account",
  properties: {
    id: p.text().primary(),
    workspaceId: p
      .manyToOne(WorkspaceEntity)
      .mapToPk()
      .fieldNames("workspace_id")
      .index(false)
      .foreignKeyName("account_workspace_id_fkey"),
    email: p.text(),
    /** The verification whose code was sent last. */
    emailVerificationId: p.text().nullable(),
    emailVerifiedAt: p.datetime().nullable(),
    passwordHash: p.text(),
    /** When its user last chose it: replacing an outdated hash does not count. */
    passwordSetAt: p.datetime().defaultRaw("byond_now()"),
    name: p.text(),
    /** Raised to end every session at once. */
    tokenRevision: p.integer().default(0),
    createdAt: p.datetime(),
    /** When an unverified account ends. */
    endsAt: p.datetime().nullable(),
    /** When its owner was warned of the end. */
    endAnnouncedAt: p.datetime().nullable(),
  },
  indexes: [
    { name: "account_of_workspace", properties: "workspaceId" },
    { name: "account_by_email", properties: "email" },
    { name: "account_to_announce", properties: "endsAt", where: "end_announced_at IS NULL AND ends_at IS NOT NULL" },
    { name: "account_to_end", properties: "endsAt", where: "end_announced_at IS NOT NULL" },
  ],
  uniques: [{ name: "account_verified_email", properties: "email", where: "email_verified_at IS NOT NULL" }],
});
