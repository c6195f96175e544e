import type { KeyCaller } from "../../access/caller.ts";
import { createId } from "../../crypto/ids.ts";
import { type Keyring, seal } from "../../crypto/keyring.ts";
import type { Queryable } from "../../database/database.ts";
import { defineStep } from "../../database/shared-statement.ts";
import { array, bytea, integer, jsonb, nullable, statement, text } from "../../database/statement.ts";
import { invalidFields } from "../../errors.ts";
import type { HeldCredential } from "../../revocation/held-credential.ts";
import { senderNameProblem } from "../../text/display-name-rules.ts";
import type { ChannelName } from "../channels/outgoing-message.ts";
import { brandOf, brandOfAccount } from "./brand.ts";
import { type CodeDispatcher, codeMessageKind, sealCodeMessage } from "./code-sender.ts";
import type { OriginLimit, Send, sendParameters } from "./define-send-step.ts";
import { exactIndex, exactIndexes, limitIndexes, parseRecipient, recipientContext } from "./recipient.ts";
import { expiresAtOnce } from "./sandbox-outcomes.ts";
import { type AddedSendSteps, type SendingRow, sendCode, sendingColumns, sendStatement } from "./send-steps.ts";
import { maxAttempts } from "./verify.policy.ts";

/** The workspace that a verification belongs to, and the credential that must still hold when the call changes something. */
export interface VerificationOwner extends Pick<KeyCaller, "workspaceId" | "workspaceName" | "mode" | "isVerified"> {
  readonly credential: HeldCredential;
}

/** Who changes a verification that exists: a key, or somebody who is signed in. */
export type VerificationHolder = Omit<VerificationOwner, "workspaceName">;

export interface StartInput {
  /** Undefined: the start creates one. */
  readonly id?: string;
  /** Names the sender of the outbox. Undefined: `codeMessageKind`. */
  readonly messageKind?: string;
  readonly channel: ChannelName;
  readonly recipient: string;
  /** Undefined: the workspace's name. */
  readonly brand: string | undefined;
  readonly codeLength: number;
  readonly ttlSeconds: number;
  /** BCP 47. Undefined: English. */
  readonly locale: string | undefined;
  readonly autofillDomain: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** The end user's address as limits count it (`limitKeyOf`). Undefined: the caller named none. */
  readonly endUserKey: string | undefined;
  readonly originLimits: readonly OriginLimit[];
}

export interface StartedVerification {
  readonly id: string;
  readonly status: "pending" | "channel_unavailable";
  /** In whole seconds, as the response shows it: checks expire at exactly this time. */
  readonly expiresAt: Date;
}

/** A send that creates its verification. */
interface Start extends Send {
  readonly status: StartedVerification["status"];
  readonly recipientSealed: Buffer;
  readonly recipientIndex: string;
  readonly endUserSealed: Buffer | null;
  readonly brand: string;
  readonly locale: string | null;
  readonly autofillDomain: string | null;
  /** JSON. */
  readonly metadata: string;
  readonly codeLength: number;
  readonly ttlSeconds: number;
  readonly secretId: string;
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
    metadata: jsonb,
    codeLength: integer,
    ttlSeconds: integer,
    secretId: text,
  },
  values: (start) => start,
  sql: (p, { reached }) => ({
    ctes: `sending AS (
      INSERT INTO verification (
        workspace_id, id, mode, channel, status, recipient_sealed, recipient_index, brand, locale, autofill_domain,
        metadata, code_length, secret_id, max_attempts, limit_indexes, end_user_sealed, created_at, expires_at
      )
      SELECT
        ${p.workspaceId}, ${p.id}, ${p.mode}, ${p.channel}, ${p.status}, ${p.recipientSealed}, ${p.recipientIndex},
        ${p.brand}, ${p.locale}, ${p.autofillDomain}, ${p.metadata}, ${p.codeLength}, ${p.secretId}, ${maxAttempts},
        ${p.limitIndexes}, ${p.endUserSealed}, at,
        date_trunc('seconds', at + ${p.ttlSeconds} * interval '1 second' + interval '999999 microseconds')
      FROM date_trunc('milliseconds', byond_now()) AS at
      WHERE ${reached}
      RETURNING created_at, expires_at
    )`,
    changes: ["sending"],
    columns: sendingColumns,
  }),
});

