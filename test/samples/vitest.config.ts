import { defineConfig } from "vitest/config";

/** `npm run test:samples`, which needs the toolchains of the samples' languages. `npm test` runs those in curl and JavaScript. */
export default defineConfig({
  test: {
    include: ["test/samples/**/*.samples.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    testTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    // All samples of a language are built and run in one hook.
    hookTimeout: 300_000,
  },
});
