import type { Keyring } from "../../crypto/keyring.ts";
import { change, type Database } from "../../database/database.ts";
import { array, boolean, bytea, nullable, type Placeholders, statement, text } from "../../database/statement.ts";
import { consumeToken, hasToken, type SqlThrottleLimit, secondsUntilToken } from "../../database/throttle.ts";
import { AppError } from "../../errors.ts";
import type { Repetition } from "../../idempotency/idempotency-interceptor.ts";
import { clientAddressKey, limitKeyOf } from "../../server/client-address.ts";
import { addressKey } from "./account-limits.ts";
import { passwordLimits } from "./accounts.policy.ts";
import { accountOf } from "./find-account.ts";
import { sourceIndexes } from "./known-sources.ts";

/** An attempt at a password: at whose, and from where. */
export interface PasswordAttempt {
  /** As it is stored. An address without an account is counted the same, so that nothing reveals which have one. */
  readonly email: string;
  /** The accounts whose password it may be. Empty: there are none, or the answer must not depend on the source. */
  readonly accountIds: readonly string[];
  /** The account, if the caller has also presented a session or key of it. */
  readonly signedInTo: string | undefined;
  readonly clientAddress: string | undefined;
}

interface Dependencies {
  readonly database: Pick<Database, "transaction">;
  readonly keyring: Keyring;
}

/** Attempts belong to no workspace: this stands in for one in the table of throttles. */
const workspaceId = "'sign-in'";

/** SQL of a row with the wait of a bucket, if it has no token. */
const blockedBy = (key: string, limit: SqlThrottleLimit, also = "true") => `
  SELECT ${secondsUntilToken("tat", limit)} AS seconds FROM throttle
  WHERE workspace_id = ${workspaceId} AND key = ${key} AND NOT ${hasToken("tat", limit)} AND ${also}`;

/** The keys of the buckets. */
const buckets = { sourceKey: text, pairKey: text, strangersKey: text };
const attempt = { ...buckets, accountIds: array(text), sources: array(bytea), signedInTo: nullable(text) };

/** SQL of whether one of the accounts does not know the source, or there is no account. */
const isStrange = (p: Placeholders<typeof attempt>) =>
  `cardinality(accounts) < greatest(1, cardinality(${p.accountIds}))`;

/**
 * Takes a token of each bucket before the password is compared: the source's, the pair's, and the strangers' unless every
 * account knows the source or the caller is signed in. Without a token of the strangers', a source that one of the accounts
 * knows is still admitted. If one bucket has no token, none is taken of the others, so a source that has none left cannot
 * use up an account's.
 */
const take = statement<TakenRow>("reserve_password_attempt")(
  attempt,
  (p) => `
    WITH known AS (
      SELECT coalesce(array_agg(DISTINCT account_id), '{}') AS accounts FROM (
        SELECT account.id FROM unnest(${p.accountIds}) AS account (id), unnest(${p.sources}) AS asked (source),
          LATERAL (
            SELECT expires_at FROM known_source WHERE account_id = account.id AND source = asked.source OFFSET 0
          ) AS known
        WHERE expires_at > byond_now()
        UNION ALL SELECT ${p.signedInTo} WHERE ${p.signedInTo} IS NOT NULL
      ) AS knowing (account_id)
    ), blocked AS (
      SELECT max(seconds) AS seconds FROM (
        ${blockedBy(p.sourceKey, passwordLimits.source)}
        UNION ALL ${blockedBy(p.pairKey, passwordLimits.pair)}
        UNION ALL ${blockedBy(p.strangersKey, passwordLimits.strangers, "(SELECT cardinality(accounts) = 0 FROM known)")}
      ) AS bucket
    ), source_token AS (
      ${consumeToken({ workspaceId, key: p.sourceKey, limit: passwordLimits.source, from: "FROM blocked WHERE seconds IS NULL" })}
    ), pair_token AS (
      ${consumeToken({ workspaceId, key: p.pairKey, limit: passwordLimits.pair, from: "FROM source_token" })}
    ), strangers_token AS (
      ${consumeToken({
        workspaceId,
        key: p.strangersKey,
        limit: passwordLimits.strangers,
        from: `FROM pair_token, known WHERE ${isStrange(p)}`,
      })}
    )
    SELECT blocked.seconds, known.accounts AS known_accounts,
      EXISTS (SELECT FROM source_token) AS source_taken,
      EXISTS (SELECT FROM pair_token) AS pair_taken,
      EXISTS (SELECT FROM strangers_token) AS strangers_taken
    FROM blocked, known`,
);

