/** A step of a fallback may wait for what other calls hold of the balance. It does not keep its place for that. */
import { expect, test } from "vitest";
import { FallbackSender } from "../../../src/capabilities/verify/fallback/fallback-sender.ts";
import { timeLeftMs, withinTime } from "../../../src/database/call-deadline.ts";
import type { OutboxItem } from "../../../src/outbox/outbox.ts";

test("a step that waits has a deadline, and ends when its attempt is aborted", async () => {
  const leftMs: (number | undefined)[] = [];
  const run = () => {
    leftMs.push(timeLeftMs());
    return withinTime(new Promise<never>(() => undefined));
  };
  // Nothing else is used before the first wait ends.
  const deps = { database: { run } } as unknown as ConstructorParameters<typeof FallbackSender>[0];
  const item = { workspaceId: "ws", id: "vrf_1/1", subjectId: "vrf_1" } as OutboxItem;
  const attempt = new AbortController();
  const result = new FallbackSender(deps).send(item, attempt.signal);
  attempt.abort();
  expect(await result).toMatchObject({ kind: "retry" });
  expect(leftMs).toEqual([expect.any(Number)]);
});
