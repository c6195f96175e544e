import { type Keyring, seal } from "../../crypto/keyring.ts";
import { defineStep } from "../../database/shared-statement.ts";
import {
  array,
  bigint,
  boolean,
  bytea,
  integer,
  jsonb,
  nullable,
  optional,
  statement,
  text,
} from "../../database/statement.ts";
import type { ChannelName } from "../channels/outgoing-message.ts";
import { chargedPart, type Send, type sendParameters } from "./define-send-step.ts";
import { holdFixedCode } from "./fixed-codes/fixed-code-step.ts";
import type { SendTarget } from "./plan-sends.ts";
import { exactIndex, formOf, type Recipient, secondRecipientContext } from "./recipient.ts";
import { type AddedSendSteps, type SendingRow, sendingColumns, sendStatement } from "./send-steps.ts";
import { maxAttempts, maxSends } from "./verify.policy.ts";

/** A send that creates its verification. */
export interface Start extends Send {
  /** The channel of the start, which the send does not use if it has no provider. */
  readonly ownChannel: ChannelName;
  /** Present: nothing is done if there is a pending verification of this channel, recipient, metadata and payment that can be used instead. */
  readonly unlessPending?: {
    readonly indexes: readonly string[];
    readonly knownSecrets: readonly string[];
    readonly approvalIndexes: readonly string[] | null;
  };
  readonly status: "pending" | "channel_unavailable";
  readonly recipientSealed: Buffer;
  readonly recipientIndex: string;
  readonly endUserSealed: Buffer | null;
  readonly brand: string;
  readonly locale: string | null;
  readonly autofillDomain: string | null;
  readonly codeInSubject: boolean;
  /** JSON. */
  readonly metadata: string;
  readonly codeLength: number;
  readonly ttlSeconds: number;
  readonly secretId: string;
  /** Null: the traffic of the recipient's range is not judged. */
  readonly numberRange: string | null;
  /** ISO 3166. Null: a mail address, or a number that does not tell. */
  readonly country: string | null;
  /** The payment that the code approves. Undefined: there is none. */
  readonly approval: { readonly approvalSealed: Buffer; readonly approvalIndex: string } | undefined;
  /** The fixed code of the recipient. Undefined: the code is derived from the verification's id. */
  readonly fixedCodeId?: string;
  /** Undefined: there is no fallback. */
  readonly fallback?: {
    /** JSON of a `StoredFallback`. */
    readonly stored: string;
    readonly secondRecipientSealed: Buffer | null;
    readonly secondRecipientIndex: string | null;
    readonly unsentRecipient: "first" | "second" | null;
  };
}

const insertVerification = defineStep<Start, typeof sendParameters>()({
  name: "verification",
  parameters: {
    channel: text,
    status: text,
    recipientSealed: bytea,
    recipientIndex: text,
    limitIndexes: array(text),
    endUserSealed: nullable(bytea),
    brand: text,
    locale: nullable(text),
    autofillDomain: nullable(text),
    codeInSubject: boolean,
    metadata: jsonb,
    codeLength: integer,
    ttlSeconds: integer,
    secretId: text,
    numberRange: nullable(text),
    country: nullable(text),
    keyId: nullable(text),
    fixedCodeId: optional(text),
    approvalSealed: optional(bytea),
    approvalIndex: optional(text),
    fallback: optional(jsonb),
    secondRecipientSealed: optional(nullable(bytea)),
    secondRecipientIndex: optional(nullable(text)),
    unsentRecipient: optional(nullable(text)),
    deviceIndexes: optional(array(text)),
    price: optional(bigint),
  },
  parts: ({ fallback, fixedCodeId, approval, endUser, charge }) => [
    ...chargedPart({ charge }),
    ...(fallback === undefined ? [] : ["fallback"]),
    ...(fixedCodeId === undefined ? [] : ["fixed_code"]),
    ...(endUser.deviceIndexes.length === 0 ? [] : ["device"]),
    ...(approval === undefined ? [] : ["approval"]),
  ],
  values: ({ fallback, approval, ...start }) => ({
    ...start,
    ...approval,
    ...fallback,
    channel: start.ownChannel,
    keyId: start.keyId ?? null,
    // The traffic of what the guard does not look up is not judged, either.
    numberRange: start.screening?.ranges.length === 0 ? null : start.numberRange,
    fallback: fallback?.stored,
    deviceIndexes: start.endUser.deviceIndexes,
    price: start.charge?.amount,
  }),
  sql: (p, { reached, parts }) => ({
    ctes: `sending AS (
      INSERT INTO verification (
        workspace_id, id, mode, channel, status, recipient_sealed, recipient_index, brand, locale, autofill_domain,
        code_in_subject, metadata, code_length, secret_id, max_attempts, limit_indexes, end_user_sealed, number_range, country, key_id, created_at,
        expires_at
        ${parts.includes("fallback") ? ", fallback, second_recipient_sealed, second_recipient_index, unsent_recipient" : ""}
        ${parts.includes("fixed_code") ? ", fixed_code_id" : ""}
        ${parts.includes("device") ? ", device_indexes" : ""}
        ${parts.includes("approval") ? ", approval_sealed, approval_index" : ""}
        ${parts.includes("charged") ? ", charged" : ""}
      )
      SELECT
        ${p.workspaceId}, ${p.id}, ${p.mode}, ${p.channel}, ${p.status}, ${p.recipientSealed}, ${p.recipientIndex},
        ${p.brand}, ${p.locale}, ${p.autofillDomain}, ${p.codeInSubject}, ${p.metadata}, ${p.codeLength}, ${p.secretId}, ${maxAttempts},
        ${p.limitIndexes}, ${p.endUserSealed}, ${p.numberRange}, ${p.country}, ${p.keyId}, at,
        date_trunc('seconds', at + ${p.ttlSeconds} * interval '1 second' + interval '999999 microseconds')
        ${
          parts.includes("fallback")
            ? `, ${p.fallback}, ${p.secondRecipientSealed}, ${p.secondRecipientIndex}, ${p.unsentRecipient}`
            : ""
        }
        ${parts.includes("fixed_code") ? `, ${p.fixedCodeId}` : ""}
        ${parts.includes("device") ? `, ${p.deviceIndexes}` : ""}
        ${parts.includes("approval") ? `, ${p.approvalSealed}, ${p.approvalIndex}` : ""}
        ${parts.includes("charged") ? `, ${p.price}` : ""}
      FROM date_trunc('milliseconds', byond_now()) AS at
      WHERE ${reached}
      RETURNING created_at, expires_at
    )`,
    changes: ["sending"],
    columns: sendingColumns,
  }),
});