/** The statement of a start: takes a token of every limit, then writes the verification and its message. */
export function startStatement(added: AddedSendSteps) {
  return sendStatement<Start, SendingRow>("start_verification", { verification: insertVerification }, added);
}

const lookUpStarted = statement<SendingRow>("look_up_started_verification")(
  { workspaceId: text, id: text },
  (p) => `
    SELECT created_at, expires_at FROM verification WHERE workspace_id = ${p.workspaceId} AND id = ${p.id}`,
);

export interface StartDependencies {
  readonly database: Queryable;
  readonly keyring: Keyring;
  readonly codes: CodeDispatcher;
  readonly start: ReturnType<typeof startStatement>;
}

/** The problems of a recipient and a brand, by field. */
export function startProblems(input: Pick<StartInput, "channel" | "recipient" | "brand">): Record<string, string> {
  const recipient = parseRecipient(input.channel, input.recipient);
  const brand = input.brand === undefined ? undefined : senderNameProblem(input.brand);
  return {
    ...("problem" in recipient ? { recipient: recipient.problem } : {}),
    ...(brand === undefined ? {} : { brand }),
  };
}

/**
 * Starts a verification with one statement. The dispatcher sends the code after the commit. Expects that `startProblems` found
 * no problem in the input. Throws `rate_limited` if a limit has no token or the recipient had too many wrong codes, and
 * `invalid_api_key` if the credential no longer holds.
 */
export async function startVerification(
  deps: StartDependencies,
  caller: VerificationOwner,
  input: StartInput,
): Promise<StartedVerification> {
  const recipient = parseRecipient(input.channel, input.recipient);
  if ("problem" in recipient) {
    throw invalidFields({ recipient: recipient.problem });
  }
  const { keyring, codes } = deps;
  const { workspaceId, mode } = caller;
  const { id = createId("vrf"), messageKind = codeMessageKind } = input;
  const brand = input.brand === undefined ? brandOfAccount(caller.workspaceName) : brandOf(input.brand);
  const lane = codes.laneFor(input.channel, mode);
  const message =
    lane === undefined
      ? undefined
      : {
          ...sealCodeMessage(keyring, workspaceId, {
            channel: input.channel,
            recipient: recipient.address,
            brand,
            codeLength: input.codeLength,
            mode,
            secretId: keyring.current.id,
            ...(input.locale === undefined ? {} : { locale: input.locale }),
            ...(input.autofillDomain === undefined ? {} : { autofillDomain: input.autofillDomain }),
          }),
          kind: messageKind,
          lane,
          claimedBy: codes.serverId,
        };
  const status = message === undefined ? "channel_unavailable" : "pending";
  const context = recipientContext(workspaceId, id);
  const start: Start = {
    workspaceId,
    verificationId: id,
    mode,
    channel: input.channel,
    recipient,
    exactIndexes: exactIndexes(keyring, recipient),
    endUserKey: input.endUserKey,
    originLimits: input.originLimits,
    limitIndexes: limitIndexes(keyring, recipient),
    sharesRecipientLimit: !caller.isVerified && codes.hasProvider(input.channel, mode),
    message,
    credential: caller.credential,
    status,
    recipientSealed: seal(keyring, "recipient-seal", context, recipient.address),
    recipientIndex: exactIndex(keyring.current, recipient),
    endUserSealed: input.endUserKey === undefined ? null : seal(keyring, "end-user-seal", context, input.endUserKey),
    brand,
    locale: input.locale ?? null,
    autofillDomain: input.autofillDomain ?? null,
    metadata: JSON.stringify(input.metadata),
    codeLength: input.codeLength,
    ttlSeconds: expiresAtOnce({ mode, recipient }, input.channel) ? -1 : input.ttlSeconds,
    secretId: keyring.current.id,
  };
  const sent = await sendCode(deps, deps.start, start, lookUpStarted.bind({ workspaceId, id }));
  if (sent === undefined) {
    throw new TypeError("a start was neither refused nor carried out");
  }
  return { id, status, expiresAt: sent.expiresAt };
}
