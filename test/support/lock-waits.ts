import { expect, vi } from "vitest";

const waitingStatements =
  "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

/** Waits until that many statements of a database wait for a lock. `query` must not be in a transaction, which would see the same ones each time. */
export async function untilWaitingForLocks(
  count: number,
  query: (text: string) => Promise<readonly unknown[]>,
): Promise<void> {
  await vi.waitFor(async () => expect((await query(waitingStatements)).length).toBeGreaterThanOrEqual(count), {
    timeout: 20_000,
    interval: 5,
  });
}
