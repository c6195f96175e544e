/** What `npm start` and `npm run pack` do with the console. */
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
