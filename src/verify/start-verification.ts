import { limitLockWait, type Queryable } from "../database/database.ts";
import { boundLimit, hasToken, secondsUntilToken, takeToken } from "../database/throttle.ts";
import { outboxInsert } from "../delivery/outbox.ts";
import type { ChannelName } from "../delivery/outgoing-message.ts";
import { AppError, invalidFields } from "../errors.ts";
import { createId } from "../ids.ts";
import { type HeldCredential, requireCredential } from "../revocation/held-credential.ts";
import type { KeyCaller } from "../rpc/access/caller.ts";
import type { SendLimit } from "../rpc/quota/send-limits.ts";
import { type Keyring, seal } from "../secrets.ts";
import { brandOfAccount, brandProblem } from "./brand.ts";
import { type CodeDispatcher, codeMessageKind, sealCodeMessage } from "./code-sender.ts";
import { guessKey, guessLimit, maxAttempts, sendKey, sendLimit } from "./limits.ts";
import { parseRecipient, recipientContext, recipientIndex } from "./recipient.ts";

/** Whose verification it is, and the credential that the effect rests on. */
export interface VerificationOwner extends Pick<KeyCaller, "workspaceId" | "workspaceName" | "mode"> {
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
  /** By where the call comes from, in the order they are asked; two at most. The recipient's own comes after them. */
  readonly originLimits: readonly SendLimit[];
}

export interface StartedVerification {
  readonly id: string;
  readonly status: "pending" | "channel_unavailable";
  /** In whole seconds, so that what the caller reads is exactly what is enforced. */
  readonly expiresAt: Date;
}

const recipientKeys = { send: sendKey("$3::text", "$7::text"), guess: guessKey("$3::text", "$7::text") };
const firstLimit = boundLimit("$21", "$22");
const secondLimit = boundLimit("$24", "$25");
const isEmpty = (tat: string, limit: typeof sendLimit) => `${tat} IS NOT NULL AND NOT ${hasToken(tat, limit)}`;
const tatOf = (key: string) => `(SELECT tat FROM throttle WHERE workspace_id = $1 AND key = ${key})`;

/**
 * Takes the tokens, one after the other so that a refusal never spends the allowance of the next, and writes the
 * verification and its message if there was one of each. `wait` is what the statement found before it took anything: the
 * first bucket that has no token, and for how many seconds.
 */
const start = {
  name: "start_verification",
  text: `
    WITH ${limitLockWait}, tats AS MATERIALIZED (
      SELECT
        ${tatOf("$20::text")} AS first, ${tatOf("$23::text")} AS second,
        ${tatOf(recipientKeys.send)} AS send, ${tatOf(recipientKeys.guess)} AS guess
    ), wait AS (
      SELECT
        CASE
          WHEN ${isEmpty("first", firstLimit)} THEN 'first'
          WHEN ${isEmpty("second", secondLimit)} THEN 'second'
          ELSE 'recipient'
        END AS bucket,
        CASE
          WHEN ${isEmpty("first", firstLimit)} THEN ${secondsUntilToken("first", firstLimit)}
          WHEN ${isEmpty("second", secondLimit)} THEN ${secondsUntilToken("second", secondLimit)}
          WHEN ${isEmpty("guess", guessLimit)} THEN ${secondsUntilToken("guess", guessLimit)}
          ELSE ${secondsUntilToken("send", sendLimit)}
        END AS seconds
      FROM tats
      WHERE (${isEmpty("first", firstLimit)}) OR (${isEmpty("second", secondLimit)})
        OR (${isEmpty("send", sendLimit)}) OR (${isEmpty("guess", guessLimit)})
    ), first_token AS (
      ${takeToken({
        workspaceId: "$1",
        key: "$20::text",
        limit: firstLimit,
        from: "FROM begun WHERE $20::text IS NOT NULL AND NOT EXISTS (SELECT FROM wait)",
      })}
    ), second_token AS (
      ${takeToken({
        workspaceId: "$1",
        key: "$23::text",
        limit: secondLimit,
        from: "FROM first_token WHERE $23::text IS NOT NULL",
      })}
    ), token AS (
      ${takeToken({
        workspaceId: "$1",
        key: recipientKeys.send,
        limit: sendLimit,
        from: `FROM begun
          WHERE NOT EXISTS (SELECT FROM wait)
            AND ($20::text IS NULL OR EXISTS (SELECT FROM first_token))
            AND ($23::text IS NULL OR EXISTS (SELECT FROM second_token))`,
      })}
    ), started AS (
      INSERT INTO verification (
        workspace_id, id, mode, channel, status, recipient_sealed, recipient_index, brand, locale, autofill_domain,
        metadata, code_length, secret_id, max_attempts, created_at, expires_at
      )
      SELECT
        $1, $2, $3, $4, $5, $6, $7, $16, $17, $18, $19::jsonb, $8, $10, ${maxAttempts}, at,
        date_trunc('seconds', at + $9::integer * interval '1 second' + interval '999999 microseconds')
      FROM token, date_trunc('milliseconds', byond_now()) AS at
      RETURNING created_at, expires_at
    ), queued AS (${outboxInsert({
      from: "started WHERE $11::text IS NOT NULL",
      workspaceId: "$1",
      id: "$11",
      kind: "$26",
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
      ${requireCredential("$15", { after: ["first_token", "second_token", "token", "queued"], effect: "started" })}`,
};

