/** Builds the console (`scripts/build-console.ts`), and serves it while it is written (`npm run dev:console`). */
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const root = import.meta.dirname;
const server = process.env.BYOND_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  root,
  // Relative: the server may be below a path of a proxy.
  base: "./",
  publicDir: false,
  plugins: [react()],
  build: {
    outDir: join(root, "../../../../dist/console"),
    emptyOutDir: true,
    target: "es2023",
    // Inlined fonts and images would need `data:` in the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: Object.fromEntries(
      ["/byond.v1.", "/api/", "/docs", "/dev/", "/readyz", "/openapi.json"].map((path) => [path, server]),
    ),
  },
});
