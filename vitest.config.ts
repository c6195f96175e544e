import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** Tests of whole servers that measure how long something takes, or what comes before what: they have the machine for themselves. */
const timed = [
  "distributed-limits",
  "event-streams-under-load",
  "overload",
  "password-attempts",
  "postgres-outage",
  "provider-failover",
  "revocation",
  "revocation-faults",
  "thousand-streams",
].map((name) => `test/system/${name}.test.ts`);

/** Tests of one subject that take ten seconds or more: they stand with their subject, and run with those of the system. */
const long = [
  "attack/hostile-values",
  "capabilities/accounts/addresses",
  "capabilities/bounces/bounces",
  "capabilities/events/event-streams",
  "capabilities/lookup/lookup-history",
  "capabilities/reference/docs-site",
  "capabilities/reference/documented-requests",
  "capabilities/verify/reseal",
  "capabilities/verify/reseal-suppressions-and-fixed-codes",
  "capabilities/verify/secret-rotation",
  "idempotency/replays",
  "observe/trace-delivery",
  "rpc/deadline",
  "server/slow-clients",
].map((name) => `test/${name}.test.ts`);

export default defineConfig({
  test: {
    globalSetup: ["test/support/global-setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A second, as it would be, is not enough on a machine that is busy.
    expect: { poll: { timeout: 20_000 } },
    reporters: ["default"],
    projects: [
      {
        extends: true,
        test: {
          name: "product",
          include: ["test/**/*.test.ts"],
          exclude: ["test/system/**", ...long],
          provide: { fuzzing: "short" },
          // A worker loads the server once, not once a file: no test may leave anything behind that others notice.
          isolate: false,
          // One more than there are cores, since tests also wait; as many as the connections of one PostgreSQL are enough for.
          maxWorkers: Math.min(availableParallelism() + 1, 4),
        },
      },
      {
        extends: true,
        test: {
          name: "system",
          include: ["test/system/**/*.test.ts", ...long],
          exclude: timed,
          globalSetup: ["test/support/server-bundle.ts"],
          isolate: false,
          provide: { fuzzing: "short" },
          // One more than CI has cores, since they also wait: for processes, and for what a server does after seconds.
          maxWorkers: 3,
          testTimeout: 180_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "timed",
          include: timed,
          globalSetup: ["test/support/server-bundle.ts"],
          isolate: false,
          provide: { fuzzing: "short" },
          testTimeout: 180_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: "fuzz",
          // The fuzz tests of the first project, with more inputs: only `npm run test:all` runs them.
          include: ["test/**/*fuzz.test.ts"],
          provide: { fuzzing: "long" },
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
