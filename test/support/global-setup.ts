import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedPostgres } from "@byond/embedded-postgres";
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
  const dataDir = await mkdtemp(join(tmpdir(), "byond-test-"));
  const postgres = await startEmbeddedPostgres({
    dataDir,
    settings: { fsync: "off", synchronous_commit: "off", full_page_writes: "off", max_connections: "200" },
    onUnexpectedExit: (reason) => console.error(reason),
  });
  project.provide("postgresUrl", postgres.administratorUrl);
  return async () => {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}
