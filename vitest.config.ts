import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: ["test/support/global-setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ["default"],
    projects: [
      {
        extends: true,
        test: {
          name: "product",
          include: ["test/**/*.test.ts"],
          exclude: ["test/system/**"],
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
          include: ["test/system/**/*.test.ts"],
          provide: { fuzzing: "short" },
          // They measure time, and have the machine for themselves.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
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
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
