import { defineEntity, p } from "@mikro-orm/core";
import { channelNames } from "../channels/outgoing-message.ts";
import type { StoredFallback } from "./fallback/fallback-step.ts";

/** Stores no code and no hash of one. Stores recipients only sealed and as keyed indexes. */
export const VerificationEntity = defineEntity({
  name: "Verification",
  tableName: "verification",
  properties: {
    workspaceId: p.text().primary(),
    id: p.text().primary(),
    mode: p.enum(["live", "test"]),
    channel: p.enum(channelNames),
    status: p.enum(["pending", "approved", "expired", "locked", "canceled", "channel_unavailable"]),
    recipientSealed: p.blob().nullable(),
    recipientIndex: p.text().nullable(),
    /** The recipient of the other form, mail or phone. */
    secondRecipientSealed: p.blob().nullable(),
    secondRecipientIndex: p.text().nullable(),
    /** The one of the two that no message was sent to yet. Null: codes were sent to all that there are. */
    unsentRecipient: p.enum(["first", "second"]).nullable(),
    /** The range of the number that codes were sent to, as `numberRange` makes it. Null: none was, or its traffic is not judged. */
    numberRange: p.text().nullable(),
    /** When the first code was sent to the number. Null: with the start, or none was. */
    numberSentAt: p.datetime().nullable(),
    /** Of the start's recipient (ISO 3166). Null: a mail address, or a number that does not tell. */
    country: p.text().nullable(),
    /** The API key of the start. Null: the server started it for an account. */
    keyId: p.text().nullable(),
    /** What its messages cost, those included whose price came back. Null: nothing. */
    charged: p.bigint("string").nullable(),
    /** The limit indexes of the recipients under every master secret that the server knew. Wrong codes count under all. */
    limitIndexes: p.array().nullable(),
    endUserSealed: p.blob().nullable(),
    /** Keyed hashes of the end user's device: under each master secret that the server knew. Null: the start named none. */
    deviceIndexes: p.array().nullable(),
    /** The sources of its wrong codes, as `guessTagOf` makes them: each counts once. Null: there was no wrong code. */
    guessTags: p.array<number>().columnType("integer[]").nullable(),
    brand: p.text(),
    locale: p.text().nullable(),
    autofillDomain: p.text().nullable(),
    codeInSubject: p.boolean().default(false),
    metadata: p.json<Readonly<Record<string, string>>>(),
    /** The other ways of the code. Null: the start named none. */
    fallback: p.json<StoredFallback>().nullable(),
    /** The payment that the code approves, and the index that identifies it. Null: there is none. */
    approvalSealed: p.blob().nullable(),
    approvalIndex: p.text().nullable(),
    codeLength: p.smallint().check("code_length >= 4 AND code_length <= 10"),
    secretId: p.text(),
    /** The fixed code of the recipient. Null: the code is derived from the verification's id. */
    fixedCodeId: p.text().nullable(),
    /** Number of messages, including that of the start. */
    sends: p.smallint().default(1),
    attempts: p.smallint().default(0),
    maxAttempts: p.smallint(),
    /** Finds the outcome of an attempt after the connection was lost. */
    lastAttemptId: p.text().nullable(),
    createdAt: p.datetime(),
    expiresAt: p.datetime(),
    approvedAt: p.datetime().nullable(),
  },
  // No index begins with the workspace alone: without statistics, a look-up by id would scan it instead of the primary key.
  indexes: [
    {
      // PostgreSQL uses it only for a query that contains the predicate.
      name: "verification_list",
      expression: `
        CREATE INDEX verification_list ON verification (workspace_id, mode, created_at DESC, id DESC)
        WHERE created_at > '-infinity'`,
    },
    {
      // As with `verification_list`.
      name: "verification_by_state",
      expression: `
        CREATE INDEX verification_by_state ON verification (workspace_id, mode, status, channel, created_at DESC, id DESC)
        WHERE expires_at > '-infinity'`,
    },
    { name: "verification_of_recipient", properties: ["recipientIndex", "workspaceId", "mode"] },
    {
      name: "verification_of_second_recipient",
      properties: ["secondRecipientIndex", "workspaceId", "mode"],
      where: "second_recipient_index IS NOT NULL",
    },
    // Only for the sweep, whose condition has the predicate.
    { name: "verification_oldest_first", properties: "createdAt", where: "created_at < 'infinity'" },
    {
      name: "verification_by_expiry",
      properties: "expiresAt",
      where: "status = 'pending' AND expires_at < 'infinity'",
    },
    { name: "verification_of_server", properties: "createdAt", where: "starts_with(workspace_id, 'ws_byond/')" },
  ],
});
