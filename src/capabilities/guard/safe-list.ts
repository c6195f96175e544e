import type { Mode } from "../../access/caller.ts";
import { createId, isId } from "../../crypto/ids.ts";
import { type Keyring, seal, unseal } from "../../crypto/keyring.ts";
import { change, type Database, type Queryable } from "../../database/database.ts";
import { array, bytea, nullable, statement, text } from "../../database/statement.ts";
import { AppError, invalidFields, problemOf } from "../../errors.ts";
import {
  type HeldCredential,
  heldCredential,
  lockCredential,
  requireCredential,
} from "../../revocation/held-credential.ts";
import { countryRange } from "../../text/number-range.ts";
import { longestNumber } from "../../text/numbering-plans.ts";
import { parsePhoneNumber } from "../../text/phone-number.ts";
import { maskRecipient } from "../channels/outgoing-message.ts";
import { maxSafeListEntries, safeRangeDigits } from "./guard.policy.ts";
import { type StoredRecipients, safeListContext } from "./stored-recipients.ts";

/** An entry as its workspace sees it: a recipient, or a range. */
export interface SafeListEntryView {
  readonly id: string;
  /** Masked. Null: it is a range, or cannot be read, because the master secret that it was sealed with is gone. */
  readonly recipient: string | null;
  readonly numberRange: string | null;
  readonly createdAt: Date;
}

interface Row extends Omit<SafeListEntryView, "recipient"> {
  readonly recipientSealed: Buffer | null;
}

interface Realm {
  readonly workspaceId: string;
  readonly mode: Mode;
}

const columns = "id, recipient_sealed, number_range, created_at";

const list = statement<Row>("list_safe_list")(
  { workspaceId: text, mode: text },
  (p) => `
    SELECT ${columns} FROM safe_list_entry
    WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} ORDER BY created_at DESC, id DESC`,
);

/** The safe list of a workspace's mode, newest first. */
export async function listSafeList(
  { database, keyring }: { readonly database: Queryable; readonly keyring: Keyring },
  { workspaceId, mode }: Realm,
): Promise<readonly SafeListEntryView[]> {
  return (await database.run(list, { workspaceId, mode })).map((row) => viewOf(keyring, workspaceId, row));
}

function viewOf(keyring: Keyring, workspaceId: string, { recipientSealed, ...row }: Row): SafeListEntryView {
  const context = safeListContext(workspaceId, row.id);
  const address = recipientSealed === null ? undefined : unseal(keyring, "recipient-seal", context, recipientSealed);
  return {
    ...row,
    recipient: address === undefined ? null : maskRecipient(address),
    numberRange: row.numberRange === null ? null : `${row.numberRange}x`,
  };
}

/** Additions of a workspace run one after the other, so that they can be counted. */
const lock = statement("lock_safe_list")(
  { workspaceId: text },
  (p) => `SELECT FROM workspace WHERE id = ${p.workspaceId} FOR NO KEY UPDATE`,
);

const find = statement<Row>("find_safe_list_entry")(
  { workspaceId: text, mode: text, indexes: array(text), numberRange: nullable(text) },
  (p) => `
    SELECT ${columns} FROM safe_list_entry
    WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode}
      AND (recipient_index = ANY (${p.indexes}) OR number_range = ${p.numberRange})`,
);

const insert = statement<Row>("insert_safe_list_entry")(
  {
    workspaceId: text,
    id: text,
    mode: text,
    recipientIndex: nullable(text),
    recipientSealed: nullable(bytea),
    numberRange: nullable(text),
  },
  (p) => `
    INSERT INTO safe_list_entry (workspace_id, id, mode, recipient_index, recipient_sealed, number_range, created_at)
    VALUES (
      ${p.workspaceId}, ${p.id}, ${p.mode}, ${p.recipientIndex}, ${p.recipientSealed}, ${p.numberRange},
      date_trunc('milliseconds', byond_now())
    )
    RETURNING ${columns}`,
);

/** What an entry is for. */
type Safe = { readonly address: string } | { readonly numberRange: string };

/** A range as it is written: with an `x` for the digits that follow. It is stored without. */
const writtenRange = new RegExp(`^(\\+[1-9]\\d{${safeRangeDigits.min - 1},${safeRangeDigits.max - 1}})x$`);

