import { createHash } from "node:crypto";
import type { Queryable } from "../database/database.ts";
import { constantLimit, hasToken, secondsUntilToken, takeToken } from "../database/throttle.ts";
import { AppError } from "../errors.ts";
import { limitKeyOf } from "../rpc/access/client-address.ts";

/** Whose password is tried, and from where. */
export interface PasswordAttempt {
  /** As it is stored, whether there is an account or not: the two must not be told apart. */
  readonly email: string;
  readonly clientAddress: string | undefined;
}

/** Wrong passwords for one account: ten at once, then one a minute. */
const accountLimit = constantLimit({ burst: 10, periodSeconds: 60 });

/** Wrong passwords from one address, for whatever accounts: thirty at once, then one in ten seconds. */
const addressLimit = constantLimit({ burst: 30, periodSeconds: 10 });

/** Attempts belong to no workspace: this stands in for one in the table of throttles. */
const workspaceId = "'sign-in'";

/** Takes a token of each before the password is looked at; the address comes first, so that it cannot spend an account's. */
const take = {
  name: "take_password_attempt",
  text: `
    WITH blocked AS (
      SELECT max(CASE key
        WHEN $1 THEN ${secondsUntilToken("tat", addressLimit)}
        ELSE ${secondsUntilToken("tat", accountLimit)}
      END) AS seconds
      FROM throttle
      WHERE workspace_id = ${workspaceId}
        AND (key = $1 AND NOT ${hasToken("tat", addressLimit)} OR key = $2 AND NOT ${hasToken("tat", accountLimit)})
    ), address_token AS (
      ${takeToken({ workspaceId, key: "$1::text", limit: addressLimit, from: "FROM blocked WHERE seconds IS NULL" })}
    ), account_token AS (
      ${takeToken({ workspaceId, key: "$2::text", limit: accountLimit, from: "FROM address_token" })}
    )
    SELECT (SELECT seconds FROM blocked) AS blocked_seconds, EXISTS (SELECT FROM account_token) AS is_admitted`,
};

/** The right password takes back what wrong ones before it have counted. */
const forgive = {
  name: "forgive_password_attempts",
  text: `
    WITH account_bucket AS (
      DELETE FROM throttle WHERE workspace_id = ${workspaceId} AND key = $2
    )
    UPDATE throttle SET tat = tat - ${addressLimit.period} WHERE workspace_id = ${workspaceId} AND key = $1`,
};

/** Counts an attempt, before its password is compared. Throws `rate_limited` after too many. */
export async function countPasswordAttempt(
  deps: { readonly database: Queryable },
  attempt: PasswordAttempt,
): Promise<void> {
  const [row] = await deps.database.query<{ blocked_seconds: number | null; is_admitted: boolean }>(
    take,
    keysOf(attempt),
  );
  if (row?.is_admitted !== true) {
    throw new AppError("rate_limited", "Too many wrong passwords. Try again later.", {
      // The last token was taken at the same moment: its own wait is not known here.
      retryAfterSeconds: row?.blocked_seconds ?? 60,
    });
  }
}

/** Takes an attempt back whose password was right. */
export async function forgivePasswordAttempts(
  deps: { readonly database: Queryable },
  attempt: PasswordAttempt,
): Promise<void> {
  await deps.database.query(forgive, keysOf(attempt));
}

function keysOf({ email, clientAddress }: PasswordAttempt): string[] {
  // A hash: what people mistype as their address is nothing to keep.
  const account = createHash("sha256").update(email).digest("base64url");
  return [`address:${limitKeyOf(clientAddress)}`, `account:${account}`];
}
