import type { Database, Queryable } from "./database.ts";
import { statementOfParts, text } from "./statement.ts";
import { askBuckets, type LimitedKey, limitedKeyBucket, limitedKeyParameters, limitedKeyValues } from "./throttle.ts";

const places = ["first", "second", "third"] as const;

const take = statementOfParts<{ isTaken: boolean; waitSeconds: number | null }, (typeof places)[number]>("take_tokens")(
  { realm: text, ...limitedKeyParameters },
  (p, asked) => {
    const buckets = asked.map((name, index) => limitedKeyBucket(p, index, { name, workspaceId: p.realm }));
    const { ctes, allTaken } = askBuckets(buckets, "true");
    return `WITH ${ctes} SELECT ${allTaken} AS is_taken, (SELECT seconds FROM wait) AS wait_seconds`;
  },
);

/**
 * Takes a token of each key, in this order, if none of them is used up. Returns undefined if it did, otherwise the seconds
 * until a retry is worthwhile. `realm` takes the place of a workspace id: these counts belong to no workspace.
 */
export async function takeTokens(
  database: Pick<Database, "transaction">,
  realm: string,
  keys: readonly [LimitedKey, LimitedKey?, LimitedKey?],
): Promise<number | undefined> {
  return database.transaction((transaction) => takeTokensIn(transaction, realm, keys));
}

/** The same in a transaction: what is rolled back took none. */
export async function takeTokensIn(
  transaction: Queryable,
  realm: string,
  keys: readonly [LimitedKey, LimitedKey?, LimitedKey?],
): Promise<number | undefined> {
  const limited = keys.filter((key) => key !== undefined);
  const statement = take(places.slice(0, limited.length));
  const [row] = await transaction.run(statement, { realm, ...limitedKeyValues(limited) });
  // No wait was found if the last token was taken at the same moment.
  return row?.isTaken === true ? undefined : (row?.waitSeconds ?? 60);
}
