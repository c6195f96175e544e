import type { Database } from "../../database/database.ts";
import type { Sweep } from "../../database/sweeper.ts";
import { sweepOldest } from "../../database/table-sweeps.ts";

/** Removes sessions whose time is over. No token of theirs is valid any more, so there is nothing to revoke. */
export function sessionSweep(deps: { readonly database: Pick<Database, "transaction"> }): Sweep {
  return sweepOldest(deps, { table: "session", column: "expires_at", until: "(SELECT byond_now())" });
}
