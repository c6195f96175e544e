import { defineConfig } from "vitest/config";

/** `npm run test:smpp`, which needs Java, and Maven Central for the first run. */
export default defineConfig({
  test: {
    include: ["test/smpp/**/*.smpp.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    testTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 120_000,
  },
});
