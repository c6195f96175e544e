import type { Database } from "../../../database/database.ts";
import type { Sweep } from "../../../database/sweeper.ts";
import { sweepOldest } from "../../../database/table-sweeps.ts";

/** Removes fixed codes that have expired. */
export function fixedCodeSweep(deps: { readonly database: Pick<Database, "transaction"> }): Sweep {
  return sweepOldest(deps, { table: "fixed_code", column: "expires_at", until: "(SELECT byond_now())" });
}
