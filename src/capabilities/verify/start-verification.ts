import type { KeyCaller } from "../../access/caller.ts";
import { createId } from "../../crypto/ids.ts";
import { type Keyring, seal } from "../../crypto/keyring.ts";
import { limitLockWait, type Queryable } from "../../database/database.ts";
import { invalidFields } from "../../errors.ts";
import { outboxInsert } from "../../outbox/outbox.ts";
import type { SendLimit } from "../../quota/send-limits.ts";
import { type HeldCredential, requireCredential } from "../../revocation/held-credential.ts";
import { senderNameProblem } from "../../text/display-name-rules.ts";
import type { ChannelName } from "../channels/outgoing-message.ts";
import { brandOf, brandOfAccount } from "./brand.ts";
import { type CodeDispatcher, codeMessageKind, sealCodeMessage } from "./code-sender.ts";
import { maxAttempts, type SendWait, sendBuckets, sendRefusal, statementPerBuckets } from "./limits.ts";
import { exactIndex, limitIndexes, parseRecipient, recipientContext } from "./recipient.ts";

/** Whose verification it is, and the credential that the effect rests on. */
export interface VerificationOwner extends Pick<KeyCaller, "workspaceId" | "workspaceName" | "mode" | "isVerified"> {
  readonly credential: HeldCredential;
}

export interface StartInput {
  /** Undefined: a new one. */
  readonly id?: string;
  /** Which sender of the outbox the message is for. Undefined: that of codes. */
  readonly messageKind?: string;
  readonly channel: ChannelName;
  readonly recipient: string;
  /** Undefined: the account's name. */
  readonly brand: string | undefined;
  readonly codeLength: number;
  readonly ttlSeconds: number;
  /** BCP 47. Undefined: English. */
  readonly locale: string | undefined;
  readonly autofillDomain: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** Whom the code is for, as limits count people. Undefined: not known. */
  readonly endUserKey: string | undefined;
  readonly originLimits: OriginLimits;
}

/** The limits of a send by where the call comes from and whom it is for. The recipient's own are asked after them. */
export type OriginLimits = (endUserKey: string | undefined) => readonly SendLimit[];

export interface StartedVerification {
  readonly id: string;
  readonly status: "pending" | "channel_unavailable";
  /** In whole seconds, so that what the caller reads is exactly what is enforced. */
  readonly expiresAt: Date;
}

/** Takes a token of every limit, and writes the verification and its message if there was one of each. */
const startStatement = statementPerBuckets(
  "start_verification",
  "EXISTS (SELECT FROM begun)",
  (limits) => `
    WITH ${limitLockWait}, ${limits.ctes}, started AS (
      INSERT INTO verification (
        workspace_id, id, mode, channel, status, recipient_sealed, recipient_index, brand, locale, autofill_domain,
        metadata, code_length, secret_id, max_attempts, limit_indexes, end_user_sealed, created_at, expires_at
      )
      SELECT
        $1, $2, $3, $4, $5, $6, $7, $16, $17, $18, $19::jsonb, $8, $10, ${maxAttempts}, $20::text[], $21, at,
        date_trunc('seconds', at + $9::integer * interval '1 second' + interval '999999 microseconds')
      FROM date_trunc('milliseconds', byond_now()) AS at
      WHERE ${limits.allTaken}
      RETURNING created_at, expires_at
    ), queued AS (${outboxInsert({
      from: "started WHERE $11::text IS NOT NULL",
      workspaceId: "$1",
      id: "$11",
      kind: "$22",
      lane: "$12",
      subjectId: "$2",
      payloadSealed: "$13",
      claimedBy: "$14",
      createdAt: "created_at",
      expiresAt: "expires_at",
    })})
    SELECT
      (SELECT created_at FROM started) AS created_at,
      (SELECT expires_at FROM started) AS expires_at,
      (SELECT bucket FROM wait) AS empty_bucket,
      (SELECT seconds FROM wait) AS wait_seconds,
      ${requireCredential("$15", { after: ["queued"], effect: "started" })}`,
);

const lookUpStarted = {
  name: "look_up_started_verification",
  text: "SELECT created_at, expires_at FROM verification WHERE workspace_id = $1 AND id = $2",
};

type StartRow = SendWait &
  ({ readonly created_at: Date; readonly expires_at: Date } | { readonly created_at: null; readonly expires_at: null });

export interface StartDependencies {
  readonly database: Queryable;
  readonly keyring: Keyring;
  readonly codes: CodeDispatcher;
}

/** What is wrong with a recipient and a brand, by field. */
export function startProblems(input: Pick<StartInput, "channel" | "recipient" | "brand">): Record<string, string> {
  const recipient = parseRecipient(input.channel, input.recipient);
  const brand = input.brand === undefined ? undefined : senderNameProblem(input.brand);
  return {
    ...("problem" in recipient ? { recipient: recipient.problem } : {}),
    ...(brand === undefined ? {} : { brand }),
  };
}

/**
 * Starts a verification: one statement, after whose commit the code is on its way. The input has no problems left
 * (`startProblems`). Throws `rate_limited` where one of the limits has no token, or the recipient had too many wrong
 * guesses, and `invalid_api_key` if the credential does not hold any more.
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
      : sealCodeMessage(keyring, workspaceId, {
          channel: input.channel,
          recipient: recipient.address,
          brand,
          codeLength: input.codeLength,
          mode,
          secretId: keyring.current.id,
          ...(input.locale === undefined ? {} : { locale: input.locale }),
          ...(input.autofillDomain === undefined ? {} : { autofillDomain: input.autofillDomain }),
        });
  const status = message === undefined ? "channel_unavailable" : "pending";
  const origin = input.originLimits(input.endUserKey);
  const context = recipientContext(workspaceId, id);
  const indexes = limitIndexes(keyring, recipient);
  const isShared = !caller.isVerified && codes.hasProvider(input.channel, mode);
  const asked = sendBuckets(23, { origin, mode, limitIndexes: indexes, isShared });
  const claimedAtMs = codes.monotonicMs();
  const values = [
    workspaceId,
    id,
    mode,
    input.channel,
    status,
    seal(keyring, "recipient-seal", context, recipient.address),
    exactIndex(keyring.current, recipient),
    input.codeLength,
    input.ttlSeconds,
    keyring.current.id,
    message?.id ?? null,
    lane ?? null,
    message?.payloadSealed ?? null,
    codes.serverId,
    caller.credential,
    brand,
    input.locale ?? null,
    input.autofillDomain ?? null,
    JSON.stringify(input.metadata),
    indexes,
    input.endUserKey === undefined ? null : seal(keyring, "end-user-seal", context, input.endUserKey),
    messageKind,
    ...asked.values,
  ];
  const lookUp = { statement: lookUpStarted, values: [workspaceId, id] };
  const [row] = await deps.database.query<StartRow>(startStatement(asked.buckets), values, lookUp);
  if (row === undefined || row.created_at === null) {
    throw sendRefusal(row, origin);
  }
  if (message !== undefined && lane !== undefined) {
    const { created_at: createdAt, expires_at: expiresAt } = row;
    codes.dispatch({
      workspaceId,
      ...message,
      kind: messageKind,
      lane,
      subjectId: id,
      attempts: 0,
      claim: 1,
      createdAt,
      expiresAt,
      claimedAtMs,
    });
  }
  return { id, status, expiresAt: row.expires_at };
}
