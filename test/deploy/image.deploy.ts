/**
 * The image that the Dockerfile describes, built in folders and run without Docker: its own RUN lines, its own files and nothing else, as its user, on
 * a root that nobody can write to.
 */
import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { lstat, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMigratedDatabase } from "../support/app.ts";
import { freePort } from "../support/free-port.ts";
import { holdMigrations } from "../support/hold-migrations.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { Container, prepareContainer } from "./container.ts";
import { type ImageConfig, imageConfig, readDockerfile, root } from "./dockerfile.ts";
import { buildImageFolder } from "./image-folders.ts";

const run = promisify(execFile);

let folder: string;
let image: string;
let config: ImageConfig;
let files: readonly string[];

beforeAll(async () => {
  // Beside the packages, so that they can be linked.
  await mkdir(join(root, ".cache"), { recursive: true });
  folder = await mkdtemp(join(root, ".cache/image-"));
  const stages = await readDockerfile();
  config = imageConfig(stages);
  image = await buildImageFolder(stages, folder);
  files = globSync("**/*", { cwd: image, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(image, join(entry.parentPath, entry.name)));
  await prepareContainer(image);
}, 180_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function environment(databaseUrl: string): Promise<Record<string, string>> {
  return {
    DATABASE_URL: databaseUrl,
    BYOND_SECRET: "0123456789abcdef0123456789abcdef",
    // The test's machine is not to be reached from elsewhere.
    HOST: "127.0.0.1",
    PORT: String(await freePort()),
  };
}

test("it holds Node, the libraries that it links to, the server and the packages of production, and nothing else", async () => {
  const outside = files.filter((path) => !path.startsWith("app/"));
  const libraries = outside.filter((path) => /^lib(64)?\/.*\.so(\.\d+)*$/.test(path));
  expect(outside.filter((path) => !libraries.includes(path)).sort()).toEqual(["etc/passwd", "usr/local/bin/node"]);
  // The loader, and those that the guide counts.
  expect(libraries.length).toBeLessThanOrEqual(8);

  const { packages } = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8"));
  const expected = Object.entries<{ dev?: boolean; optional?: boolean; devOptional?: boolean; link?: boolean }>(
    packages,
  )
    .filter(
      ([path, { dev, optional, devOptional, link }]) =>
        /node_modules/.test(path) && !(dev || optional || devOptional || link),
    )
    .map(([path]) => path);
  const { packages: installed } = JSON.parse(
    await readFile(join(image, "app/node_modules/.package-lock.json"), "utf8"),
  );
  expect(
    Object.keys(installed)
      .filter((path) => path.startsWith("node_modules/") && !installed[path].link)
      .sort(),
  ).toEqual(expected.sort());
  const { stdout } = await run(process.execPath, [join(root, "scripts/print-sbom.ts")], { maxBuffer: 1 << 24 });
  const bill: { components: readonly { "bom-ref": string }[] } = JSON.parse(stdout);
  const names = expected.map((path) => `${path.replace(/^.*node_modules\//, "")}@${packages[path].version}`);
  expect(bill.components.map((component) => component["bom-ref"]).sort()).toEqual([...new Set(names)].sort());
  expect(await readdir(join(image, "app/node_modules/@byond"))).toEqual(["embedded-postgres", "rest"]);
  expect(files.filter((path) => /\.(map|d\.ts|d\.cts|d\.mts)$/.test(path))).toEqual([]);
  expect(files.filter((path) => /(^|\/)(\.env|\.npmrc|\.git|\.byond)(\/|$)/.test(path))).toEqual([]);
});

test("native code of its packages links to libraries that are in it", async () => {
  const addons = globSync(`app/node_modules/*/prebuilds/linux-${process.arch}/*.glibc.node`, { cwd: image });
  expect(addons).not.toEqual([]);
  for (const addon of addons) {
    const { stdout } = await run("ldd", [join(image, addon)]);
    const needed = Array.from(stdout.matchAll(/(?:=> |^\s+)(\/\S+)/gm), ([, path = ""]) => path.slice(1));
    expect(needed.filter((path) => !files.includes(path))).toEqual([]);
  }
});

test("it is small, and the guide says how small", async () => {
  const sizes = await Promise.all(files.map(async (path) => ({ path, bytes: (await lstat(join(image, path))).size })));
  const megabytes = (isPart: (path: string) => boolean) =>
    Math.round(sizes.filter(({ path }) => isPart(path)).reduce((sum, { bytes }) => sum + bytes, 0) / 1e6);
  const total = megabytes(() => true);
  console.log(
    `The image has ${total} MB: Node and its libraries ${megabytes((path) => !path.startsWith("app/"))}, packages ` +
      `${megabytes((path) => path.startsWith("app/node_modules/"))}, the server ${megabytes((path) => /^app\/(?!node_modules)/.test(path))}.`,
  );
  const guide = await readFile(join(root, "docs/guides/deploy.md"), "utf8");
  const [, stated] = /some (\d+) MB, of which/.exec(guide) ?? [];
  expect(Math.abs(total - Number(stated))).toBeLessThanOrEqual(5);
});

const { missing } = Container;
describe.skipIf(missing !== undefined)(`in a container${missing === undefined ? "" : `: ${missing}`}`, () => {
  test("it migrates an empty database, serves on a read-only root as its user, is healthy, and ends with 0 on SIGTERM", async () => {
    const database = await createTestDatabase();
    const variables = await environment(database.url);
    const command = [...config.entrypoint, ...config.command];
    await using server = new Container(image, config, { environment: variables, command });
    const url = await server.main.url();
    const docs = await fetch(`${url}/docs`);
    expect(docs.status).toBe(200);
    const lookup = await fetch(`${url}/api/v1/lookup?number=+6591234567`);
    expect(lookup.status).toBe(401);
    expect((await fetch(`${url}/console/`)).status).toBe(200);

    await using healthy = new Container(image, config, { environment: variables, command: config.healthCheck });
    expect(await healthy.main.exited).toEqual({ code: 0, signal: null });
    const elsewhere = { ...variables, PORT: String(await freePort()) };
    await using unhealthy = new Container(image, config, { environment: elsewhere, command: config.healthCheck });
    expect(await unhealthy.main.exited).toEqual({ code: 1, signal: null });

    server.signal("SIGTERM");
    expect(await server.main.exited).toEqual({ code: 0, signal: null });
    expect(server.main.log).toContain('"event":"stopped"');
    await database.drop();
  });

  test("with workers it serves and ends in the same way", async () => {
    const database = await createMigratedDatabase();
    const variables = { ...(await environment(database.url)), WORKERS: "2" };
    const command = [...config.entrypoint, ...config.command];
    await using server = new Container(image, config, { environment: variables, command });
    expect((await fetch(`${await server.main.url()}/readyz`)).status).toBe(200);
    server.signal("SIGTERM");
    expect(await server.main.exited).toEqual({ code: 0, signal: null });
    await database.drop();
  });

  test.each(["1", "2"])(
    "SIGTERM ends a start of %s workers that waits for the migrations of another server with 0",
    async (WORKERS) => {
      const database = await createMigratedDatabase();
      await using holder = await holdMigrations(database.url);
      const variables = { ...(await environment(database.url)), WORKERS };
      const command = [...config.entrypoint, ...config.command];
      await using server = new Container(image, config, { environment: variables, command });
      await holder.isWaitedFor();
      server.signal("SIGTERM");
      expect(await server.main.exited).toEqual({ code: 0, signal: null });
      expect(server.main.output).toBe("");
      await database.drop();
    },
  );

  test("SIGTERM ends it while its program is still read", async () => {
    // A signal of its own: one from outside could come before Node runs any of it.
    const hooks = `import { registerHooks } from "node:module";
      registerHooks({ load(url, context, next) {
        if (url.endsWith("/src/main.js")) { process.kill(process.pid, "SIGTERM"); }
        return next(url, context);
      } });`;
    const [node = "", ...args] = config.entrypoint;
    const command = [node, "--import", `data:text/javascript,${encodeURIComponent(hooks)}`, ...args, ...config.command];
    const database = await createMigratedDatabase();
    await using server = new Container(image, config, { environment: await environment(database.url), command });
    const started = server.main.url().catch(() => undefined);
    await Promise.race([server.main.exited, started]);
    expect(server.main.output).toBe("");
    // 0 if it was about to start, when it came to handle the signal.
    expect([0, 143]).toContain((await server.main.exited).code);
    await database.drop();
  });

  test("nobody can write to it, and its user is not root", async () => {
    const script = `const fs = require("node:fs");
      const tried = ["/app", "/tmp", "/etc", "/"].map((path) => { try { fs.writeFileSync(path + "/x", ""); return "written"; } catch (error) { return error.code; } });
      console.log(JSON.stringify({ uid: process.getuid(), groups: process.getgroups(), pid: process.pid, cwd: process.cwd(), tried }));`;
    await using container = new Container(image, config, { environment: {}, command: ["node", "-e", script] });
    await container.main.exited;
    expect(JSON.parse(container.main.output)).toEqual({
      uid: 65532,
      groups: [65532],
      pid: 1,
      cwd: "/app",
      tried: ["EROFS", "EROFS", "EROFS", "EROFS"],
    });
  });

  test("commands of the operator are what comes after the image's name, or the program in a container that runs", async () => {
    const database = await createMigratedDatabase();
    const variables = { ...(await environment(database.url)), METRICS_TOKEN: "0123456789abcdef0123456789abcdef" };
    await using server = new Container(image, config, {
      environment: variables,
      command: [...config.entrypoint, ...config.command],
    });
    const url = await server.main.url();
    const outcomeOf = async (command: readonly string[], input = "") => {
      await using container = new Container(image, config, { environment: variables, command, input });
      const { code } = await container.main.exited;
      return { code, output: container.main.written };
    };
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    expect(await outcomeOf([...config.entrypoint, "--version"])).toEqual({ code: 0, output: `${version}\n` });

    const account = ["create-account", "--email", "ada@example.com", "--name", "Acme"];
    expect(await outcomeOf(["node", "src/bin.js", ...account], "correct horse battery\n")).toMatchObject({ code: 0 });
    const signIn = await fetch(`${url}/api/v1/auth/sign-in`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ email: "ada@example.com", password: "correct horse battery" }),
    });
    expect(signIn.status).toBe(200);
    const { findings } = JSON.parse((await outcomeOf(["node", "src/bin.js", "doctor", "--json"])).output);
    expect(findings.filter(({ verdict }: { verdict: string }) => verdict === "fault")).toEqual([]);
    expect(await outcomeOf(["node", "src/bin.js", "servers"])).toMatchObject({ code: 0 });
    expect(await outcomeOf(["node", "src/bin.js", "top", "--once"])).toMatchObject({ code: 0 });
    await database.drop();
  });
});
