/** What the server's children, PostgreSQL and what starts it, get to know of its settings. */
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { describe, expect, test } from "vitest";
import { MainProcess, makeFolder } from "./main-process.ts";

const canary = "canary-0123456789abcdef0123456789abcdef";
/** Every setting that holds a secret, and what else is in the environments of servers. */
const secrets = {
  BYOND_SECRET: canary,
  METRICS_TOKEN: canary,
  SMTP_URL: `smtp://mail:${canary}@127.0.0.1:9`,
  MAIL_FROM: "no-reply@example.com",
  WHATSAPP_TOKEN: canary,
  WHATSAPP_PHONE_NUMBER_ID: "1",
  WHATSAPP_TEMPLATE: "code",
  WHATSAPP_APP_SECRET: canary,
  WHATSAPP_VERIFY_TOKEN: canary,
  SMS_URL: `http://127.0.0.1:9/${canary}`,
  PROVIDER_SECRET: canary,
  AWS_SECRET_ACCESS_KEY: canary,
  PGPASSWORD: canary,
  NODE_OPTIONS: `--title=${canary}`,
};
const allowed =
  /^(PATH|HOME|TMPDIR|TZ|LC_ALL|PWD|OLDPWD|SHLVL|_|PG_GRANDPARENT_PID|PGDATA|LD_PRELOAD|LD_LIBRARY_PATH)$/;

async function childrenOf(processId: number): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const entry of await readdir("/proc")) {
    const stat = /^\d+$/.test(entry) ? await readFile(`/proc/${entry}/stat`, "utf8").catch(() => "") : "";
    if (stat !== "") {
      parents.set(Number(entry), Number(stat.replace(/^.*\) /s, "").split(" ")[1]));
    }
  }
  const isBelow = (id: number): boolean => {
    const parent = parents.get(id);
    return parent !== undefined && (parent === processId || isBelow(parent));
  };
  return [...parents.keys()].filter(isBelow);
}

const read = (processId: number, file: "environ" | "cmdline") =>
  readFile(`/proc/${processId}/${file}`, "utf8").catch(() => "");

/** A connection as the embedded PostgreSQL's owner, which can do everything that SQL can. */
async function connectAsOwner(dataDir: string): Promise<pg.Client> {
  const [, , , port] = (await readFile(join(dataDir, "postgres/postmaster.pid"), "utf8")).split("\n");
  const password = (await readFile(join(dataDir, "postgres/byond.password"), "utf8")).trim();
  const client = new pg.Client({ host: "127.0.0.1", port: Number(port), user: "byond", password, database: "byond" });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

describe.skipIf(process.platform !== "linux")("the child processes of a server with an embedded database", () => {
  test("contain no setting of the server, in their environments, on their command lines, or readable by SQL", async () => {
    await using folder = await makeFolder();
    await using server = new MainProcess({ environment: { PORT: "0", DATA_DIR: folder.path, ...secrets } });
    // Also those of the first start, that make the cluster and end again.
    const told = new Set<string>();
    let watching = true;
    const watch = async () => {
      while (watching) {
        for (const child of await childrenOf(server.processId)) {
          const commandLine = await read(child, "cmdline");
          if (((await read(child, "environ")) + commandLine).includes(canary)) {
            told.add(commandLine.replaceAll(canary, "…").split("\0")[0] ?? "");
          }
        }
      }
    };
    const watched = watch();
    await server.url();
    watching = false;
    await watched;
    expect([...told]).toEqual([]);

    const children = await childrenOf(server.processId);
    expect(children.length).toBeGreaterThan(3);
    for (const child of children) {
      const names = (await read(child, "environ")).split("\0").map((variable) => variable.replace(/=.*/s, ""));
      expect(names.filter((name) => name !== "" && !allowed.test(name))).toEqual([]);
    }

    const client = await connectAsOwner(folder.path);
    const { rows } = await client.query(`
      SELECT pg_read_binary_file('/proc/' || split_part(pg_read_file('postmaster.pid'), chr(10), 1) || '/environ') AS bytes
    `);
    expect(String(rows[0].bytes)).toContain("PATH=");
    expect(String(rows[0].bytes)).not.toContain(canary);
    const settings = await client.query("SELECT string_agg(setting, ' ') AS text FROM pg_settings");
    expect(settings.rows[0].text).not.toContain(canary);
    await client.end();

    const log = await readFile(join(folder.path, "postgres.log"), "utf8");
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    expect(server.written + log).not.toContain(canary);
  });
});

test("a diagnostic report of the process contains no setting", async () => {
  await using folder = await makeFolder();
  const reports = join(folder.path, "reports");
  await mkdir(reports);
  const options = `--report-on-signal --report-signal=SIGUSR2 --report-directory=${reports}`;
  await using server = new MainProcess({
    environment: { PORT: "0", DATA_DIR: join(folder.path, "data"), ...secrets, NODE_OPTIONS: options },
  });
  await server.url();
  server.signal("SIGUSR2");
  await server.wrote(/Node\.js report completed/);
  const [report = ""] = await readdir(reports);
  const text = await readFile(join(reports, report), "utf8");
  expect(JSON.parse(text)).toHaveProperty("header.processId", server.processId);
  expect(text).not.toContain(canary);
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});
