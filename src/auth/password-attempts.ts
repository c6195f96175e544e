import { change, type Database } from "../database/database.ts";
import { constantLimit, hasToken, type SqlThrottleLimit, secondsUntilToken, takeToken } from "../database/throttle.ts";
import { AppError } from "../errors.ts";
import { limitKeyOf } from "../rpc/access/client-address.ts";
import type { Keyring } from "../secrets.ts";
import { addressKey } from "./address-key.ts";
import { sourceIndexes } from "./known-sources.ts";

/** Whose password is tried, and from where. */
export interface PasswordAttempt {
  /** As it is stored, whether there is an account or not: the two must not be told apart. */
  readonly email: string;
  /** Undefined: there is no account with this address. */
  readonly accountId: string | undefined;
  /** Whether the caller has also presented a session or key of the account. */
  readonly isSignedIn: boolean;
  readonly clientAddress: string | undefined;
}

interface Dependencies {
  readonly database: Pick<Database, "transaction">;
  readonly keyring: Keyring;
}

/** Wrong passwords from one source, for whatever accounts: thirty at once, then one in ten seconds. */
const sourceLimit = constantLimit({ burst: 30, periodSeconds: 10 });

/**
 * Wrong passwords from one source for one account, or from everybody who is signed in to it, together: ten at once, then one a
 * minute.
 */
const pairLimit = constantLimit({ burst: 10, periodSeconds: 60 });

/**
 * Wrong passwords for one account from all sources together that it was not signed in to from: a hundred at once, then one
 * in ten seconds. NIST SP 800-63B §5.2.2 asks for a hundred at most; what is beyond it is for an owner at a new place.
 */
const strangersLimit = constantLimit({ burst: 100, periodSeconds: 10 });

/** Attempts belong to no workspace: this stands in for one in the table of throttles. */
const workspaceId = "'sign-in'";

/** SQL of what is asked of one bucket. */
const blockedBy = (key: string, limit: SqlThrottleLimit, also = "true") => `
  SELECT ${secondsUntilToken("tat", limit)} AS seconds FROM throttle
  WHERE workspace_id = ${workspaceId} AND key = ${key} AND NOT ${hasToken("tat", limit)} AND ${also}`;

/**
 * Takes a token of each bucket before the password is looked at: of the source's, of the source's for this account, and of
 * the strangers' unless the source is known to the account or the caller is signed in. What has no token spends none of the others', and a source that
 * has none left cannot spend an account's.
 */
const take = {
  name: "take_password_attempt",
  text: `
    WITH known AS (
      SELECT EXISTS (
        SELECT FROM known_source WHERE account_id = $4 AND source = ANY ($5::bytea[]) AND expires_at > byond_now()
      ) OR $6::boolean AS is_known
    ), blocked AS (
      SELECT max(seconds) AS seconds FROM (
        ${blockedBy("$1", sourceLimit)}
        UNION ALL ${blockedBy("$2", pairLimit)}
        UNION ALL ${blockedBy("$3", strangersLimit, "NOT (SELECT is_known FROM known)")}
      ) AS bucket
    ), source_token AS (
      ${takeToken({ workspaceId, key: "$1::text", limit: sourceLimit, from: "FROM blocked WHERE seconds IS NULL" })}
    ), pair_token AS (
      ${takeToken({ workspaceId, key: "$2::text", limit: pairLimit, from: "FROM source_token" })}
    ), strangers_token AS (
      ${takeToken({ workspaceId, key: "$3::text", limit: strangersLimit, from: "FROM pair_token, known WHERE NOT is_known" })}
    )
    SELECT blocked.seconds, known.is_known,
      EXISTS (SELECT FROM source_token) AS source_taken,
      EXISTS (SELECT FROM pair_token) AS pair_taken,
      EXISTS (SELECT FROM strangers_token) AS strangers_taken
    FROM blocked, known`,
};

/**
 * Puts tokens back, in the order in which they are taken, so that the two never wait for each other. A bucket that is full
 * again by itself is not made fuller.
 */
const putBack = {
  name: "put_back_password_attempt",
  text: `
    WITH source AS (
      UPDATE throttle SET tat = tat - ${sourceLimit.period}
      WHERE workspace_id = ${workspaceId} AND key = $1 AND $4::boolean
      RETURNING 1
    ), pair AS (
      UPDATE throttle SET tat = CASE WHEN $7::boolean THEN byond_now() ELSE tat - ${pairLimit.period} END
      WHERE workspace_id = ${workspaceId} AND key = $2 AND $5::boolean AND (SELECT count(*) FROM source) >= 0
      RETURNING 1
    )
    UPDATE throttle SET tat = tat - ${strangersLimit.period}
    WHERE workspace_id = ${workspaceId} AND key = $3 AND $6::boolean AND (SELECT count(*) FROM pair) >= 0`,
};

interface TakenRow {
  readonly seconds: number | null;
  readonly is_known: boolean;
  readonly source_taken: boolean;
  readonly pair_taken: boolean;
  readonly strangers_taken: boolean;
}

/** An attempt that was counted as if its password were wrong. */
export interface CountedAttempt {
  /** Whether the caller is signed in, or where the account is used to being signed in to. */
  readonly isKnown: boolean;
  /** Nothing was wrong with it: it costs nothing. */
  putBack(): Promise<void>;
  /** It was right: wrong ones before it from the same source are forgotten too (NIST SP 800-63B §5.2.2). */
  forgive(): Promise<void>;
}

/**
 * Counts an attempt, before its password is compared: however many run at once, none is compared without a token. Throws
 * `rate_limited` after too many. If the process ends before it has the answer, the attempt stays counted, as a wrong one.
 */
export async function countPasswordAttempt(deps: Dependencies, attempt: PasswordAttempt): Promise<CountedAttempt> {
  const { email, accountId = "", isSignedIn, clientAddress } = attempt;
  const account = addressKey(email);
  const source = limitKeyOf(clientAddress);
  const guesser = isSignedIn ? "signed-in" : source;
  const keys = [`source:${source}`, `account:${account}:${guesser}`, `account:${account}`];
  const known = sourceIndexes(deps.keyring, accountId, clientAddress);
  const values = [...keys, accountId, known, isSignedIn];
  const [taken] = await change<TakenRow & Record<string, unknown>>(deps.database, take, values);
  if (taken === undefined) {
    throw new TypeError("the statement always answers with one row");
  }
  const undo = async (isRight: boolean) => {
    const { source_taken, pair_taken, strangers_taken } = taken;
    await change(deps.database, putBack, [...keys, source_taken, pair_taken, strangers_taken, isRight]);
  };
  if (!taken.pair_taken || (!taken.is_known && !taken.strangers_taken)) {
    if (taken.source_taken) {
      await undo(false);
    }
    throw new AppError("rate_limited", "Too many wrong passwords. Try again later.", {
      // The last token was taken at the same moment: its own wait is not known here.
      retryAfterSeconds: taken.seconds ?? 60,
    });
  }
  return { isKnown: taken.is_known, putBack: () => undo(false), forgive: () => undo(true) };
}
