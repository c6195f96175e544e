import { mkdtemp, readdir, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedPostgres } from "@byond/embedded-postgres";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { generateTestCode } from "../rest/generate.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The PostgreSQL of this test run; its role may create databases. See `test/support/postgres.ts`. */
    readonly postgresUrl: string;
    /** See `test/support/fuzz-runs.ts`. */
    readonly fuzzing: "short" | "long";
  }
}

/**
 * Generates the code that tests import, and starts one PostgreSQL for the whole run, in a temporary folder and without fsync. With
 * `TEST_POSTGRES_URL`, the URL of a superuser, it uses that PostgreSQL instead, such as one of another version.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await generateTestCode();
  const given = process.env.TEST_POSTGRES_URL;
  if (given !== undefined) {
    project.provide("postgresUrl", given);
    return async () => undefined;
  }
  const dataDir = await mkdtemp(
    join(await folderFor(project.vitest.projects.map(({ name }) => name)), `byond-test-${process.pid}-`),
  );
  const postgres = await startEmbeddedPostgres({
    dataDir,
    settings: { fsync: "off", synchronous_commit: "off", full_page_writes: "off", max_connections: "200" },
    onUnexpectedExit: (reason) => console.error(reason),
  });
  await makePasswordCheap(postgres.administratorUrl);
  project.provide("postgresUrl", postgres.administratorUrl);
  return async () => {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}

/** The tests connect some thousand times: with 4,096 rounds of hashing, the password takes them as long as the rest of it. */
async function makePasswordCheap(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const password = client.escapeLiteral(decodeURIComponent(new URL(url).password));
  await client.query(`SET scram_iterations = 1; ALTER ROLE CURRENT_USER PASSWORD ${password}`);
  await client.end();
}

/** In memory on Linux. */
const memory = "/dev/shm";
const enoughMemory = 4 * 1024 ** 3;

/**
 * The tests of `product` make and drop a database every half second: in memory it takes a tenth of the time. Those of other projects fill
 * tables, and how much memory a machine has for that is not known.
 */
async function folderFor(projects: readonly string[]): Promise<string> {
  const free = await statfs(memory).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );
  if (projects.some((name) => name !== "product") || free < enoughMemory) {
    return tmpdir();
  }
  // What runs that were killed have left would take up memory until the next boot.
  for (const name of await readdir(memory)) {
    const [, run] = /^byond-test-(\d+)-/.exec(name) ?? [];
    if (run !== undefined && !isRunning(Number(run))) {
      await rm(join(memory, name), { recursive: true, force: true });
    }
  }
  return memory;
}

function isRunning(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}