const lookUpStarted = {
  name: "look_up_started_verification",
  text: "SELECT created_at, expires_at FROM verification WHERE workspace_id = $1 AND id = $2",
};

type StartRow = {
  readonly empty_bucket: "first" | "second" | "recipient" | null;
  readonly wait_seconds: number | null;
} & (
  | { readonly created_at: Date; readonly expires_at: Date }
  | { readonly created_at: null; readonly expires_at: null }
);

export interface StartDependencies {
  readonly database: Queryable;
  readonly keyring: Keyring;
  readonly codes: CodeDispatcher;
}

/** What is wrong with a recipient and a brand, by field. */
export function startProblems(input: Pick<StartInput, "channel" | "recipient" | "brand">): Record<string, string> {
  const recipient = parseRecipient(input.channel, input.recipient);
  const brand = input.brand === undefined ? undefined : brandProblem(input.brand);
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
  const brand = input.brand ?? brandOfAccount(caller.workspaceName);
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
  const [first, second] = input.originLimits;
  const claimedAtMs = codes.monotonicMs();
  const values = [
    workspaceId,
    id,
    mode,
    input.channel,
    status,
    seal(keyring, "recipient-seal", recipientContext(workspaceId, id), recipient.address),
    recipientIndex(keyring.current, recipient.canonical),
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
    ...limitValues(first),
    ...limitValues(second),
    messageKind,
  ];
  const lookUp = { statement: lookUpStarted, values: [workspaceId, id] };
  const [row] = await deps.database.query<StartRow>(start, values, lookUp);
  if (row === undefined || row.created_at === null) {
    throw refusal(row, input.originLimits);
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

function limitValues(limit: SendLimit | undefined): [string | null, number | null, number | null] {
  return limit === undefined ? [null, null, null] : [limit.key, limit.limit.burst, limit.limit.periodSeconds];
}

function refusal(row: StartRow | undefined, [first, second]: readonly SendLimit[]): AppError {
  const messages = {
    first: first?.message,
    second: second?.message,
    recipient: "Too many verifications for this recipient. Try again later.",
  };
  // Without a bucket that was empty before, a call at the same moment took the last token: it will be back shortly.
  const message = messages[row?.empty_bucket ?? "recipient"] ?? messages.recipient;
  return new AppError("rate_limited", message, { retryAfterSeconds: row?.wait_seconds ?? 60 });
}
