import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "vite";
import { root } from "./server-program.ts";

const folder = join(root, "node_modules/.cache/server");

/**
 * Puts the server's own modules and those of its packages into one file, which the servers of the tests run: reading two thousand modules takes
 * more than half of the processor time of a start, and these tests start hundreds. Modules know where their sources are.
 */
export default async function setup(): Promise<void> {
  // Another project of this run has made it.
  if (process.env.TEST_SERVER_PROGRAM !== undefined) {
    return;
  }
  const built = await build({
    configFile: false,
    root,
    logLevel: "warn",
    plugins: [
      {
        name: "places-of-sources",
        transform: {
          // The program forks itself: it is where the bundle is.
          filter: { code: /import\.meta\.(dirname|url)/, id: { exclude: join(root, "src/main.ts") } },
          handler: (code, id) =>
            code
              .replaceAll("import.meta.dirname", JSON.stringify(dirname(id)))
              .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(id).href)),
        },
      },
    ],
    // Of the two that stay outside, one is native and one is read with `require`.
    ssr: { noExternal: true, external: ["argon2", "email-providers"] },
    build: {
      ssr: join(root, "src/main.ts"),
      write: false,
      minify: false,
      rolldownOptions: {
        treeshake: false,
        output: { entryFileNames: "main.mjs", chunkFileNames: "[name].mjs" },
      },
    },
  });
  const outputs = [built].flat().flatMap((one) => ("output" in one ? one.output : []));
  await mkdir(folder, { recursive: true });
  // Other runs of the tests may be reading them.
  for (const output of outputs.reverse()) {
    const path = join(folder, output.fileName);
    await writeFile(`${path}.${process.pid}`, output.type === "chunk" ? output.code : output.source);
    await rename(`${path}.${process.pid}`, path);
  }
  process.env.TEST_SERVER_PROGRAM = join(folder, "main.mjs");
}
