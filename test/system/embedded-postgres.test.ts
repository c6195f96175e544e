import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "@byond/embedded-postgres";
import { Client } from "pg";
import { afterEach, describe, expect, test } from "vitest";
import { loadPostgresBinaries } from "../../src/embedded-postgres/binaries.ts";

const OWNER_SCRIPT = fileURLToPath(new URL("./embedded-postgres-owner.ts", import.meta.url));
const NOBODY = { uid: 65534, gid: 65534 };
const NAMELESS = { uid: 54321, gid: 54321 };
const isRoot = process.getuid?.() === 0;
/** A checkout below a folder that only root may enter is nobody else's: the binaries cannot be run by another user then. */
const nobodyMayRead =
  isRoot && spawnSync("cat", [fileURLToPath(import.meta.url)], { uid: 65_534, gid: 65_534 }).status === 0;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function makeFolder(mode = 0o700): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "byond-embedded-"));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, mode);
  return folder;
}

async function start(dataDir: string, onUnexpectedExit?: (reason: Error) => void): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({
    dataDir,
    settings: { fsync: "off" },
    ...(onUnexpectedExit && { onUnexpectedExit }),
  });
  cleanups.push(() => postgres.stop());
  return postgres;
}

async function query(url: string, text: string): Promise<unknown[][]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query({ text, rowMode: "array" })).rows;
  } finally {
    await client.end();
  }
}

interface Owner {
  readonly child: ChildProcess;
  readonly url: string | undefined;
  readonly error: string | undefined;
  nextLine(): Promise<Record<string, string>>;
}

