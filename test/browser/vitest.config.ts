import { defineConfig } from "vitest/config";

/** The tests that need a browser: `npm run test:browser`. `npm test` does without. */
export default defineConfig({
  test: {
    include: ["test/browser/**/*.browser.ts"],
    globalSetup: ["test/support/global-setup.ts", "test/browser/build-console.ts"],
    // Some tests go through two dozen pages, on a machine that may be busy.
    testTimeout: 180_000,
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 60_000,
    // Pages wait for timers more than for the processor.
    maxWorkers: 2,
  },
});