/** Reads a number or a range. Undefined: it is neither, or a range that is wider than a country, or so narrow that it tells whose numbers it has. */
function parseSafe(text: string): Safe | undefined {
  const [, numberRange] = writtenRange.exec(text) ?? [];
  if (numberRange !== undefined) {
    const digits = numberRange.length - 1;
    const longest = longestNumber(numberRange);
    const isNarrow = longest !== undefined && digits > longest - safeRangeDigits.fewer;
    return countryRange(numberRange) === "+x" || isNarrow ? undefined : { numberRange };
  }
  const number = text.includes(";") ? undefined : parsePhoneNumber(text);
  return number === undefined || number.ext !== undefined || !number.isPossible()
    ? undefined
    : { address: number.number };
}

/** The problem of a text that is neither a number nor a range. */
export function safeProblem(text: string): string | undefined {
  return parseSafe(text) === undefined
    ? "must be a phone number in E.164 form, such as +6591234567, or a range of numbers of one country, such as +65912x, with five digits fewer"
    : undefined;
}

export interface AddDependencies {
  readonly database: Pick<Database, "transaction">;
  readonly keyring: Keyring;
  readonly recipients: StoredRecipients;
}

/**
 * Adds a recipient or a range. One that is on the list stays as it is. Throws `validation_error`, `limit_reached`, and `invalid_api_key` if the
 * credential no longer holds. `beforeCommit` runs last in the transaction.
 */
export async function addSafeListEntry(
  { database, keyring, recipients }: AddDependencies,
  { workspaceId, mode }: Realm,
  number: string,
  credential: HeldCredential,
  beforeCommit: (transaction: Queryable, added: SafeListEntryView) => Promise<void>,
): Promise<SafeListEntryView> {
  const safe = parseSafe(number);
  if (safe === undefined) {
    throw invalidFields(problemOf("number", safeProblem(number)));
  }
  const address = "address" in safe ? safe.address : undefined;
  const numberRange = "numberRange" in safe ? safe.numberRange : null;
  return database.transaction(async (transaction) => {
    await transaction.run(lock, { workspaceId });
    const existing = await transaction.run(list, { workspaceId, mode });
    const indexes = address === undefined ? [] : recipients.indexesOfAny(keyring, address);
    const [found] = await transaction.run(find, { workspaceId, mode, indexes, numberRange });
    if (found === undefined && existing.length >= maxSafeListEntries) {
      throw new AppError(
        "limit_reached",
        `There are ${maxSafeListEntries} entries on the safe list of this mode, which is the limit: delete one first.`,
      );
    }
    const id = createId("gsl");
    const [row] =
      found === undefined
        ? await transaction.run(insert, {
            workspaceId,
            id,
            mode,
            recipientIndex: address === undefined ? null : recipients.indexOfAddress(keyring.current, address),
            recipientSealed:
              address === undefined ? null : seal(keyring, "recipient-seal", safeListContext(workspaceId, id), address),
            numberRange,
          })
        : [found];
    if (row === undefined) {
      throw new TypeError("an entry of the safe list was not inserted");
    }
    const added = viewOf(keyring, workspaceId, row);
    await lockCredential(transaction, credential);
    await beforeCommit(transaction, added);
    return added;
  });
}

const remove = statement<{ removed: number }>("delete_safe_list_entry")(
  { workspaceId: text, mode: text, id: text, credential: heldCredential },
  (p) => `
    WITH removed AS (
      DELETE FROM safe_list_entry WHERE workspace_id = ${p.workspaceId} AND id = ${p.id} AND mode || '' = ${p.mode}
      RETURNING id
    )
    SELECT (SELECT count(*) FROM removed)::integer AS removed,
      ${requireCredential(p.credential, { after: [], effect: "removed" })}`,
);

/** Takes an entry off the list. Throws `not_found` if the mode has no such entry, and `invalid_api_key` if the credential no longer holds. */
export async function deleteSafeListEntry(
  { database }: { readonly database: Pick<Database, "transaction"> },
  { workspaceId, mode, id }: Realm & { readonly id: string },
  credential: HeldCredential,
): Promise<void> {
  const [row] = isId("gsl", id) ? await change(database, remove, { workspaceId, mode, id, credential }) : [];
  if (row === undefined || row.removed === 0) {
    throw new AppError("not_found", "There is no entry of the safe list with this id.");
  }
}
