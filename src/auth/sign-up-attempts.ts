import type { Queryable } from "../database/database.ts";
import { boundLimit, hasToken, secondsUntilToken, takeToken } from "../database/throttle.ts";
import { AppError } from "../errors.ts";
import { limitKeyOf } from "../rpc/access/client-address.ts";

/** Sign-ups belong to no workspace: this stands in for one in the table of throttles. */
const workspaceId = "'sign-up'";

const limit = boundLimit("$2", "$3");

const take = {
  name: "take_sign_up",
  text: `
    WITH blocked AS (
      SELECT ${secondsUntilToken("tat", limit)} AS seconds
      FROM throttle WHERE workspace_id = ${workspaceId} AND key = $1 AND NOT ${hasToken("tat", limit)}
    ), token AS (
      ${takeToken({ workspaceId, key: "$1::text", limit, from: "WHERE NOT EXISTS (SELECT FROM blocked)" })}
    )
    SELECT (SELECT seconds FROM blocked) AS blocked_seconds, EXISTS (SELECT FROM token) AS is_admitted`,
};

/** Sign-ups at once, where an hour allows that many: people who share an address behind one router come together. */
const mostAtOnce = 10;

/**
 * Counts a sign-up by where it comes from, before anything is done for it; also one that fails. Throws `rate_limited`
 * after too many.
 */
export async function countSignUp(
  deps: { readonly database: Queryable; readonly signUpsPerHour: number },
  { clientAddress }: { readonly clientAddress: string | undefined },
): Promise<void> {
  const { signUpsPerHour } = deps;
  const burst = Math.min(mostAtOnce, signUpsPerHour);
  const values = [`source:${limitKeyOf(clientAddress)}`, burst, 3_600 / signUpsPerHour];
  const [row] = await deps.database.query<{ blocked_seconds: number | null; is_admitted: boolean }>(take, values);
  if (row?.is_admitted !== true) {
    throw new AppError("rate_limited", "Too many sign-ups from this address. Try again later.", {
      // The last token was taken at the same moment: its own wait is not known here.
      retryAfterSeconds: row?.blocked_seconds ?? 60,
    });
  }
}
