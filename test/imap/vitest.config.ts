import { defineConfig } from "vitest/config";

/** `npm run test:imap`, which needs Dovecot. */
export default defineConfig({
  test: {
    include: ["test/imap/**/*.imap.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    testTimeout: 30_000,
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 60_000,
  },
});
