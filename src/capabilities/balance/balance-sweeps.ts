import type { Database } from "../../database/database.ts";
import { statement } from "../../database/statement.ts";
import type { Sweep } from "../../database/sweeper.ts";
import { runSweep, sweepOldest } from "../../database/table-sweeps.ts";

type Dependencies = { readonly database: Pick<Database, "transaction"> };

/** One for a transaction: with several, it could wait in a circle with a server that closes one of them. */
const close = statement<{ closed: boolean }>("close_expired_spend_reserve")(
  {},
  () => `
    SELECT spend_close_reserve(workspace_id, id) AS closed FROM (
      SELECT workspace_id, id FROM spend_reserve WHERE expires_at <= (SELECT byond_now()) ORDER BY expires_at LIMIT 1
    ) AS expired`,
);

/** Closes reserves of servers that crashed: what was not charged goes back to the wallets. */
function reserveSweep(deps: Dependencies): Sweep {
  return {
    name: "spend_reserve",
    async removeBatch() {
      return (await runSweep(deps, close, {})) !== undefined;
    },
  };
}

/** Days for which it is known what was spent in a day or a month. Caps need a month. */
const periodRetentionDays = 400;

export function balanceSweeps(deps: Dependencies): readonly Sweep[] {
  const until = `(SELECT (byond_now() - interval '${periodRetentionDays} days')::date)`;
  return [reserveSweep(deps), sweepOldest(deps, { table: "spend_period", column: "starts", until })];
}
