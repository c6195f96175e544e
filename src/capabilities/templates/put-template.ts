import { sql } from "kysely";
import { type Caller, credentialOf } from "../../access/caller.ts";
import type { QueryableTables } from "../../database/database.ts";
import { AppError } from "../../errors.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { templatesSubject } from "../../revocation/revocation-subjects.ts";
import type { TemplateContent } from "./compile-template.ts";
import type { StoredTemplate, TemplateTables } from "./message-template.entity.ts";
import { columnsOf, type TemplateKey } from "./template-content.ts";
import { maxTemplates } from "./templates.policy.ts";

/**
 * Writes a template that was compiled without a problem, in place of the one that there was. When it returns, every server sends it. Throws
 * `limit_reached` if the workspace has as many as it can in this mode, and `invalid_api_key` if the credential no longer holds.
 */
export async function putTemplate(
  { revocation }: { readonly revocation: Pick<RevocationService, "revoke"> },
  caller: Caller,
  key: TemplateKey,
  content: TemplateContent,
): Promise<StoredTemplate> {
  const change = async (transaction: QueryableTables) => {
    // Templates of a workspace are written one after the other, so that they can be counted.
    await transaction.query((tables: TemplateTables) =>
      tables.selectFrom("workspace").select("id").where("id", "=", key.workspaceId).forNoKeyUpdate(),
    );
    const others = await transaction.query((tables: TemplateTables) =>
      tables
        .selectFrom("message_template")
        .select("locale")
        .where("workspaceId", "=", key.workspaceId)
        .where("mode", "=", key.mode)
        .where((eb) => eb.not(eb.and({ channel: key.channel, locale: key.locale })))
        .limit(maxTemplates),
    );
    if (others.length >= maxTemplates) {
      throw new AppError(
        "limit_reached",
        `There are ${maxTemplates} templates in this mode, which is the limit: delete one first.`,
      );
    }
    const values = { ...columnsOf(content), updatedAt: sql<Date>`date_trunc('milliseconds', byond_now())` };
    const [template] = await transaction.query((tables: TemplateTables) =>
      tables
        .insertInto("message_template")
        .values({ ...key, ...values })
        .onConflict((conflict) => conflict.columns(["workspaceId", "mode", "channel", "locale"]).doUpdateSet(values))
        .returningAll(),
    );
    if (template === undefined) {
      throw new TypeError("the INSERT of a template returned no row");
    }
    return template;
  };
  return revocation.revoke([templatesSubject(key)], change, { credential: credentialOf(caller) });
}
