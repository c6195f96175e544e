import type { Database } from "../../database/database.ts";
import type { Sweep } from "../../database/sweeper.ts";
import { sweepPages } from "../../database/table-sweeps.ts";

/** Removes suppressions that are over on every channel. */
export function suppressionSweep(
  deps: { readonly database: Pick<Database, "transaction"> },
  suppressionDays: number,
): Sweep {
  return sweepPages(deps, {
    table: "suppression",
    isStale: `created_at <= byond_now() - ${suppressionDays} * interval '1 day'`,
  });
}
