/** The Composer package of the PHP SDK, installed into an empty project without Packagist. */
import { execFile, spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import rootPackage from "../../package.json" with { type: "json" };
import { useTestApp } from "../support/app.ts";
import { makeFolder, root } from "../system/main-process.ts";

const run = promisify(execFile);
const sdk = join(root, "sdk/php");
const runs = (program: string) => spawnSync(program, ["--version"]).status === 0;
const hasPhp = spawnSync("php", ["-r", "exit(extension_loaded('curl') ? 0 : 1);"]).status === 0;
const app = useTestApp();

/** The lines of the README's first example, which say that they are the whole program. */
async function readmeCode(folder: string): Promise<string> {
  const readme = await readFile(join(folder, "README.md"), "utf8");
  const [, code = ""] = /```php\n(.*?)```/s.exec(readme) ?? [];
  expect(code.trim().split("\n")).toHaveLength(5);
  return code;
}

async function sandboxEnvironment(): Promise<NodeJS.ProcessEnv> {
  const { session } = await app.signUp();
  const { key } = (await app.rest("POST", "/api-keys", { session, body: { name: "try", mode: "test" } })).body;
  return { BYOND_URL: app.url, BYONDAPI_KEY: key, PATH: process.env.PATH };
}

// Machines without PHP, Composer or phpcs leave these out; CI installs all three.
describe.skipIf(!hasPhp || !runs("composer"))("the package byond/sdk", () => {
  let project = "";

  beforeAll(async () => {
    const folder = await makeFolder();
    project = folder.path;
    const env = {
      ...process.env,
      COMPOSER_HOME: join(project, "home"),
      COMPOSER_ALLOW_SUPERUSER: "1",
      COMPOSER_DISABLE_NETWORK: "1",
    };
    const archive = ["archive", "--no-interaction", "--format=tar", `--dir=${project}`, "--file=byond-sdk"];
    await run("composer", archive, { cwd: sdk, env });
    await mkdir(join(project, "package"));
    await run("tar", ["-xf", "byond-sdk.tar", "-C", "package"], { cwd: project });
    const repository = {
      type: "path",
      url: "package",
      // Packagist reads the version from the tag.
      options: { symlink: false, versions: { "byond/sdk": rootPackage.version } },
    };
    await writeFile(
      join(project, "composer.json"),
      JSON.stringify({ repositories: [repository, { "packagist.org": false }] }),
    );
    await run("composer", ["require", "--no-interaction", `byond/sdk:^${rootPackage.version}`], { cwd: project, env });
    return () => folder[Symbol.asyncDispose]();
  });

  test("has the version and the licence of the server, and nothing but PHP and texts", async () => {
    const installed = join(project, "vendor/byond/sdk");
    const { license } = JSON.parse(await readFile(join(installed, "composer.json"), "utf8"));
    const { stdout: version } = await run("php", ["-r", "require 'vendor/autoload.php'; echo Byond\\Version::SDK;"], {
      cwd: project,
    });
    expect({ version, license }).toEqual({ version: rootPackage.version, license: rootPackage.license });
    expect((await readdir(installed)).sort()).toEqual([
      "LICENSE",
      "README.md",
      "autoload.php",
      "composer.json",
      "generated",
      "src",
    ]);
  });

  test("does what the first lines of its README say, as pasted", async () => {
    await writeFile(join(project, "try.php"), await readmeCode(join(project, "vendor/byond/sdk")));
    const { stdout } = await run("php", ["try.php"], { cwd: project, env: await sandboxEnvironment() });
    expect(stdout).toBe("approved\n");
  });
});

describe.skipIf(!hasPhp)("the PHP SDK", () => {
  test("does what the first lines of its README say without Composer, too", async () => {
    const code = (await readmeCode(sdk)).replace("<?php", "").replace("vendor/autoload.php", join(sdk, "autoload.php"));
    const { stdout } = await run("php", ["-r", code], { env: await sandboxEnvironment() });
    expect(stdout).toBe("approved\n");
  });

  test("has a README whose examples are PHP", async () => {
    const readme = await readFile(join(sdk, "README.md"), "utf8");
    const [, ...examples] = [...readme.matchAll(/^( *)```php\n(.*?)^ *```/gms)].map(([, , code]) => code);
    expect(examples.length).toBeGreaterThan(5);
    const check = "foreach (array_slice($argv, 1) as $code) { token_get_all('<?php ' . $code, TOKEN_PARSE); }";
    await run("php", ["-r", check, "--", ...examples.map(String)]);
  });

  test("has classes that PHP loads, whose public members are documented", async () => {
    const { stdout } = await run("php", ["test/check-classes.php"], { cwd: sdk });
    expect(stdout).toBe("");
  });

  test.skipIf(!runs("phpcs"))("is formatted as PSR-12 wants it", async () => {
    const { stdout } = await run("phpcs", ["--standard=PSR12", "--extensions=php", "-q", "."], { cwd: sdk }).catch(
      (error: { readonly stdout: string }) => error,
    );
    expect(stdout).toBe("");
  });
});
