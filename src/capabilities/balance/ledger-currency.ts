import { ConfigError } from "../../config/config-error.ts";
import { change, type Database } from "../../database/database.ts";
import { integer, statement, text } from "../../database/statement.ts";
import type { Prices } from "./prices.ts";

/** `ON CONFLICT DO UPDATE`, so that a row which another server has just written is seen. */
const claim = statement<{ currency: string; digits: number }>("claim_ledger_currency")(
  { currency: text, digits: integer },
  (p) => `
    INSERT INTO ledger_currency AS known (currency, digits) VALUES (${p.currency}, ${p.digits})
    ON CONFLICT (is_only) DO UPDATE SET digits = known.digits
    RETURNING currency, digits`,
);

/**
 * Makes the currency and the digits of the prices those of the ledger, if it has none yet. Throws `ConfigError` if it has others: all its amounts
 * would mean something else.
 */
export async function claimCurrency(
  database: Pick<Database, "transaction">,
  { currency, digits }: Prices,
): Promise<void> {
  const [known] = await change(database, claim, { currency, digits });
  if (known !== undefined && (known.currency !== currency || known.digits !== digits)) {
    throw new ConfigError([
      `PRICES: the balances of this database are in ${known.currency} with ${known.digits} digits after the point: set currency and digits to that`,
    ]);
  }
}
