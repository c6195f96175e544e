import { change, type Database, type Queryable } from "../../database/database.ts";
import { AppError } from "../../errors.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { sessionSubject } from "../../revocation/revocation-subjects.ts";
import type { FruitlessCalls } from "./fruitless-calls.ts";
import {
  grantTokens,
  refreshTokenLife,
  type SessionDependencies,
  type SessionGrant,
  type SessionTimes,
  sessionEnd,
  tokenSecondsUntil,
} from "./open-session.ts";
import { type NewRefreshToken, parseRefreshToken, type RefreshToken, succeedingToken } from "./refresh-token.ts";

/** How long a spent token is not taken for a copied one. */
const graceSeconds = 10;

/** Spent tokens of a session that are remembered. Nobody refreshes more often within the grace. */
const rememberedTokens = 8;

/** SQL of a list's last elements, with one more. */
const appended = (list: string, element: string) =>
  `(array_append(${list}, ${element}))[greatest(1, cardinality(${list}) + ${2 - rememberedTokens}):]`;

const wasJustSpent = (hash: string) => `EXISTS (
  SELECT FROM unnest(session.spent_hashes, session.spent_at) AS spent (hash, at)
  WHERE spent.hash = ${hash} AND spent.at > byond_now() - interval '${graceSeconds} seconds'
)`;

const alive = (maxDays: string) => `
  session.workspace_id = $1 AND session.id = $2
  AND session.expires_at > byond_now() AND ${sessionEnd("session.created_at", maxDays)} > byond_now()
  AND account.id = session.account_id AND account.token_revision = session.token_revision`;

const claims = (maxDays: string) => `
  session.account_id, session.token_revision, ${sessionEnd("session.created_at", maxDays)} AS ends_at,
  ${tokenSecondsUntil(sessionEnd("session.created_at", maxDays))} AS seconds`;

/** One of two calls with the same token finds its hash; the other waits for it, and does not. */
const rotate = {
  name: "rotate_refresh_token",
  text: `
    UPDATE session SET refresh_hash = $4, refreshed_at = byond_now(),
      expires_at = least(byond_now() + ${refreshTokenLife}, ${sessionEnd("session.created_at", "$5")}),
      spent_hashes = ${appended("spent_hashes", "refresh_hash")}, spent_at = ${appended("spent_at", "byond_now()")}
    FROM account
    WHERE ${alive("$5")} AND session.refresh_hash = $3
    RETURNING ${claims("$5")}, session.refresh_hash`,
};

/** A token that was spent a moment ago, while its successor is unused: the session's current one is the successor then. */
const repeat = {
  name: "repeat_refresh_token",
  text: `
    SELECT ${claims("$5")}, session.refresh_hash
    FROM session, account
    WHERE ${alive("$5")} AND session.refresh_hash = ANY ($4::bytea[]) AND ${wasJustSpent("$3")}`,
};

const endCopied = {
  name: "end_copied_session",
  text: `DELETE FROM session WHERE workspace_id = $1 AND id = $2 AND NOT ${wasJustSpent("$3")} RETURNING id`,
};

type RefreshDependencies = SessionDependencies & {
  readonly database: Pick<Database, "query" | "run" | "transaction">;
  readonly revocation: Pick<RevocationService, "revoke">;
  readonly fruitlessCalls: Pick<FruitlessCalls, "runOfSession">;
};

type SessionRow = SessionTimes & {
  readonly account_id: string;
  readonly token_revision: number;
  readonly refresh_hash: Buffer;
};

/**
 * Exchanges a refresh token for the next tokens of its session. A token works once (RFC 9700 §4.14.2). One that was made
 * here and spent before:
 *
 * - gets the same successor again for ten seconds, as after a lost answer or in a second tab;
 * - is refused if the successor was used in the meantime;
 * - later, it has been copied, and ends the session on every server.
 *
 * Throws `invalid_api_key` for it then, and for one that is malformed, forged or too old; `rate_limited` after too many of
 * one session, or from one source, that got nothing.
 */
export async function refreshSession(
  deps: RefreshDependencies,
  input: { readonly refreshToken: string; readonly clientAddress: string | undefined },
): Promise<SessionGrant> {
  const presented = parseRefreshToken(input.refreshToken, deps.tagKey);
  if (presented === undefined) {
    throw refused();
  }
  return deps.fruitlessCalls.runOfSession(presented, input, () => nextTokens(deps, presented));
}

async function nextTokens(deps: RefreshDependencies, presented: RefreshToken): Promise<SessionGrant> {
  // Under each master secret: another server may have made it, before or after a rotation. The current one's is the first.
  const successors = deps.keyring.all.map((secret) => succeedingToken(presented, secret, deps.tagKey));
  const row = (await exchange(deps, presented, successors)) ?? (await repeated(deps, presented, successors));
  const next = successors.find(({ hash }) => row?.refresh_hash.equals(hash) === true);
  if (row === undefined || next === undefined) {
    await endCopiedSession(deps, presented);
    throw refused();
  }
  const { workspaceId, sessionId } = presented;
  const session = { userId: row.account_id, workspaceId, sessionId, tokenRevision: row.token_revision };
  return grantTokens(deps, session, row, next.token);
}

async function exchange(
  { database, sessionMaxDays }: Pick<RefreshDependencies, "database" | "sessionMaxDays">,
  { workspaceId, sessionId, hash }: RefreshToken,
  [next]: readonly NewRefreshToken[],
): Promise<SessionRow | undefined> {
  const values = [workspaceId, sessionId, hash, next?.hash ?? null, sessionMaxDays];
  const [row] = await change<SessionRow>(database, rotate, values);
  return row;
}

async function repeated(
  { database, sessionMaxDays }: SessionDependencies,
  { workspaceId, sessionId, hash }: RefreshToken,
  successors: readonly NewRefreshToken[],
): Promise<SessionRow | undefined> {
  const hashes = successors.map((successor) => successor.hash);
  const [row] = await database.query<SessionRow>(repeat, [workspaceId, sessionId, hash, hashes, sessionMaxDays]);
  return row;
}

/** Most tokens that come here are of sessions that have ended: nothing is revoked then. */
async function endCopiedSession(
  deps: { readonly revocation: Pick<RevocationService, "revoke"> },
  { workspaceId, sessionId, hash }: RefreshToken,
): Promise<void> {
  const end = (transaction: Queryable) => transaction.query<{ id: string }>(endCopied, [workspaceId, sessionId, hash]);
  await deps.revocation.revoke([sessionSubject(sessionId)], end, { hasRevoked: (ended) => ended.length > 0 });
}

function refused(): AppError {
  return new AppError("invalid_api_key", "The refresh token is invalid, has expired, or was used before.");
}
