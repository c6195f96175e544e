import type { Queryable } from "../database/database.ts";
import { hmacSha256 } from "../hmac-sha256.ts";
import { limitKeyOf, unknownSource } from "../rpc/access/client-address.ts";
import type { Keyring } from "../secrets.ts";

/** How long a source counts as known to an account after the last session that began there. */
export const knownSourceDays = 90;

/**
 * How the database knows that an account was signed in to from a source: a keyed hash for each master secret, the current
 * one's first, so that a rotation forgets nobody. None where the source cannot be told: nobody is known by that.
 */
export function sourceIndexes(keyring: Keyring, accountId: string, clientAddress: string | undefined): Buffer[] {
  const source = limitKeyOf(clientAddress);
  return source === unknownSource
    ? []
    : keyring.all.map((secret) => hmacSha256(secret.subkey("sign-in-source"), `${accountId} ${source}`));
}

const sweep = {
  name: "sweep_known_sources",
  text: `
    WITH swept AS (
      DELETE FROM known_source WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM known_source WHERE expires_at <= byond_now() ORDER BY expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED
      ))
      RETURNING 1
    )
    SELECT count(*)::integer AS count FROM swept`,
};

/** Deletes sources that count as known no more, a thousand at a time until none is left. */
export async function sweepKnownSources(database: Queryable): Promise<void> {
  for (let count = 1_000; count === 1_000; ) {
    const [row] = await database.query<{ count: number }>(sweep, []);
    count = row?.count ?? 0;
  }
}
