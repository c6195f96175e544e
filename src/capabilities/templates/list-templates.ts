import type { Mode } from "../../access/caller.ts";
import type { QueryableTables } from "../../database/database.ts";
import type { StoredTemplate, TemplateTables } from "./message-template.entity.ts";

/** A template without what is long. */
export interface ListedTemplate extends Pick<StoredTemplate, "channel" | "locale" | "text" | "updatedAt"> {
  readonly subject: string | null;
  readonly hasHtml: boolean;
  readonly hasLogo: boolean;
}

/** The templates of a workspace's mode, by channel and locale: there are no more than `maxTemplates`. */
export async function listTemplates(
  { database }: { readonly database: QueryableTables },
  { workspaceId, mode }: { readonly workspaceId: string; readonly mode: Mode },
): Promise<readonly ListedTemplate[]> {
  return database.query((tables: TemplateTables) =>
    tables
      .selectFrom("message_template")
      .select((eb) => [
        "channel",
        "locale",
        "subject",
        "text",
        "updatedAt",
        eb("html", "is not", null).$castTo<boolean>().as("hasHtml"),
        eb("logo", "is not", null).$castTo<boolean>().as("hasLogo"),
      ])
      .where("workspaceId", "=", workspaceId)
      .where("mode", "=", mode)
      .orderBy("channel")
      .orderBy("locale"),
  );
}
