import { defineConfig } from "vitest/config";

/** `npm run test:recipes`, which needs nginx, HAProxy, Caddy and systemd-analyze. */
export default defineConfig({
  test: {
    include: ["test/recipes/**/*.recipe.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    testTimeout: 180_000,
    hookTimeout: 60_000,
    // Each has servers under load.
    fileParallelism: false,
  },
});
