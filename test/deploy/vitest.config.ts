import { defineConfig } from "vitest/config";

/** `npm run test:deploy`, which needs the registries of packages: the image is made, and what reads the examples is installed. */
export default defineConfig({
  test: {
    include: ["test/deploy/**/*.deploy.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    testTimeout: 180_000,
    hookTimeout: 300_000,
    // Both install packages, and the first is mostly waiting.
    maxWorkers: 2,
  },
});