/** Runs the owner script in a process, and a process group, of its own. */
async function startOwner(dataDir: string, options: { uid?: number; gid?: number; path?: string } = {}) {
  const { path, ...identity } = options;
  const child = spawn(process.execPath, [OWNER_SCRIPT, dataDir], {
    ...identity,
    cwd: "/",
    env: { ...process.env, PATH: path ?? process.env.PATH },
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  cleanups.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async () => JSON.parse((await lines.next()).value ?? "{}");
  const first = await nextLine();
  return { child, url: first.url, error: first.error, nextLine } satisfies Owner;
}

async function killNow(owner: Owner): Promise<void> {
  const exited = once(owner.child, "exit");
  owner.child.kill("SIGKILL");
  await exited;
}

async function postmasterProcessId(dataDir: string): Promise<number> {
  return Number.parseInt(await readFile(join(dataDir, "postgres/postmaster.pid"), "utf8"), 10);
}

async function parentProcessId(processId: number): Promise<number> {
  const fields = (await readFile(`/proc/${processId}/stat`, "utf8")).replace(/^.*\) /s, "").split(" ");
  return Number(fields[1]);
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${condition}`);
    await wait(10);
  }
}

/** Every process whose command line names the folder. */
async function processesOf(folder: string): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    const commandLine = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "");
    if (commandLine.includes(folder)) found.push(Number(entry));
  }
  return found;
}

describe("starting and stopping", () => {
  test("the data, and the password, are still there at the next start", async () => {
    const folder = await makeFolder();
    const dataDir = join(folder, "a folder/that does not exist");
    const first = await start(dataDir);
    expect(first.url).toMatch(/^postgres:\/\/byond_server:[\w-]{32}@127\.0\.0\.1:\d+\/byond$/);
    await query(first.url, "CREATE TABLE kept AS SELECT 'ü' AS letter");
    await first.stop();

    const second = await start(dataDir);
    expect(await query(second.url, "SELECT letter FROM kept")).toEqual([["ü"]]);
    expect(new URL(second.administratorUrl).password).toBe(new URL(first.administratorUrl).password);
    expect(new URL(second.url).password).not.toBe(new URL(first.url).password);
  });

  test("it refuses a wrong password, listens on loopback only, and does not reveal the password", async () => {
    const dataDir = await makeFolder();
    const { url, administratorUrl } = await start(dataDir);
    for (const right of [url, administratorUrl]) {
      await expect(query(right.replace(/:[^:@]+@/, ":wrong@"), "SELECT 1")).rejects.toMatchObject({ code: "28P01" });
    }
    expect(await query(url, "SHOW listen_addresses")).toEqual([["127.0.0.1"]]);
    expect(await query(administratorUrl, "SHOW unix_socket_directories")).toEqual([[""]]);
    expect((await stat(join(dataDir, "postgres/byond.password"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(dataDir, "postgres"))).mode & 0o777).toBe(0o700);
    const log = await readFile(join(dataDir, "postgres.log"), "utf8");
    expect(log).not.toContain(new URL(url).password);
    expect(log).not.toContain(new URL(administratorUrl).password);
  });

  test("the server's role owns its database and nothing else: it cannot use files, programs or other roles", async () => {
    const dataDir = await makeFolder();
    const { url, administratorUrl } = await start(dataDir);
    for (const statement of [
      "SELECT pg_read_file('postgresql.conf')",
      `SELECT pg_read_binary_file('/proc/${process.pid}/environ')`,
      "SELECT * FROM pg_ls_dir('.')",
      "COPY (SELECT 1) TO PROGRAM 'true'",
      "CREATE TABLE file (line text); COPY file FROM '/etc/passwd'",
      "SELECT lo_import('/etc/passwd')",
      "CREATE ROLE other",
      "CREATE DATABASE other",
      "ALTER ROLE byond_server SUPERUSER",
      "SET ROLE byond",
      "ALTER SYSTEM SET log_statement = 'all'",
      "SELECT rolpassword FROM pg_authid",
      "CREATE FUNCTION f() RETURNS void LANGUAGE c AS '/tmp/f.so', 'f'",
    ]) {
      await expect([statement, await query(url, statement).catch((error) => error.code)]).toEqual([statement, "42501"]);
    }
    expect(await query(administratorUrl, "SELECT count(*) FROM pg_roles WHERE rolsuper AND rolcanlogin")).toEqual([
      ["1"],
    ]);
  });

  test("objects that the cluster's owner created in the database, as older versions did, become the server's", async () => {
    const dataDir = await makeFolder();
    const first = await start(dataDir);
    await query(
      first.administratorUrl,
      `CREATE TABLE account (id bigint GENERATED ALWAYS AS IDENTITY, number serial, name text);
       CREATE SEQUENCE turn; CREATE VIEW names AS SELECT name FROM account;
       CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';
       CREATE TABLE "Odd name" (x int); INSERT INTO account (name) VALUES ('kept');
       ALTER SCHEMA public OWNER TO byond; ALTER DATABASE byond OWNER TO byond`,
    );
    await first.stop();
    for (let round = 0; round < 2; round++) {
      const next = await start(dataDir);
      expect(await query(next.url, "SELECT name FROM names")).toEqual([["kept"]]);
      await query(next.url, `ALTER TABLE account ADD COLUMN new_${round} int; DROP TABLE IF EXISTS "Odd name"`);
      await query(
        next.url,
        "CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 2'; SELECT nextval('turn')",
      );
      await next.stop();
    }
  });

  test("code that the server's role leaves in its database is not run by the superuser at the next start", async () => {
    const dataDir = await makeFolder();
    const outside = join(await makeFolder(), "made-by-sql");
    const first = await start(dataDir);
    const attack = `BEGIN
      IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
        EXECUTE 'ALTER ROLE byond_server SUPERUSER';
        EXECUTE $sql$COPY (SELECT 1) TO PROGRAM 'touch ${outside}'$sql$;
      END IF;`;
    await query(
      first.url,
      `CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO PUBLIC;
       CREATE FUNCTION evil.f() RETURNS oid LANGUAGE plpgsql AS $f$ ${attack} RETURN 'public.bait'::pg_catalog.regclass::oid; END $f$;
       CREATE FUNCTION evil.format(text, regclass) RETURNS text LANGUAGE plpgsql AS $f$ ${attack}
         RETURN pg_catalog.format($1, $2); END $f$;
       CREATE FUNCTION evil.differs(oid, oid) RETURNS boolean LANGUAGE plpgsql AS $f$ ${attack}
         RETURN $1 OPERATOR(pg_catalog.<>) $2; END $f$;
       CREATE OPERATOR evil.<> (FUNCTION = evil.differs, LEFTARG = oid, RIGHTARG = oid);
       CREATE TABLE public.bait (x int);
       CREATE VIEW evil.pg_class AS SELECT oid, relname, relnamespace, relowner, relkind FROM pg_catalog.pg_class
         UNION ALL SELECT evil.f(), 'x', 2200, 10, 'r';
       CREATE VIEW evil.pg_proc AS SELECT oid, proname, pronamespace, proowner FROM pg_catalog.pg_proc
         UNION ALL SELECT 'evil.f()'::pg_catalog.regprocedure, 'x', 2200, 10 WHERE evil.f() IS NOT NULL;
       CREATE VIEW evil.pg_roles AS SELECT *, evil.f() FROM pg_catalog.pg_roles;
       CREATE VIEW evil.pg_database AS SELECT *, evil.f() FROM pg_catalog.pg_database;
       CREATE VIEW evil.pg_locks AS SELECT *, evil.f() FROM pg_catalog.pg_locks;
       ALTER DATABASE byond SET search_path = evil, pg_catalog, public`,
    );
    await first.stop();

    const { url, administratorUrl, stop } = await start(dataDir);
    expect(await query(url, "SELECT rolname FROM pg_catalog.pg_roles WHERE rolsuper")).toEqual([["byond"]]);
    expect(await stat(outside).catch((error) => error.code)).toBe("ENOENT");

    // Where there is something to hand over, the superuser has to go in.
    await query(administratorUrl, "ALTER DATABASE byond OWNER TO byond; CREATE TABLE public.restored (x int)");
    await query(administratorUrl, "ALTER DATABASE byond SET search_path = evil, pg_catalog, public");
    await stop();
    const last = await start(dataDir);
    expect(await query(last.url, "SELECT rolname FROM pg_catalog.pg_roles WHERE rolsuper")).toEqual([["byond"]]);
    expect(await query(last.url, "ALTER TABLE public.restored ADD COLUMN y int")).toEqual([]);
    expect(await stat(outside).catch((error) => error.code)).toBe("ENOENT");
  });

  test("settings that the server's role made for itself or its database are reset at the next start", async () => {
    const dataDir = await makeFolder();
    const first = await start(dataDir);
    await query(
      first.url,
      `ALTER DATABASE byond SET local_preload_libraries = 'x';
       ALTER DATABASE byond SET search_path = evil;
       ALTER ROLE byond_server SET default_transaction_read_only = on;
       ALTER ROLE byond_server IN DATABASE byond SET statement_timeout = 1`,
    );
    await first.stop();
    const { url, administratorUrl } = await start(dataDir);
    expect(await query(url, "SHOW search_path")).toEqual([['"$user", public']]);
    expect(await query(administratorUrl, "SELECT setconfig FROM pg_db_role_setting")).toEqual([]);
  });

  test("the server's role cannot connect to another database", async () => {
    const { url } = await start(await makeFolder());
    for (const database of ["postgres", "template1"]) {
      await expect(query(url.replace(/byond$/, database), "SELECT 1")).rejects.toMatchObject({ code: "42501" });
    }
  });

  test("an extension that the server's role installs stays owned by PostgreSQL, even when ownership is handed over", async () => {
    const dataDir = await makeFolder();
    const first = await start(dataDir);
    await query(first.url, "CREATE EXTENSION pg_trgm");
    await query(first.administratorUrl, "ALTER DATABASE byond OWNER TO byond");
    await first.stop();
    const { url } = await start(dataDir);
    const owners = `SELECT DISTINCT pg_get_userbyid(proowner) FROM pg_proc WHERE probin IS NOT NULL`;
    expect(await query(url, owners)).toEqual([["byond"]]);
  });

  test("text is UTF-8, ordered the same on every machine, and times are UTC", async () => {
    const { url } = await start(await makeFolder());
    expect(await query(url, "SHOW server_encoding")).toEqual([["UTF8"]]);
    expect(await query(url, "SHOW timezone")).toEqual([["UTC"]]);
    expect(await query(url, "SELECT upper('ü'), 'Z' < 'a'")).toEqual([["Ü", true]]);
  });

  test("a failed statement appears in the log with neither its text nor its row", async () => {
    const dataDir = await makeFolder();
    const { url } = await start(dataDir);
    await query(url, "CREATE TABLE once (address text PRIMARY KEY); INSERT INTO once VALUES ('ana@example.com')");
    await expect(query(url, "INSERT INTO once VALUES ('ana@example.com')")).rejects.toMatchObject({ code: "23505" });
    const log = await readFile(join(dataDir, "postgres.log"), "utf8");
    expect(log).toContain("duplicate key value");
    expect(log).not.toContain("ana@example.com");
  });

  test("stop is idempotent, disconnects clients, and returns when every process has ended", async () => {
    const dataDir = await makeFolder();
    let unexpected = 0;
    const postgres = await start(dataDir, () => {
      unexpected += 1;
    });
    const client = new Client({ connectionString: postgres.url });
    client.on("error", () => undefined);
    await client.connect();
    const lost = new Promise((resolve) => client.once("end", resolve));
    expect((await processesOf(dataDir)).length).toBeGreaterThan(0);

    const stopping = postgres.stop();
    expect(postgres.stop()).toBe(stopping);
    await stopping;
    await lost;
    expect(await processesOf(dataDir)).toEqual([]);
    expect(unexpected).toBe(0);
  });

  test("settings are passed to PostgreSQL", async () => {
    const postgres = await startEmbeddedPostgres({
      dataDir: await makeFolder(),
      settings: { fsync: "off", max_connections: "37" },
    });
    cleanups.push(() => postgres.stop());
    expect(await query(postgres.url, "SHOW max_connections")).toEqual([["37"]]);
  });

  test("a setting that PostgreSQL does not accept is refused with PostgreSQL's message", async () => {
    const starting = startEmbeddedPostgres({ dataDir: await makeFolder(), settings: { max_connections: "many" } });
    await expect(starting).rejects.toThrow(/does not start on .*max_connections.*DATABASE_URL/s);
  });

  test("a platform without binaries is told to use DATABASE_URL", async () => {
    await expect(loadPostgresBinaries("plan9", "x64")).rejects.toThrow(/plan9-x64.*DATABASE_URL/);
  });
});

describe("one owner per folder", () => {
  test("a second start is refused while the first one runs, in this process and in another", async () => {
    const dataDir = await makeFolder();
    const first = await start(dataDir);
    await expect(start(dataDir)).rejects.toThrow(`another Byond server is already running on ${dataDir}`);
    const { error } = await startOwner(dataDir);
    expect(error).toContain(`another Byond server is already running on ${dataDir}`);
    expect(await query(first.url, "SELECT 1")).toEqual([[1]]);
    await first.stop();
    await start(dataDir);
  });

  test("of simultaneous first starts exactly one succeeds", async () => {
    const dataDir = await makeFolder();
    const owners = await Promise.all([startOwner(dataDir), startOwner(dataDir), startOwner(dataDir)]);
    const winners = owners.filter((owner) => owner.url !== undefined);
    expect(winners).toHaveLength(1);
    for (const { error, url } of owners) if (url === undefined) expect(error).toContain("already running");
    expect(await query(winners[0]?.url ?? "", "SELECT 1")).toEqual([[1]]);
  });

  test("the folder stays owned when a crash makes PostgreSQL restart itself", async () => {
    const dataDir = await makeFolder();
    const { url } = await start(dataDir);
    const postmaster = await postmasterProcessId(dataDir);
    await query(url, "SELECT pg_backend_pid()");
    const victim = new Client({ connectionString: url });
    victim.on("error", () => undefined);
    await victim.connect();
    const lost = new Promise((resolve) => victim.once("end", resolve));
    const { rows } = await victim.query("SELECT pg_backend_pid() AS id");
    process.kill(rows[0].id, "SIGKILL");
    await lost;

    await expect(start(dataDir)).rejects.toThrow("already running");
    expect(await postmasterProcessId(dataDir)).toBe(postmaster);
    await until(async () => (await query(url, "SELECT 1").catch(() => [])).length === 1);
  });
});

describe("when a process dies", () => {
  test("kill -9 of the server also stops PostgreSQL, and the next start finds the data", async () => {
    const dataDir = await makeFolder();
    const owner = await startOwner(dataDir);
    await query(owner.url ?? "", "CREATE TABLE kept AS SELECT 1 AS one");
    const postmaster = await postmasterProcessId(dataDir);
    await killNow(owner);
    await until(() => !isAlive(postmaster), 5_000);
    await until(async () => (await processesOf(dataDir)).length === 0);

    const { url } = await start(dataDir);
    expect(await query(url, "SELECT one FROM kept")).toEqual([[1]]);
  });

  test("a start right after kill -9 waits for the old PostgreSQL to end", async () => {
    const dataDir = await makeFolder();
    for (let round = 0; round < 3; round += 1) await killNow(await startOwner(dataDir));
    const { url } = await start(dataDir);
    expect(await query(url, "SELECT 1")).toEqual([[1]]);
  });

  test("it can be stopped while it recovers from a crash", async () => {
    const dataDir = await makeFolder();
    const postgres = await start(dataDir);
    const client = new Client({ connectionString: postgres.url });
    client.on("error", () => undefined);
    await client.connect();
    const lost = new Promise((resolve) => client.once("end", resolve));
    const { rows } = await client.query("SELECT pg_backend_pid() AS id");
    process.kill(rows[0].id, "SIGKILL");
    await lost;
    await postgres.stop();
    expect(await processesOf(dataDir)).toEqual([]);
  });

  test("signals to the process group do not stop PostgreSQL: its owner does", async () => {
    const dataDir = await makeFolder();
    const owner = await startOwner(dataDir);
    process.kill(-(owner.child.pid ?? Number.NaN), "SIGINT");
    expect(await owner.nextLine()).toEqual({ signal: "SIGINT" });
    expect(await query(owner.url ?? "", "SELECT 1")).toEqual([[1]]);
  });

  test.skipIf(process.platform !== "linux")(
    "a PostgreSQL whose server and supervisor were killed is taken over",
    async () => {
      const dataDir = await makeFolder();
      const owner = await startOwner(dataDir);
      await query(owner.url ?? "", "CREATE TABLE kept AS SELECT 1 AS one");
      const postmaster = await postmasterProcessId(dataDir);
      const supervisor = await parentProcessId(postmaster);
      const supervisors = [supervisor];
      for (const processId of await processesOf(dataDir)) {
        if (processId !== postmaster && (await parentProcessId(processId)) === supervisor) supervisors.push(processId);
      }
      expect(supervisors).toHaveLength(2);
      for (const processId of supervisors) process.kill(processId, "SIGSTOP");
      await killNow(owner);
      for (const processId of supervisors) process.kill(processId, "SIGKILL");
      expect(isAlive(postmaster)).toBe(true);

      const next = await start(dataDir);
      expect(await query(next.url, "SELECT one FROM kept")).toEqual([[1]]);
      await next.stop();
      expect(await processesOf(dataDir)).toEqual([]);
    },
  );

  test("an unexpected end of PostgreSQL is reported once, with its log, and the next start recovers", async () => {
    const dataDir = await makeFolder();
    const reasons: Error[] = [];
    const postgres = await start(dataDir, (reason) => reasons.push(reason));
    await query(postgres.url, "CREATE TABLE kept AS SELECT 1 AS one");
    process.kill(await postmasterProcessId(dataDir), "SIGQUIT");
    await until(() => reasons.length > 0);
    expect(reasons[0]?.message).toMatch(/PostgreSQL ended.*immediate shutdown/s);
    await postgres.stop();
    expect(reasons).toHaveLength(1);

    const { url } = await start(dataDir);
    expect(await query(url, "SELECT one FROM kept")).toEqual([[1]]);
  });

  test("a kill -9 of PostgreSQL's main process is reported, and recovered from", async () => {
    const dataDir = await makeFolder();
    const reasons: Error[] = [];
    const { url } = await start(dataDir, (reason) => reasons.push(reason));
    await query(url, "CREATE TABLE kept AS SELECT 1 AS one");
    process.kill(await postmasterProcessId(dataDir), "SIGKILL");
    await until(() => reasons.length > 0);
    const next = await start(dataDir);
    expect(await query(next.url, "SELECT one FROM kept")).toEqual([[1]]);
    expect(reasons).toHaveLength(1);
  });

  test.skipIf(process.platform !== "linux")(
    "a kill -9 of the supervisor stops PostgreSQL and is reported",
    async () => {
      const dataDir = await makeFolder();
      const reasons: Error[] = [];
      await start(dataDir, (reason) => reasons.push(reason));
      process.kill(await parentProcessId(await postmasterProcessId(dataDir)), "SIGKILL");
      await until(() => reasons.length > 0);
      await until(async () => (await processesOf(dataDir)).length === 0);
      expect(reasons).toHaveLength(1);
    },
  );

  test("a postmaster.pid left by a power cut does not prevent a start, even if another process now has that pid", async () => {
    const dataDir = await makeFolder();
    const postgres = await start(dataDir);
    const left = await readFile(join(dataDir, "postgres/postmaster.pid"), "utf8");
    await postgres.stop();
    await writeFile(join(dataDir, "postgres/postmaster.pid"), left.replace(/^\d+/, String(process.pid)));
    const next = await start(dataDir);
    expect(await query(next.url, "SELECT 1")).toEqual([[1]]);
  });

  test("a killed first start does not prevent the next one, which removes its remains", async () => {
    const dataDir = await makeFolder();
    const child = spawn(process.execPath, [OWNER_SCRIPT, dataDir], { stdio: "ignore" });
    const isInitialising = async () => {
      const [staging] = (await readdir(dataDir)).filter((entry) => entry.startsWith("postgres.new-"));
      return staging !== undefined && (await readdir(join(dataDir, staging, "cluster")).catch(() => [])).length > 0;
    };
    await until(isInitialising);
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
    for (const processId of await processesOf(dataDir)) process.kill(processId, "SIGKILL");
    expect(await readdir(dataDir)).not.toContain("postgres");

    const { url } = await start(dataDir);
    expect(await query(url, "SELECT 1")).toEqual([[1]]);
    expect((await readdir(dataDir)).sort()).toEqual(["postgres", "postgres.log"]);
  });

  test.each(["777", "1777", "702"])("a data folder that every user may write to is refused: %s", async (mode) => {
    const dataDir = await makeFolder(Number.parseInt(mode, 8));
    await expect(start(dataDir)).rejects.toThrow(/is writable by every user .*: run chmod 700 on it/);
    expect(await readdir(dataDir)).toEqual([]);
  });

  test("a symbolic link in place of the log is refused, and its target is not changed", async () => {
    const dataDir = await makeFolder();
    const elsewhere = join(await makeFolder(), "mine");
    await writeFile(elsewhere, "mine");
    await symlink(elsewhere, join(dataDir, "postgres.log"));
    await expect(start(dataDir)).rejects.toThrow(/DATA_DIR, .*, cannot be used: ELOOP.*postgres\.log/);
    expect(await readFile(elsewhere, "utf8")).toBe("mine");
  });

  test("a folder in place of the cluster that is not a cluster is not touched", async () => {
    const dataDir = await makeFolder();
    await mkdir(join(dataDir, "postgres"));
    await writeFile(join(dataDir, "postgres/photograph.jpg"), "mine");
    await expect(start(dataDir)).rejects.toThrow(/postgres cannot be created.*DATABASE_URL/);
    expect(await readdir(dataDir)).toEqual(["postgres"]);
    expect(await readFile(join(dataDir, "postgres/photograph.jpg"), "utf8")).toBe("mine");
  });
});

// What an ordinary user sees is tested by all of the above when an ordinary user runs it.
describe.skipIf(!isRoot)("the user that runs it", () => {
  async function makeFolderOf(identity: { uid: number; gid: number }): Promise<string> {
    const folder = await makeFolder();
    await chown(folder, identity.uid, identity.gid);
    return folder;
  }

  /** Without a program that makes user namespaces, as where a container forbids them. */
  async function pathWithoutNamespaces(): Promise<string> {
    const folder = await makeFolder(0o755);
    await writeFile(join(folder, "unshare"), "#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n");
    await chmod(join(folder, "unshare"), 0o755);
    return `${folder}:${process.env.PATH}`;
  }

  test("root, in a folder that only root may enter", async () => {
    const outer = await makeFolder(0o700);
    const postgres = await start(join(outer, "data"));
    expect(await query(postgres.url, "SELECT 1")).toEqual([[1]]);
    expect((await stat(join(outer, "data/postgres"))).uid).toBe(0);
  });

  test.each([
    ["an ordinary user", NOBODY],
    ["a user without a name", NAMELESS],
  ])("%s", async (_name, identity) => {
    const dataDir = await makeFolderOf(identity);
    const owner = await startOwner(dataDir, identity);
    expect(owner.error).toBeUndefined();
    expect(await query(owner.url ?? "", "SELECT 1")).toEqual([[1]]);
    expect((await stat(join(dataDir, "postgres"))).uid).toBe(identity.uid);
    const postmaster = await postmasterProcessId(dataDir);
    await killNow(owner);
    await until(() => !isAlive(postmaster), 5_000);
  });

  test("an ordinary user, in a folder of another user that its group may write to, is refused and told the owner", async () => {
    const dataDir = await makeFolderOf({ uid: NOBODY.uid, gid: NAMELESS.gid });
    await chmod(dataDir, 0o770);
    const { error } = await startOwner(dataDir, NAMELESS);
    expect(error).toContain(`belongs to the user ${NOBODY.uid}, who could replace the secret in it`);
    expect(await readdir(dataDir)).toEqual([]);
  });

  test("an ordinary user, in a folder of root that its group may write to, as Kubernetes mounts volumes", async () => {
    const dataDir = await makeFolderOf({ uid: 0, gid: NOBODY.gid });
    await chmod(dataDir, 0o2770);
    const { url, error } = await startOwner(dataDir, NOBODY);
    expect(error).toBeUndefined();
    expect(await query(url ?? "", "SELECT 1")).toEqual([[1]]);
  });

  test.skipIf(!nobodyMayRead)(
    "root, on the data of an ordinary user, runs it as that user and leaves the files theirs",
    async () => {
      const outer = await makeFolder(0o755);
      const dataDir = join(outer, "data");
      await mkdir(dataDir);
      await chown(dataDir, NOBODY.uid, NOBODY.gid);
      const owner = await startOwner(dataDir, NOBODY);
      await query(owner.url ?? "", "CREATE TABLE kept AS SELECT 1 AS one");
      await killNow(owner);
      const postgres = await start(dataDir);
      expect(await query(postgres.url, "SELECT one FROM kept")).toEqual([[1]]);
      await postgres.stop();
      for (const entry of await readdir(join(dataDir, "postgres"))) {
        expect([entry, (await stat(join(dataDir, "postgres", entry))).uid]).toEqual([entry, NOBODY.uid]);
      }
    },
  );

  test.skipIf(!nobodyMayRead)("an ordinary user, on data of root, is refused and told the owner", async () => {
    const outer = await makeFolder(0o755);
    const dataDir = join(outer, "data");
    await (await start(dataDir)).stop();
    await chown(dataDir, NOBODY.uid, NOBODY.gid);
    const { error } = await startOwner(dataDir, NOBODY);
    expect(error).toMatch(/belongs to another user.*DATABASE_URL/);
  });

  test.skipIf(!nobodyMayRead)(
    "root, without user namespaces, runs PostgreSQL as nobody if nobody may enter the folder",
    async () => {
      const outer = await makeFolder(0o755);
      const dataDir = join(outer, "data");
      await (await start(dataDir)).stop();
      const owner = await startOwner(dataDir, { path: await pathWithoutNamespaces() });
      expect(owner.error).toBeUndefined();
      expect(await query(owner.url ?? "", "SELECT 1")).toEqual([[1]]);
      expect((await stat(join(dataDir, "postgres"))).uid).toBe(NOBODY.uid);
      const postmaster = await postmasterProcessId(dataDir);
      await killNow(owner);
      await until(() => !isAlive(postmaster), 5_000);
    },
  );

  test.skipIf(!nobodyMayRead)(
    "root, without user namespaces and where nobody may enter, is told what to do",
    async () => {
      const outer = await makeFolder(0o700);
      const { error } = await startOwner(join(outer, "data"), { path: await pathWithoutNamespaces() });
      expect(error).toMatch(/refuses to run as root.*ordinary user.*DATABASE_URL/s);
    },
  );
});
