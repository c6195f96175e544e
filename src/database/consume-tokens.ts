import type { Database, Queryable } from "./database.ts";
import { array, double, integer, statementOfParts, text } from "./statement.ts";
import { askBuckets, boundLimit, type ThrottleLimit } from "./throttle.ts";

/** A bucket of the throttle with one key, and its limit. */
export interface LimitedKey {
  readonly key: string;
  readonly limit: ThrottleLimit;
}

const places = ["first", "second", "third"] as const;

const take = statementOfParts<{ isTaken: boolean; waitSeconds: number | null }, (typeof places)[number]>("take_tokens")(
  { realm: text, keys: array(text), bursts: array(integer), periodsSeconds: array(double) },
  (p, asked) => {
    const buckets = asked.map((name, index) => {
      const nth = (list: string) => `(${list})[${index + 1}]`;
      const limit = boundLimit(nth(p.bursts), nth(p.periodsSeconds));
      return { name, workspaceId: p.realm, keys: `ARRAY[${nth(p.keys)}]`, limit, isTaken: true };
    });
    const { ctes, allTaken } = askBuckets(buckets, "true");
    return `WITH ${ctes} SELECT ${allTaken} AS is_taken, (SELECT seconds FROM wait) AS wait_seconds`;
  },
);

/**
 * Consumes a token of each key, in this order, if every key has one. Returns undefined if it did, otherwise the seconds until the
 * first empty key has a token again. `realm` takes the place of a workspace id: these buckets belong to no workspace.
 *
 * ```ts
 * const retryAfterSeconds = await consumeTokens(database, "sign-up", [{ key: `source:${address}`, limit }]);
 * if (retryAfterSeconds !== undefined) {
 *   throw new AppError("rate_limited", "Too many sign-ups. Try again later.", { retryAfterSeconds });
 * }
 * ```
 */
export async function consumeTokens(
  database: Pick<Database, "transaction">,
  realm: string,
  keys: readonly [LimitedKey, LimitedKey?, LimitedKey?],
): Promise<number | undefined> {
  return database.transaction((transaction) => consumeTokensIn(transaction, realm, keys));
}

/** The same in a transaction: a rollback returns the tokens. */
export async function consumeTokensIn(
  transaction: Queryable,
  realm: string,
  keys: readonly [LimitedKey, LimitedKey?, LimitedKey?],
): Promise<number | undefined> {
  const limited = keys.filter((key) => key !== undefined);
  const statement = take(places.slice(0, limited.length));
  const [row] = await transaction.run(statement, {
    realm,
    keys: limited.map(({ key }) => key),
    bursts: limited.map(({ limit }) => limit.burst),
    periodsSeconds: limited.map(({ limit }) => limit.periodSeconds),
  });
  // There is no wait if a concurrent call took the last token after the first look.
  return row?.isTaken === true ? undefined : (row?.waitSeconds ?? 60);
}