/**
 * Puts tokens back, in the order in which they are taken, so that the two never wait for each other. A bucket that is full
 * again by itself is not made fuller.
 */
const putBack = statement("release_password_attempt")(
  { ...buckets, sourceTaken: boolean, pairTaken: boolean, strangersTaken: boolean, isRight: boolean },
  (p) => `
    WITH source AS (
      UPDATE throttle SET tat = tat - ${passwordLimits.source.period}
      WHERE workspace_id = ${workspaceId} AND key = ${p.sourceKey} AND ${p.sourceTaken}
      RETURNING 1
    ), pair AS (
      UPDATE throttle SET tat = CASE WHEN ${p.isRight} THEN byond_now() ELSE tat - ${passwordLimits.pair.period} END
      WHERE workspace_id = ${workspaceId} AND key = ${p.pairKey} AND ${p.pairTaken} AND (SELECT count(*) FROM source) >= 0
      RETURNING 1
    )
    UPDATE throttle SET tat = tat - ${passwordLimits.strangers.period}
    WHERE workspace_id = ${workspaceId} AND key = ${p.strangersKey} AND ${p.strangersTaken}
      AND (SELECT count(*) FROM pair) >= 0`,
);

interface TakenRow {
  readonly seconds: number | null;
  readonly knownAccounts: readonly string[];
  readonly sourceTaken: boolean;
  readonly pairTaken: boolean;
  readonly strangersTaken: boolean;
}

/** An attempt that was counted as if its password were wrong. */
export interface CountedAttempt {
  /** Whether the caller is signed in, or where one of the accounts is used to being signed in to. */
  readonly isKnown: boolean;
  /** Whether the password may be compared with that of this one of the accounts. */
  admits(accountId: string): boolean;
  /** Takes the count back: the attempt was not wrong. */
  putBack(): Promise<void>;
  /** The password was right: earlier wrong ones from the same source are forgotten too (NIST SP 800-63B §5.2.2). */
  forgive(): Promise<void>;
}

/**
 * Counts an attempt as wrong before its password is compared: however many run at once, none is compared without a token.
 * Throws `rate_limited` after too many. If the process ends before the comparison does, the attempt stays counted as wrong.
 */
export async function countPasswordAttempt(deps: Dependencies, attempt: PasswordAttempt): Promise<CountedAttempt> {
  const { email, accountIds, signedInTo, clientAddress } = attempt;
  const account = addressKey(deps, email);
  const source = limitKeyOf(clientAddress);
  const pair = signedInTo === undefined ? `account:${account}:${source}` : `signed-in:${signedInTo}`;
  const keys = { sourceKey: `source:${source}`, pairKey: pair, strangersKey: `account:${account}` };
  const sources = accountIds.flatMap((id) => sourceIndexes(deps.keyring, id, clientAddress));
  const values = { ...keys, accountIds, sources, signedInTo: signedInTo ?? null };
  const [taken] = await change(deps.database, take, values);
  if (taken === undefined) {
    throw new TypeError("the statement always answers with one row");
  }
  const undo = async (isRight: boolean) => {
    const { sourceTaken, pairTaken, strangersTaken } = taken;
    await change(deps.database, putBack, { ...keys, sourceTaken, pairTaken, strangersTaken, isRight });
  };
  const known = new Set(taken.knownAccounts);
  const isKnown = known.size > 0;
  if (!taken.pairTaken || (!isKnown && !taken.strangersTaken)) {
    if (taken.sourceTaken) {
      await undo(false);
    }
    throw new AppError("rate_limited", "Too many wrong passwords. Try again later.", {
      // Without a wait, the last token was taken at the same moment.
      retryAfterSeconds: taken.seconds ?? 60,
    });
  }
  const admits = (accountId: string) => taken.strangersTaken || known.has(accountId);
  return { isKnown, admits, putBack: () => undo(false), forgive: () => undo(true) };
}

/**
 * Counts a repeated call whose idempotency key was used before as an attempt at the password that it carries, if any:
 * whether it is the same request reveals whether the password is the same. The same request costs nothing. Throws
 * `rate_limited` after too many different ones.
 */
export async function countPasswordComparison(
  deps: { readonly database: Database; readonly keyring: Keyring },
  { method, caller, values, isSameRequest }: Repetition,
): Promise<void> {
  if (!method.input.fields.some(({ name }) => name.endsWith("password"))) {
    return;
  }
  const { userId, email } = await accountOf(deps, caller);
  const counted = await countPasswordAttempt(deps, {
    email,
    accountIds: [userId],
    signedInTo: userId,
    clientAddress: values.get(clientAddressKey),
  });
  if (isSameRequest) {
    await counted.putBack();
  }
}
