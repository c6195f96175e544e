import type { Database, Queryable } from "./database.ts";
import { askBuckets, type Bucket, boundLimit, type ThrottleLimit } from "./throttle.ts";

/** A key of the throttle, and how many tokens it has. */
export interface LimitedKey {
  readonly key: string;
  readonly limit: ThrottleLimit;
}

const bucket = { workspaceId: "$1::text", isTaken: true } as const;
const first: Bucket = { ...bucket, name: "first", keys: "ARRAY[$2::text]", limit: boundLimit("$3", "$4") };
const second: Bucket = { ...bucket, name: "second", keys: "ARRAY[$5::text]", limit: boundLimit("$6", "$7") };
const third: Bucket = { ...bucket, name: "third", keys: "ARRAY[$8::text]", limit: boundLimit("$9", "$10") };

function takeFrom(name: string, buckets: readonly Bucket[]) {
  const { ctes, allTaken } = askBuckets(buckets, "true");
  return { name, text: `WITH ${ctes} SELECT ${allTaken} AS is_taken, (SELECT seconds FROM wait) AS wait_seconds` };
}

const takeOne = takeFrom("take_token", [first]);
const takeTwo = takeFrom("take_two_tokens", [first, second]);
const takeThree = takeFrom("take_three_tokens", [first, second, third]);

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
  const values = keys.flatMap((limited) =>
    limited === undefined ? [] : [limited.key, limited.limit.burst, limited.limit.periodSeconds],
  );
  const statement = keys[1] === undefined ? takeOne : keys[2] === undefined ? takeTwo : takeThree;
  const [row] = await transaction.query<{ is_taken: boolean; wait_seconds: number | null }>(statement, [
    realm,
    ...values,
  ]);
  // No wait was found if the last token was taken at the same moment.
  return row?.is_taken === true ? undefined : (row?.wait_seconds ?? 60);
}
