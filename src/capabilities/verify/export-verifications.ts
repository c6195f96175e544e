import { type Keyring, unseal } from "../../crypto/keyring.ts";
import type { Queryable } from "../../database/database.ts";
import { array, statement, text } from "../../database/statement.ts";
import type { RecipientExport } from "../recipients/recipient-data.ts";
import { storedEndUser } from "./end-user.ts";
import { readVerificationsOf } from "./list-verifications.ts";
import { recipientContext, secondRecipientContext } from "./recipient.ts";
import { verificationMessage } from "./verification-proto.ts";
import { type ViewRow, viewOf } from "./verification-view.ts";

/** What views of verifications do not have. */
const readEndUsers = statement<{ id: string; endUserSealed: Buffer }>("export_end_users")(
  { workspaceId: text, ids: array(text) },
  (p) => `
    SELECT id, end_user_sealed FROM verification
    WHERE workspace_id = ${p.workspaceId} AND id = ANY (${p.ids}) AND end_user_sealed IS NOT NULL`,
);

/** The verifications of a recipient, first or second. */
export const verificationExport: RecipientExport = {
  idPrefix: "vrf_",
  async read(deps, asked) {
    const { workspaceId } = asked;
    const rows = await readVerificationsOf(deps, asked);
    const endUsers = await endUsersOf(
      deps,
      workspaceId,
      rows.map(({ id }) => id),
    );
    return rows.map((row) => {
      const endUserIp = endUsers.get(row.id);
      return {
        id: row.id,
        createdAt: row.createdAt,
        record: {
          verification: verificationMessage(viewOf(deps.keyring, workspaceId, row)),
          recipients: addressesOf(deps.keyring, workspaceId, row),
          ...(endUserIp === undefined ? {} : { endUserIp }),
        },
      };
    });
  },
};

/** In full. Without those whose master secret is gone. */
function addressesOf(
  keyring: Keyring,
  workspaceId: string,
  { id, recipientSealed, secondRecipientSealed }: ViewRow,
): string[] {
  const addressOf = (context: string, sealed: Buffer | null) =>
    sealed === null ? [] : (unseal(keyring, "recipient-seal", context, sealed) ?? []);
  return [
    addressOf(recipientContext(workspaceId, id), recipientSealed),
    addressOf(secondRecipientContext(workspaceId, id), secondRecipientSealed),
  ].flat();
}

async function endUsersOf(
  { database, keyring }: { readonly database: Queryable; readonly keyring: Keyring },
  workspaceId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string | undefined>> {
  const rows = await database.run(readEndUsers, { workspaceId, ids });
  return new Map(
    rows.map(({ id, endUserSealed }) => [
      id,
      storedEndUser(keyring, { workspaceId, id }, { endUserSealed, deviceIndexes: null }).addressKey,
    ]),
  );
}
