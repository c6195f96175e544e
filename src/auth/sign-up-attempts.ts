import { change, type Database, type Queryable } from "../database/database.ts";
import { takeTokensIn } from "../database/take-tokens.ts";
import { askBuckets, boundLimit } from "../database/throttle.ts";
import { AppError } from "../errors.ts";
import { limitKeyOf } from "../rpc/access/client-address.ts";
import type { Keyring } from "../secrets.ts";
import { mailboxKey } from "./address-key.ts";

/** Sign-ups at once, where an hour allows that many: people who share an address behind one router come together. */
const mostAtOnce = 10;

/** Sign-ups at once that were told `already_exists`, and a tenth of what an hour allows: who asks for more goes through a list. */
const mostRefusedAtOnce = 5;
const refusedShare = 0.1;

interface SourceDependencies {
  readonly database: Pick<Database, "transaction">;
  readonly signUpsPerHour: number;
}

const source = { workspaceId: "'sign-up'", keys: "ARRAY[$1::text]", limit: boundLimit("$2", "$3") };
const refused = { workspaceId: "'sign-up'", keys: "ARRAY[$4::text]", limit: boundLimit("$5", "$6") };
const asked = askBuckets(
  [
    { ...source, name: "source", isTaken: true },
    { ...refused, name: "refused", isTaken: false },
  ],
  "true",
);

const take = {
  name: "take_sign_up",
  text: `WITH ${asked.ctes} SELECT ${asked.allTaken} AS is_taken, (SELECT seconds FROM wait) AS wait_seconds`,
};

/** Whether there is a token or not: those that were under way at once are all counted. */
const takeRefused = {
  name: "take_refused_sign_up",
  text: `
    INSERT INTO throttle AS bucket (workspace_id, key, tat)
    SELECT 'sign-up', $1, byond_now() + $2::double precision * interval '1 second'
    ON CONFLICT (workspace_id, key) DO UPDATE
      SET tat = greatest(bucket.tat, byond_now()) + $2::double precision * interval '1 second'`,
};

/**
 * Counts a sign-up by where it comes from, before anything is done for it; also one that fails. Throws `rate_limited`
 * after too many, or too many that were refused.
 */
export async function countSignUp(
  { database, signUpsPerHour }: SourceDependencies,
  { clientAddress }: { readonly clientAddress: string | undefined },
): Promise<void> {
  const key = limitKeyOf(clientAddress);
  const periodSeconds = 3_600 / signUpsPerHour;
  const [row] = await change<{ is_taken: boolean; wait_seconds: number | null }>(database, take, [
    `source:${key}`,
    Math.min(mostAtOnce, signUpsPerHour),
    periodSeconds,
    `refused:${key}`,
    Math.min(mostRefusedAtOnce, signUpsPerHour),
    periodSeconds / refusedShare,
  ]);
  if (row?.is_taken !== true) {
    throw new AppError("rate_limited", "Too many sign-ups from this address. Try again later.", {
      // No wait was found if the last token was taken at the same moment.
      retryAfterSeconds: row?.wait_seconds ?? 60,
    });
  }
}

/** Counts a sign-up that was told `already_exists`. */
export async function countRefusedSignUp(
  { database, signUpsPerHour }: SourceDependencies,
  { clientAddress }: { readonly clientAddress: string | undefined },
): Promise<void> {
  const values = [`refused:${limitKeyOf(clientAddress)}`, 3_600 / signUpsPerHour / refusedShare];
  await change(database, takeRefused, values);
}

/** Accounts for one mailbox from one source: five at once, then five a day. One source cannot use up the mailbox's. */
const pairLimit = { burst: 5, periodSeconds: 17_280 };

/** Accounts for one mailbox, however its address is spelt: twelve at once, then twelve a day. */
const mailboxLimit = { burst: 12, periodSeconds: 7_200 };

/**
 * Counts an account that is about to be made, in the same transaction: each may cause mails to the mailbox. Throws
 * `rate_limited` after too many.
 */
export async function countNewAccount(
  deps: { readonly keyring: Keyring },
  transaction: Queryable,
  { email, clientAddress }: { readonly email: string; readonly clientAddress: string | undefined },
): Promise<void> {
  const mailbox = mailboxKey(deps, email);
  const retryAfterSeconds = await takeTokensIn(transaction, "sign-up", [
    { key: `mailbox:${mailbox}:${limitKeyOf(clientAddress)}`, limit: pairLimit },
    { key: `mailbox:${mailbox}`, limit: mailboxLimit },
  ]);
  if (retryAfterSeconds !== undefined) {
    throw new AppError("rate_limited", "Too many sign-ups for this mailbox. Try again later.", { retryAfterSeconds });
  }
}
