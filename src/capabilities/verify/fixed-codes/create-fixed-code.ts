import { sql } from "kysely";
import { credentialOf, type SessionCaller } from "../../../access/caller.ts";
import { createId } from "../../../crypto/ids.ts";
import { type Keyring, seal } from "../../../crypto/keyring.ts";
import type { Database, Queryable } from "../../../database/database.ts";
import { statement, text } from "../../../database/statement.ts";
import { AppError, invalidFields } from "../../../errors.ts";
import { lockCredential } from "../../../revocation/held-credential.ts";
import { exactIndex, exactIndexes, parseAnyRecipient } from "../recipient.ts";
import type { FixedCodeTables } from "./fixed-code.entity.ts";
import { insertFixedCodeEvents } from "./fixed-code-events.ts";
import type { FixedCodeView } from "./fixed-code-proto.ts";
import { maxFixedCodes } from "./fixed-codes.policy.ts";
import { fixedCodeContext, fixedCodeView } from "./stored-fixed-code.ts";

export interface NewFixedCode {
  readonly recipient: string;
  readonly codeLength: number;
  readonly days: number;
  readonly description: string | null;
}

const writeEvent = statement("write_fixed_code_event")({ workspaceId: text, id: text }, (p) =>
  insertFixedCodeEvents(
    "created",
    `(SELECT * FROM fixed_code WHERE workspace_id = ${p.workspaceId} AND id = ${p.id}) AS created`,
  ),
);

/**
 * Gives a recipient a fixed code in live mode. Throws `validation_error` for a malformed recipient, `already_exists` if it has one,
 * `limit_reached` if the workspace has as many as it can, and `invalid_api_key` if the session no longer holds. `beforeCommit` runs last in
 * the transaction. Expects that the password was right.
 */
export async function createFixedCode(
  deps: { readonly database: Pick<Database, "transaction">; readonly keyring: Keyring },
  caller: SessionCaller,
  input: NewFixedCode,
  beforeCommit: (transaction: Queryable, created: FixedCodeView) => Promise<void>,
): Promise<FixedCodeView> {
  const { keyring } = deps;
  const { workspaceId, userId } = caller;
  const recipient = parseAnyRecipient(input.recipient);
  if ("problem" in recipient) {
    throw invalidFields({ recipient: recipient.problem });
  }
  return deps.database.transaction(async (transaction) => {
    // Those of a workspace are made one after the other, so that they can be counted.
    await transaction.query((tables: FixedCodeTables) =>
      tables.selectFrom("workspace").select("id").where("id", "=", workspaceId).forNoKeyUpdate(),
    );
    const existing = await transaction.query((tables: FixedCodeTables) =>
      tables
        .selectFrom("fixed_code")
        .select("recipientIndex")
        .where("workspaceId", "=", workspaceId)
        .where("expiresAt", ">", sql<Date>`byond_now()`),
    );
    if (existing.some(({ recipientIndex }) => exactIndexes(keyring, recipient).includes(recipientIndex))) {
      throw new AppError("already_exists", "This recipient has a fixed code.");
    }
    if (existing.length >= maxFixedCodes) {
      throw new AppError(
        "limit_reached",
        `There are ${maxFixedCodes} fixed codes, which is the limit: delete one first.`,
      );
    }
    const id = createId("fix");
    const [row] = await transaction.query((tables: FixedCodeTables) =>
      tables
        .insertInto("fixed_code")
        .values({
          workspaceId,
          id,
          recipientSealed: seal(keyring, "recipient-seal", fixedCodeContext({ workspaceId, id }), recipient.address),
          recipientIndex: exactIndex(keyring.current, recipient),
          codeLength: input.codeLength,
          secretId: keyring.current.id,
          description: input.description,
          createdBy: userId,
          createdAt: sql<Date>`date_trunc('milliseconds', byond_now())`,
          expiresAt: sql<Date>`date_trunc('seconds', byond_now() + ${input.days} * interval '1 day')`,
        })
        .returningAll(),
    );
    if (row === undefined) {
      throw new TypeError("the INSERT of a fixed code returned no row");
    }
    await transaction.run(writeEvent, { workspaceId, id });
    await lockCredential(transaction, credentialOf(caller));
    const created = fixedCodeView(keyring, row);
    await beforeCommit(transaction, created);
    return created;
  });
}
