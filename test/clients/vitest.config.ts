import { defineConfig } from "vitest/config";

/** `npm run test:clients`, which needs the toolchains of other languages, and their package registries. */
export default defineConfig({
  test: {
    include: ["test/clients/**/*.clients.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    // A client is compiled with all that it depends on.
    testTimeout: 300_000,
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 120_000,
  },
});
