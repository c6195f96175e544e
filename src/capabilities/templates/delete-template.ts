import { type Caller, credentialOf } from "../../access/caller.ts";
import type { QueryableTables } from "../../database/database.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { templatesSubject } from "../../revocation/revocation-subjects.ts";
import { templateNotFound } from "./get-template.ts";
import type { TemplateTables } from "./message-template.entity.ts";
import type { TemplateKey } from "./template-content.ts";

/**
 * Deletes a template. When it returns, no server sends it any more. Throws `not_found` if there is none, and `invalid_api_key` if the
 * credential no longer holds.
 */
export async function deleteTemplate(
  { revocation }: { readonly revocation: Pick<RevocationService, "revoke"> },
  caller: Caller,
  { workspaceId, mode, channel, locale }: TemplateKey,
): Promise<void> {
  const change = async (transaction: QueryableTables) => {
    const deleted = await transaction.query((tables: TemplateTables) =>
      tables
        .deleteFrom("message_template")
        .where("workspaceId", "=", workspaceId)
        .where("mode", "=", mode)
        .where("channel", "=", channel)
        .where("locale", "=", locale)
        .returning("locale"),
    );
    if (deleted.length === 0) {
      throw templateNotFound();
    }
  };
  await revocation.revoke([templatesSubject({ workspaceId, mode })], change, { credential: credentialOf(caller) });
}
