import type { QueryableTables } from "../../database/database.ts";
import { AppError } from "../../errors.ts";
import type { StoredTemplate, TemplateTables } from "./message-template.entity.ts";
import type { TemplateKey } from "./template-content.ts";

/** Reads a template. Undefined: there is none. */
export async function readTemplate(
  database: QueryableTables,
  { workspaceId, mode, channel, locale }: TemplateKey,
): Promise<StoredTemplate | undefined> {
  const [template] = await database.query((tables: TemplateTables) =>
    tables
      .selectFrom("message_template")
      .selectAll()
      .where("workspaceId", "=", workspaceId)
      .where("mode", "=", mode)
      .where("channel", "=", channel)
      .where("locale", "=", locale),
  );
  return template;
}

/** The same. Throws `not_found`. */
export async function getTemplate(
  { database }: { readonly database: QueryableTables },
  key: TemplateKey,
): Promise<StoredTemplate> {
  const template = await readTemplate(database, key);
  if (template === undefined) {
    throw templateNotFound();
  }
  return template;
}

export function templateNotFound(): AppError {
  return new AppError("not_found", "There is no template of this channel and locale.");
}
