import { sql } from "kysely";
import type { Keyring } from "../../../crypto/keyring.ts";
import type { QueryableTables } from "../../../database/database.ts";
import type { FixedCodeTables } from "./fixed-code.entity.ts";
import type { FixedCodeView } from "./fixed-code-proto.ts";
import { fixedCodeView } from "./stored-fixed-code.ts";

/** The fixed codes of a workspace that have not ended, newest first. */
export async function listFixedCodes(
  { database, keyring }: { readonly database: Pick<QueryableTables, "query">; readonly keyring: Keyring },
  workspaceId: string,
): Promise<readonly FixedCodeView[]> {
  const rows = await database.query((tables: FixedCodeTables) =>
    tables
      .selectFrom("fixed_code")
      .selectAll()
      .where("workspaceId", "=", workspaceId)
      .where("expiresAt", ">", sql<Date>`byond_now()`)
      .orderBy("createdAt", "desc")
      .orderBy("id", "desc"),
  );
  return rows.map((row) => fixedCodeView(keyring, row));
}
