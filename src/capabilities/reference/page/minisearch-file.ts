import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { once } from "../../../server/once.ts";

/** MiniSearch's own build for browsers, in `node_modules`. It has no dependencies. */
export interface MiniSearchFile {
  readonly version: string;
  read(): Promise<string>;
}

/** Found once for all servers of a process. */
export const findMiniSearch = once(async (): Promise<MiniSearchFile> => {
  const entry = createRequire(import.meta.url).resolve("minisearch");
  const folder = dirname(dirname(dirname(entry)));
  const { version }: { version: string } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  return {
    version,
    async read() {
      const text = await readFile(join(folder, "dist/es/index.js"), "utf8");
      // The source map is not served.
      return text.replace(/^\/\/# sourceMappingURL=.*$/m, "");
    },
  };
});
