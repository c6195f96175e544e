import { change, type Database, type Queryable } from "../../database/database.ts";
import { array, bytea, integer, type Placeholders, statement, text } from "../../database/statement.ts";
import { AppError } from "../../errors.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { sessionSubject } from "../../revocation/revocation-subjects.ts";
import { repeatedRefreshSeconds } from "./accounts.policy.ts";
import type { FailedCallLimits } from "./failed-call-limits.ts";
import {
  grantTokens,
  refreshTokenLife,
  type SessionDependencies,
  type SessionGrant,
  type SessionTimes,
  sessionEnd,
  tokenSecondsUntil,
} from "./open-session.ts";
import { type NewRefreshToken, parseRefreshToken, type RefreshToken, succeedingToken } from "./refresh-token-format.ts";

/** Used tokens that a session remembers. Clients do not refresh more often within `repeatedRefreshSeconds`. */
const rememberedTokens = 8;

/** SQL of a list's last elements, with one more. */
const appended = (list: string, element: string) =>
  `(array_append(${list}, ${element}))[greatest(1, cardinality(${list}) + ${2 - rememberedTokens}):]`;

const wasJustSpent = (hash: string) => `EXISTS (
  SELECT FROM unnest(session.spent_hashes, session.spent_at) AS spent (hash, at)
  WHERE spent.hash = ${hash} AND spent.at > byond_now() - interval '${repeatedRefreshSeconds} seconds'
)`;

const presented = { workspaceId: text, id: text, hash: bytea };
const exchanged = { ...presented, maxDays: integer };

const alive = (p: Placeholders<typeof exchanged>) => `
  session.workspace_id = ${p.workspaceId} AND session.id = ${p.id}
  AND session.expires_at > byond_now() AND ${sessionEnd("session.created_at", p.maxDays)} > byond_now()
  AND account.id = session.account_id AND account.token_revision = session.token_revision`;

const claims = (maxDays: string) => `
  session.account_id, session.token_revision, ${sessionEnd("session.created_at", maxDays)} AS ends_at,
  ${tokenSecondsUntil(sessionEnd("session.created_at", maxDays))} AS seconds`;

/** Of two calls with the same token one finds its hash. The other waits for the row lock, and does not find it any more. */
const rotate = statement<SessionRow>("rotate_refresh_token")(
  { ...exchanged, nextHash: bytea },
  (p) => `
    UPDATE session SET refresh_hash = ${p.nextHash}, refreshed_at = byond_now(),
      expires_at = least(byond_now() + ${refreshTokenLife}, ${sessionEnd("session.created_at", p.maxDays)}),
      spent_hashes = ${appended("spent_hashes", "refresh_hash")}, spent_at = ${appended("spent_at", "byond_now()")}
    FROM account
    WHERE ${alive(p)} AND session.refresh_hash = ${p.hash}
    RETURNING ${claims(p.maxDays)}, session.refresh_hash`,
);

/**
 * A token that was used a moment ago, while its successor is not used yet: the session's current token is that successor.
 */
const repeat = statement<SessionRow>("read_rotated_session")(
  { ...exchanged, successors: array(bytea) },
  (p) => `
    SELECT ${claims(p.maxDays)}, session.refresh_hash
    FROM session, account
    WHERE ${alive(p)} AND session.refresh_hash = ANY (${p.successors}) AND ${wasJustSpent(p.hash)}`,
);

const endCopied = statement<{ id: string }>("end_session_of_reused_token")(
  presented,
  (p) => `
    DELETE FROM session
    WHERE workspace_id = ${p.workspaceId} AND id = ${p.id} AND NOT ${wasJustSpent(p.hash)}
    RETURNING id`,
);

type RefreshDependencies = SessionDependencies & {
  readonly database: Pick<Database, "run" | "transaction">;
  readonly revocation: Pick<RevocationService, "revoke">;
  readonly failedCallLimits: Pick<FailedCallLimits, "runOfSession">;
};

interface SessionRow extends SessionTimes {
  readonly accountId: string;
  readonly tokenRevision: number;
  readonly refreshHash: Buffer;
}

/**
 * Exchanges a refresh token for the next tokens of its session. A token works once (RFC 9700 §4.14.2). A genuine token that
 * was used before:
 *
 * - gets the same successor again for ten seconds, as after a lost answer or in a second tab;
 * - is refused if the successor was used meanwhile;
 * - later counts as copied, and ends the session on every server.
 *
 * Throws `invalid_api_key` in the last two cases, and for a token that is malformed, forged or expired; `rate_limited` after too many failed
 * calls of one session, or from one source.
 */
export async function refreshSession(
  deps: RefreshDependencies,
  input: { readonly refreshToken: string; readonly clientAddress: string | undefined },
): Promise<SessionGrant> {
  const presented = parseRefreshToken(input.refreshToken, deps.tagKey);
  if (presented === undefined) {
    throw refused();
  }
  return deps.failedCallLimits.runOfSession(presented, input, () => nextTokens(deps, presented));
}

async function nextTokens(deps: RefreshDependencies, presented: RefreshToken): Promise<SessionGrant> {
  // Under each master secret: another server may have made it, before or after a rotation. The current one's is the first.
  const successors = deps.keyring.all.map((secret) => succeedingToken(presented, secret, deps.tagKey));
  const row = (await exchange(deps, presented, successors)) ?? (await repeated(deps, presented, successors));
  const next = successors.find(({ hash }) => row?.refreshHash.equals(hash) === true);
  if (row === undefined || next === undefined) {
    await endCopiedSession(deps, presented);
    throw refused();
  }
  const { workspaceId, sessionId } = presented;
  const session = { userId: row.accountId, workspaceId, sessionId, tokenRevision: row.tokenRevision };
  return grantTokens(deps, session, row, next.token);
}

async function exchange(
  { database, sessionMaxDays }: Pick<RefreshDependencies, "database" | "sessionMaxDays">,
  { workspaceId, sessionId, hash }: RefreshToken,
  [next]: readonly NewRefreshToken[],
): Promise<SessionRow | undefined> {
  if (next === undefined) {
    return undefined;
  }
  const values = { workspaceId, id: sessionId, hash, nextHash: next.hash, maxDays: sessionMaxDays };
  const [row] = await change(database, rotate, values);
  return row;
}

async function repeated(
  { database, sessionMaxDays }: SessionDependencies,
  { workspaceId, sessionId, hash }: RefreshToken,
  successors: readonly NewRefreshToken[],
): Promise<SessionRow | undefined> {
  const hashes = successors.map((successor) => successor.hash);
  const values = { workspaceId, id: sessionId, hash, successors: hashes, maxDays: sessionMaxDays };
  const [row] = await database.run(repeat, values);
  return row;
}

/** Revokes only if the session was still alive, which it rarely is. */
async function endCopiedSession(
  deps: { readonly revocation: Pick<RevocationService, "revoke"> },
  { workspaceId, sessionId, hash }: RefreshToken,
): Promise<void> {
  const end = (transaction: Queryable) => transaction.run(endCopied, { workspaceId, id: sessionId, hash });
  await deps.revocation.revoke([sessionSubject(sessionId)], end, { hasRevoked: (ended) => ended.length > 0 });
}

function refused(): AppError {
  return new AppError("invalid_api_key", "The refresh token is invalid, has expired, or was used before.");
}
