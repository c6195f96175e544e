import { expect, test } from "vitest";
import { Revoker, type ServerBehind } from "../../src/revocation/revoker.ts";

/** A revoker whose pauses pass at once on its own clock. `looks` is what each look at the servers shows. */
function createRevoker(looks: readonly (readonly ServerBehind[] | Error)[]) {
  let nowMs = 0;
  let look = 0;
  const removed: (readonly ServerBehind[])[] = [];
  const recorded: (readonly string[])[] = [];
  const confirmed: { readonly durationMs: number; readonly unheardServers: number }[] = [];
  const revoker = new Revoker<undefined>({
    clock: { monotonicMs: () => nowMs, now: () => new Date(0) },
    patienceMs: 100,
    pause: async (ms) => {
      nowMs += ms;
    },
    onCommitted: () => undefined,
    onConfirmed: (durationMs, unheardServers) => confirmed.push({ durationMs, unheardServers }),
    store: {
      transaction: (work) => work(undefined),
      record: async (_transaction, subjects) => recorded.push(subjects),
      lastSequence: async () => 1,
      serversBehind: async () => {
        const seen = looks[Math.min(look, looks.length - 1)] ?? [];
        look += 1;
        if (seen instanceof Error) {
          throw seen;
        }
        return seen;
      },
      removeUnrenewed: async (servers) => {
        removed.push(servers);
      },
    },
  });
  const revoke = () => revoker.revoke(["key:a"], async () => "changed");
  return { revoker, revoke, removed, recorded, confirmed };
}

const slow = { id: "slow", renewals: 5, leaseMs: 1_000 };
const quick = { id: "quick", renewals: 7, leaseMs: 1_000 };
const away = new Error("the database is away");

test("it answers when no server is behind any more, and removes none", async () => {
  const { revoke, removed, confirmed } = createRevoker([[slow, quick], [slow], []]);
  expect(await revoke()).toBe("changed");
  expect(removed).toEqual([]);
  expect(confirmed).toMatchObject([{ unheardServers: 0 }]);
});

test("it waits for the longest lease and 10 %, and then removes the servers that have not renewed since they were first read", async () => {
  const longest = { ...quick, leaseMs: 3_000 };
  const { revoke, removed, confirmed } = createRevoker([
    [slow, longest],
    [{ ...slow, renewals: 6 }, longest],
  ]);
  await revoke();
  expect(confirmed[0]?.durationMs).toBeGreaterThanOrEqual(3_300);
  expect(confirmed[0]?.durationMs).toBeLessThan(3_301);
  expect(removed).toEqual([[slow, longest]]);
});

test("it does not wait for a server that has acknowledged, however long its lease", async () => {
  const { revoke, confirmed } = createRevoker([[slow, { ...quick, leaseMs: 3_000 }], [slow]]);
  await revoke();
  expect(confirmed[0]?.durationMs).toBeLessThan(1_101);
});

test("it does not wait for servers that registered after its first read", async () => {
  const { revoke, confirmed } = createRevoker([[slow], [{ ...quick, id: "new" }]]);
  await revoke();
  expect(confirmed).toMatchObject([{ unheardServers: 0 }]);
  expect(confirmed[0]?.durationMs).toBeLessThan(50);
});

test("reads that fail cost no more than waiting until the leases have expired", async () => {
  const { revoke, confirmed } = createRevoker([[slow], away]);
  await revoke();
  expect(confirmed).toMatchObject([{ unheardServers: 1 }]);
});

test("it does not answer without having read which servers to wait for", async () => {
  const { revoke, confirmed } = createRevoker([away]);
  await expect(revoke()).rejects.toMatchObject({ code: "outcome_unknown", cause: { message: "the database is away" } });
  expect(confirmed).toEqual([]);
});

test("a first read that fails is repeated", async () => {
  const { revoke, confirmed } = createRevoker([away, away, []]);
  await revoke();
  expect(confirmed).toHaveLength(1);
});

test("a change without subjects is not recorded, and one whose subjects follow from its result is", async () => {
  const { revoker, recorded, confirmed } = createRevoker([[]]);
  await revoker.revoke([], async () => undefined);
  expect(recorded).toEqual([]);
  await revoker.revoke(
    (prefix: string) => [`key:${prefix}`],
    async () => "abc",
  );
  expect(recorded).toEqual([["key:abc"]]);
  expect(confirmed).toHaveLength(1);
});
