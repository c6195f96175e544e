import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import type { WorkspaceEntity } from "../../access/workspace.entity.ts";
import type { TablesOf } from "../../database/table-query.ts";

/** A text of a workspace's own for the messages of a channel in a language, as it was written. */
export const MessageTemplateEntity = defineEntity({
  name: "MessageTemplate",
  tableName: "message_template",
  properties: {
    workspaceId: p.text().primary(),
    mode: p.enum(["live", "test"]).primary(),
    channel: p.enum(["email", "sms", "voice"]).primary(),
    /** A BCP 47 tag in canonical form, or `default`. */
    locale: p.text().primary(),
    subject: p.text().nullable(),
    text: p.text(),
    html: p.text().nullable(),
    logo: p.blob().nullable(),
    /** `#rrggbb`. */
    backgroundColor: p.text().nullable(),
    textColor: p.text().nullable(),
    accentColor: p.text().nullable(),
    updatedAt: p.datetime(),
  },
});

export type StoredTemplate = InferEntity<typeof MessageTemplateEntity>;

/** The table, and the workspaces that templates belong to. */
export type TemplateTables = TablesOf<typeof MessageTemplateEntity | typeof WorkspaceEntity>;
