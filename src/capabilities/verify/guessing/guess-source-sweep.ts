import type { Database } from "../../../database/database.ts";
import type { Sweep } from "../../../database/sweeper.ts";
import { sweepPages } from "../../../database/table-sweeps.ts";
import { guessing } from "../verify.policy.ts";

/** Removes sources whose window is over, and whose last event is over: a source without a row has had no wrong code in it. */
export function guessSourceSweep(deps: { readonly database: Pick<Database, "transaction"> }): Sweep {
  return sweepPages(deps, {
    table: "guess_source",
    isStale: `since < (SELECT byond_now() - interval '${guessing.windowSeconds} seconds')
      AND (detected_until IS NULL OR detected_until < (SELECT byond_now()))`,
  });
}
