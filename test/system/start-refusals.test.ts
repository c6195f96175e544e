/** Starts that are refused for who starts the process, and how: exit status 1, and a sentence that says what to do. */
import { spawnSync } from "node:child_process";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MainProcess, makeFolder, root } from "./main-process.ts";

const nobody = { uid: 65534, gid: 65534 };
/** A checkout below a folder that only root may enter is nobody else's. */
const nobodyMayRead = process.getuid?.() === 0 && spawnSync("cat", [join(root, "src/main.ts")], nobody).status === 0;

/** Runs until it ends, which it should do by itself, and tells what it said. */
async function refusal(environment: Record<string, string>, args: readonly string[] = []) {
  await using main = new MainProcess({ environment, args });
  expect(await main.exited).toEqual({ code: 1, signal: null });
  expect(main.output).toBe("");
  // For the operator: no stack, no code.
  expect(main.log).not.toMatch(/\n\s+at |node:internal|\.ts:\d/);
  return main.log;
}

test("unknown arguments are refused, not ignored", async () => {
  for (const [args, sentence] of [
    [["--port", "80"], 'Unknown option "--port". Run byond --help for a list.'],
    [["--byond-secret=hunter2"], 'Unknown option "--byond-secret". Run byond --help for a list.'],
    [["create-acount", "--email", "hunter2"], 'Unknown command "create-acount". Run byond --help for a list.'],
    [["start", "hunter2"], "start takes options only, no other arguments. Usage: byond start"],
  ] as const) {
    expect(await refusal({ PORT: "0" }, args)).toBe(`${sentence}\n`);
  }
});

test("a .env file that cannot be read is refused", async () => {
  await using folder = await makeFolder();
  await symlink(".env", join(folder.path, ".env"));
  const command = [process.execPath, join(root, "src/main.ts")] as const;
  await using main = new MainProcess({ command, cwd: folder.path, environment: { PORT: "0" } });
  expect(await main.exited).toEqual({ code: 1, signal: null });
  expect(main.log).toContain("the .env file cannot be read: ELOOP");
});

test("a second server on the same data folder is refused, and the first one goes on", async () => {
  await using folder = await makeFolder();
  const environment = { PORT: "0", DATA_DIR: folder.path };
  await using first = new MainProcess({ environment });
  const url = await first.url();
  const said = await refusal(environment);
  expect(said).toContain(`another Byond server is already running on ${folder.path}`);
  expect(said).toContain("DATA_DIR");
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  expect(await first.stop()).toEqual({ code: 0, signal: null });
});

test.skipIf(!nobodyMayRead)("a data folder of another user is refused", async () => {
  await using folder = await makeFolder(0o755);
  const dataDir = join(folder.path, "data");
  await using main = new MainProcess({ environment: { DATA_DIR: dataDir, PORT: "0" }, user: nobody });
  expect(await main.exited).toEqual({ code: 1, signal: null });
  expect(main.log).toContain(`DATA_DIR, ${dataDir}, cannot be used: EACCES`);
  expect(main.log).not.toMatch(/\n\s+at /);
});

test("a secret file that cannot be read is refused", async () => {
  await using folder = await makeFolder();
  await mkdir(join(folder.path, "secret"), { mode: 0o700 });
  const said = await refusal({ DATA_DIR: folder.path, PORT: "0" });
  expect(said).toContain("DATA_DIR: its secret cannot be read or created: EISDIR");
});

test("a secret file that is damaged, or readable by everybody, is refused", async () => {
  await using folder = await makeFolder();
  const path = join(folder.path, "secret");
  await writeFile(path, "short", { mode: 0o600 });
  const said = await refusal({ DATA_DIR: folder.path, PORT: "0" });
  expect(said).toContain(`${path} holds no usable secret`);
  await chmod(path, 0o604);
  expect(await refusal({ DATA_DIR: folder.path, PORT: "0" })).toContain(`${path} is readable by every user`);
});

test("a DATA_DIR where no folder can be made is refused, and not tried for ever", async () => {
  expect(await refusal({ DATA_DIR: "/proc/byond", PORT: "0" })).toContain(
    "DATA_DIR, /proc/byond, cannot be used: ENOENT",
  );
});