/** What a verification must have to be used instead of a new one. */
export const reuseParameters = {
  channel: text,
  indexes: array(text),
  metadata: jsonb,
  knownSecrets: array(text),
  approvalIndexes: nullable(array(text)),
};

/**
 * Locks what a start for the same channel and recipient locks, and refuses the run if there is a verification to use instead: see
 * `verify-0008.migration.ts`.
 */
const unlessPending = defineStep<Start, typeof sendParameters>()({
  name: "reuse",
  parameters: reuseParameters,
  isNeeded: ({ unlessPending }) => unlessPending !== undefined,
  values: ({ ownChannel, metadata, unlessPending }) => ({
    channel: ownChannel,
    indexes: unlessPending?.indexes ?? [],
    metadata,
    knownSecrets: unlessPending?.knownSecrets ?? [],
    approvalIndexes: unlessPending?.approvalIndexes ?? null,
  }),
  sql: (p, { reached }) => ({
    ctes: `reuse AS MATERIALIZED (SELECT ${toReuse(p)} AS id WHERE ${reached})`,
    passed: "EXISTS (SELECT FROM reuse WHERE id IS NULL)",
  }),
  refusal: () => undefined,
});

/** SQL of the id of the verification to use. */
export const toReuse = (p: Readonly<Record<"workspaceId" | "mode" | keyof typeof reuseParameters, string>>) =>
  `verification_to_reuse(
    ${p.workspaceId}, ${p.mode}, ${p.channel}, ${p.indexes}, ${p.metadata}, ${p.knownSecrets}, ${maxSends},
    ${p.approvalIndexes}
  )`;

/** The statement of a start: takes a token of every limit, then writes the verification and its message. */
export function startStatement(added: AddedSendSteps) {
  return sendStatement<Start, SendingRow>(
    "start_verification",
    { target: unlessPending, verification: insertVerification },
    added,
  );
}

/** The statement of a start for a recipient with a fixed code. It does nothing if the fixed code is deleted, or has ended. */
export function startFixedStatement(added: AddedSendSteps) {
  const steps = { target: holdFixedCode, verification: insertVerification };
  return sendStatement<Start, SendingRow>("start_with_fixed_code", steps, added);
}

export const lookUpStarted = statement<SendingRow>("look_up_started_verification")(
  { workspaceId: text, id: text },
  (p) => `
    SELECT created_at, expires_at FROM verification WHERE workspace_id = ${p.workspaceId} AND id = ${p.id}`,
);

/** The second recipient as the row has it. */
export function secondOf(keyring: Keyring, workspaceId: string, id: string, second: Recipient | undefined) {
  if (second === undefined) {
    return { secondRecipientSealed: null, secondRecipientIndex: null };
  }
  const context = secondRecipientContext(workspaceId, id);
  return {
    secondRecipientSealed: seal(keyring, "recipient-seal", context, second.address),
    secondRecipientIndex: exactIndex(keyring.current, second),
  };
}

/** Which of two recipients the send does not go to. */
export function unsentOf(
  channel: ChannelName,
  target: SendTarget,
  second: Recipient | undefined,
): "first" | "second" | null {
  if (second === undefined) {
    return null;
  }
  return formOf(target.channel) === formOf(channel) ? "second" : "first";
}
