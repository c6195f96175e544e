/** The unit of `deploy/systemd/`: systemd's own checks of it, and its commands without systemd. */
import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { missingOf } from "../clients/toolchains.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { freePort } from "../support/free-port.ts";
import { MainProcess, makeFolder, root } from "../system/main-process.ts";
import { exampleSettings, secret } from "./example-server.ts";

const unit = (await readFile(join(root, "deploy/systemd/byond.service"), "utf8"))
  .replaceAll("/usr/bin/node", process.execPath)
  .replaceAll("/opt/byond", root.replace(/\/$/, ""));

/** The values of a setting of the unit, in order. */
const valuesOf = (name: string) => Array.from(unit.matchAll(new RegExp(`^${name}=(.*)$`, "gm")), ([, value]) => value);

const missing = missingOf(["systemd-analyze"]);

describe.skipIf(missing !== undefined)(`systemd-analyze${missing === undefined ? "" : ": not installed"}`, () => {
  test.each([
    ["knows all that is in the unit", ["verify", "--man=no"]],
    ["finds little that the service could do to the machine", ["security", "--offline=true", "--threshold=20"]],
  ])("%s", async (_, args) => {
    await using folder = await makeFolder();
    const file = join(folder.path, "byond.service");
    await writeFile(file, unit);
    const { status, stdout, stderr } = spawnSync("systemd-analyze", [...args, file], { encoding: "utf8" });
    expect([status, stderr], stdout).toEqual([0, ""]);
  });
});

/** Runs what the unit runs, with the environment that it says. */
async function startUnit(folder: string, changes: Readonly<Record<string, string>> = {}) {
  const environment = {
    ...(await exampleSettings(await freePort())),
    ...Object.fromEntries(
      valuesOf("Environment")
        .flatMap((line = "") => line.split(" "))
        .map((assignment) => assignment.replace("%d", folder).replace("%C", folder).split("=")),
    ),
    ...changes,
  };
  const [program = "", ...args] = valuesOf("ExecStart")[0]?.split(" ") ?? [];
  // The folder of the checkout may have a .env file, which the server would read.
  const command = [program, ...args.map((arg) => arg.replace(/^src\//, join(root, "src/")))] as const;
  const server = new MainProcess({ command: [command[0], ...command.slice(1)], cwd: folder, environment });
  const shell = /^\/bin\/sh -c '(.*)'$/.exec(valuesOf("ExecStartPost")[0] ?? "")?.[1] ?? "exit 99";
  const waiting = new MainProcess({
    command: ["/bin/sh", "-c", shell],
    cwd: folder,
    environment: { ...environment, MAINPID: String(server.processId) },
  });
  return {
    server,
    waiting,
    url: `http://127.0.0.1:${environment.PORT}`,
    [Symbol.asyncDispose]: async () => {
      await waiting[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe.skipIf(missingOf(["curl"]) !== undefined)("the unit's commands", () => {
  test("the start is over when the server is ready, with its secrets from files, and it stops in time", async () => {
    const database = await createMigratedDatabase();
    await using folder = await makeFolder();
    await writeFile(join(folder.path, "byond-secret"), `${secret}\n`, { mode: 0o600 });
    await writeFile(join(folder.path, "database-url"), `${database.url}\n`, { mode: 0o600 });
    await writeFile(join(folder.path, "metrics-token"), "a token of the tests\n", { mode: 0o600 });
    {
      await using started = await startUnit(folder.path);
      expect(await started.waiting.exited).toEqual({ code: 0, signal: null });
      expect((await fetch(`${started.url}/readyz`)).status).toBe(200);
      const headers = { Authorization: "Bearer a token of the tests" };
      expect((await fetch(`${started.url}/metrics`, { headers })).status).toBe(200);
      const beforeMs = performance.now();
      expect(await started.server.stop()).toEqual({ code: 0, signal: null });
      expect(performance.now() - beforeMs).toBeLessThan(
        Number.parseInt(valuesOf("TimeoutStopSec")[0] ?? "", 10) * 1_000,
      );
    }
    await database.drop();
  });

  test("the start fails as soon as the server has ended", async () => {
    await using folder = await makeFolder();
    await writeFile(join(folder.path, "byond-secret"), "too short", { mode: 0o600 });
    await using started = await startUnit(folder.path);
    expect(await started.waiting.exited).toEqual({ code: 1, signal: null });
    expect(await started.server.exited).toEqual({ code: 1, signal: null });
    expect(started.server.log).toContain("DATABASE_URL_FILE");
  });
});
