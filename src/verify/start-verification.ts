import type { Database } from "../database/database.ts";
import { hasToken, secondsUntilToken, takeToken } from "../database/throttle.ts";
import { outboxInsert } from "../delivery/outbox.ts";
import type { ChannelName } from "../delivery/outgoing-message.ts";
import { AppError, invalidFields } from "../errors.ts";
import { createId } from "../ids.ts";
import type { KeyCaller } from "../rpc/caller.ts";
import { type Keyring, seal } from "../secrets.ts";
import { brandOfAccount, brandProblem } from "./brand.ts";
import { type CodeDispatcher, codeMessageKind, sealCodeMessage } from "./code-sender.ts";
import { guessKey, guessLimit, maxAttempts, sendKey, sendLimit } from "./limits.ts";
import { parseRecipient, recipientIndex } from "./recipient.ts";

export interface StartInput {
  readonly channel: ChannelName;
  readonly recipient: string;
  /** Undefined: the account's name. */
  readonly brand: string | undefined;
  readonly codeLength: number;
  readonly ttlSeconds: number;
}

export interface StartedVerification {
  readonly id: string;
  readonly status: "pending" | "channel_unavailable";
  /** In whole seconds, so that what the caller reads is exactly what is enforced. */
  readonly expiresAt: Date;
}

/**
 * Takes the recipient's token and, if there was one, writes the verification and its message. `blocked` says how long to
 * wait where there was none, or where the recipient's budget for guessing is used up.
 */
const start = {
  name: "start_verification",
  text: `
    WITH blocked AS (
      SELECT max(CASE key
        WHEN ${sendKey("$3::text", "$7::text")} THEN ${secondsUntilToken("tat", sendLimit)}
        ELSE ${secondsUntilToken("tat", guessLimit)}
      END) AS seconds
      FROM throttle
      WHERE workspace_id = $1
        AND (key = ${sendKey("$3::text", "$7::text")} AND NOT ${hasToken("tat", sendLimit)}
          OR key = ${guessKey("$3::text", "$7::text")} AND NOT ${hasToken("tat", guessLimit)})
    ), caller AS (
      SELECT FROM api_key WHERE id = $15 AND revoked_at IS NULL
    ), token AS (
      ${takeToken({
        workspaceId: "$1",
        key: sendKey("$3::text", "$7::text"),
        limit: sendLimit,
        from: "FROM caller, blocked WHERE blocked.seconds IS NULL",
      })}
    ), started AS (
      INSERT INTO verification (
        workspace_id, id, mode, channel, status, recipient_sealed, recipient_index, code_length, secret_id,
        max_attempts, created_at, expires_at
      )
      SELECT
        $1, $2, $3, $4, $5, $6, $7, $8, $10, ${maxAttempts}, at,
        date_trunc('seconds', at + $9::integer * interval '1 second' + interval '999999 microseconds')
      FROM token, byond_now() AS at
      RETURNING created_at, expires_at
    ), queued AS (${outboxInsert({
      from: "started WHERE $11::text IS NOT NULL",
      workspaceId: "$1",
      id: "$11",
      kind: `'${codeMessageKind}'`,
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
      EXISTS (SELECT FROM caller) AS is_caller_active,
      (SELECT seconds FROM blocked) AS blocked_seconds`,
};

type StartRow = { readonly blocked_seconds: number | null; readonly is_caller_active: boolean } & (
  | { readonly created_at: Date; readonly expires_at: Date }
  | { readonly created_at: null; readonly expires_at: null }
);

export interface StartDependencies {
  readonly database: Database;
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
 * Starts a verification: one statement, after whose commit the code is on its way. The input has no problems
 * left (`startProblems`). Throws `rate_limited` where the recipient has had enough codes, or wrong guesses.
 */
export async function startVerification(
  deps: StartDependencies,
  caller: KeyCaller,
  input: StartInput,
): Promise<StartedVerification> {
  const recipient = parseRecipient(input.channel, input.recipient);
  if ("problem" in recipient) {
    throw invalidFields({ recipient: recipient.problem });
  }
  const { workspaceId, mode } = caller;
  const id = createId("vrf");
  const lane = deps.codes.laneFor(input.channel, mode);
  const message =
    lane === undefined
      ? undefined
      : sealCodeMessage(deps.keyring, workspaceId, {
          channel: input.channel,
          recipient: recipient.address,
          brand: input.brand ?? brandOfAccount(caller.workspaceName),
          codeLength: input.codeLength,
          mode,
          secretId: deps.keyring.current.id,
        });
  const status = message === undefined ? "channel_unavailable" : "pending";
  const claimedAtMs = deps.codes.monotonicMs();
  const [row] = await deps.database.query<StartRow>(start, [
    workspaceId,
    id,
    mode,
    input.channel,
    status,
    seal(deps.keyring, "recipient-seal", `${workspaceId}/${id}`, recipient.address),
    recipientIndex(deps.keyring.current, recipient.canonical),
    input.codeLength,
    input.ttlSeconds,
    deps.keyring.current.id,
    message?.id ?? null,
    lane ?? null,
    message?.payloadSealed ?? null,
    deps.codes.serverId,
    caller.keyId,
  ]);
  if (row === undefined || row.created_at === null) {
    throw refusal(row);
  }
  if (message !== undefined && lane !== undefined) {
    const { created_at: createdAt, expires_at: expiresAt } = row;
    deps.codes.dispatch({
      workspaceId,
      ...message,
      kind: codeMessageKind,
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

function refusal(row: StartRow | undefined): AppError {
  if (row?.is_caller_active === false) {
    return new AppError("invalid_api_key", "The provided API key is invalid or revoked.");
  }
  return new AppError("rate_limited", "Too many verifications for this recipient. Try again later.", {
    // The row was taken by a start at the same moment: its own wait is not known here.
    retryAfterSeconds: row?.blocked_seconds ?? sendLimit.periodSeconds,
  });
}
