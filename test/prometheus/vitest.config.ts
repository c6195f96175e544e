import { defineConfig } from "vitest/config";

/** `npm run test:prometheus`, which needs Prometheus and its promtool. */
export default defineConfig({
  test: {
    include: ["test/prometheus/**/*.prometheus.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
