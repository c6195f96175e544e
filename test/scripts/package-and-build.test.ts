/** What `npm start` and `npm pack` do with the console. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const run = promisify(execFile);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "byond-package-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("where the console cannot be built", () => {
  const build = async (...options: string[]) =>
    run(process.execPath, [join(folder, "scripts/build-console.ts"), ...options], { cwd: folder });

  beforeEach(async () => {
    await Promise.all([
      mkdir(join(folder, "scripts")),
      ...["gen", "node_modules", "package.json", "package-lock.json", "src"].map((name) =>
        symlink(join(root, name), join(folder, name)),
      ),
      // As on a file system that cannot be written to, for every user.
      writeFile(join(folder, "dist"), ""),
    ]);
    await cp(join(root, "scripts/build-console.ts"), join(folder, "scripts/build-console.ts"));
  });

  test("a start goes on without it, and says why", async () => {
    const { stdout } = await build("--optional");
    expect(stdout).toMatch(/^console: NOT BUILT, the server starts with none: .*dist/);
  });

  test("a package is not made", async () => {
    await expect(build()).rejects.toMatchObject({ code: 1 });
  });
});

test("the package contains the built console, and nothing that is secret or somebody's own", async () => {
  const packed = ["dist/console/index.html", "dist/console/assets/index-1.js", "src/main.ts"];
  const left = [".env", ".byond/secret", ".cache/picture.png", "dist/console-12/index.html", "server.log"];
  for (const path of [...packed, ...left]) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), "x");
  }
  await Promise.all([".npmignore", ".gitignore"].map((name) => cp(join(root, name), join(folder, name))));
  await writeFile(join(folder, "package.json"), '{"name":"byond","version":"0.0.0"}');
  const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts", "--offline"], {
    cwd: folder,
  });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  expect(files.map(({ path }) => path).sort()).toEqual([...packed, "package.json"].sort());
});
