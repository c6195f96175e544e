import type { Clock } from "../../../clock.ts";
import { LruMap } from "../../../lru-map.ts";
import type { Logger } from "../../../observe/log.ts";

/** How often the log says that the hook of a workspace fails. */
const intervalMs = 60_000;
/** Workspaces whose failures are counted until the next line. */
const maxWorkspaces = 1_000;

interface Reported {
  readonly atMs: number;
  unreported: number;
}

/** Logs that hooks fail: at once, and then a line a minute for each workspace at most, with the number of failures since the last one. */
export function hookFailureReporter(
  logger: Pick<Logger, "warn">,
  clock: Pick<Clock, "monotonicMs">,
): (workspaceId: string, reason: string) => void {
  const reported = new LruMap<string, Reported>(maxWorkspaces);
  return (workspaceId, reason) => {
    const nowMs = clock.monotonicMs();
    const last = reported.get(workspaceId);
    if (last !== undefined && nowMs - last.atMs < intervalMs) {
      last.unreported += 1;
      return;
    }
    reported.set(workspaceId, { atMs: nowMs, unreported: 0 });
    logger.warn("guard_hook_failed", { workspace_id: workspaceId, failures: (last?.unreported ?? 0) + 1, reason });
  };
}
