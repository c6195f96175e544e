import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { access, mkdir, mkdtemp, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PostgresBinaries } from "./binaries.ts";
import { EmbeddedPostgresError, orUseDatabaseUrl } from "./embedded-postgres-error.ts";
import { giveToAccount } from "./postgres-user.ts";
import { type RunAs, runCommand } from "./run-program.ts";

/** The role that owns the cluster: its superuser. */
export const DATABASE_USER = "byond";

const STAGING_PREFIX = "postgres.new-";
const PASSWORD_FILE = "byond.password";

/** The folder of the cluster in a data folder. */
export function clusterDirectory(dataDir: string): string {
  return join(dataDir, "postgres");
}

/**
 * Creates the cluster unless it exists. It is created in a temporary folder and renamed when it is complete, so that a later start
 * does not take an interrupted one for a cluster.
 */
export async function ensureCluster(
  binaries: PostgresBinaries,
  runAs: RunAs,
  dataDir: string,
  durable: boolean,
): Promise<void> {
  const clusterDir = clusterDirectory(dataDir);
  if (await isCluster(clusterDir)) return;

  const staging = await mkdtemp(join(dataDir, STAGING_PREFIX));
  try {
    await giveToAccount(runAs, staging);
    await initialise(binaries, runAs, staging, durable);
    await rename(join(staging, "cluster"), clusterDir);
  } catch (cause) {
    // Another start may have created the cluster in the meantime.
    if (await isCluster(clusterDir)) return;
    if (cause instanceof EmbeddedPostgresError) throw cause;
    throw new EmbeddedPostgresError(
      orUseDatabaseUrl(`The PostgreSQL cluster ${clusterDir} cannot be created: ${String(cause)}`),
      { cause },
    );
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  await syncFolder(dataDir);
}

/** The password of `DATABASE_USER`. It is stored in the cluster, so that they are moved and restored together. */
export async function readClusterPassword(dataDir: string): Promise<string> {
  const path = join(clusterDirectory(dataDir), PASSWORD_FILE);
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (cause) {
    throw new EmbeddedPostgresError(orUseDatabaseUrl(`The password of the PostgreSQL in ${dataDir} cannot be read`), {
      cause,
    });
  }
}

/** Removes the temporary folders of interrupted starts, as far as possible. Only the owner of the folder may call it. */
export async function removeInterruptedClusters(dataDir: string): Promise<void> {
  for (const entry of await readdir(dataDir)) {
    if (entry.startsWith(STAGING_PREFIX)) {
      await rm(join(dataDir, entry), { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

export async function isCluster(clusterDir: string): Promise<boolean> {
  try {
    await access(join(clusterDir, PASSWORD_FILE), constants.R_OK);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EACCES") {
      throw new EmbeddedPostgresError(
        orUseDatabaseUrl(`The PostgreSQL cluster ${clusterDir} belongs to another user: run Byond as that user`),
        { cause: error },
      );
    }
    return false;
  }
}

async function initialise(binaries: PostgresBinaries, runAs: RunAs, staging: string, durable: boolean): Promise<void> {
  const clusterDir = join(staging, "cluster");
  const passwordFile = join(staging, "password");
  const password = randomBytes(24).toString("base64url");
  await writeFile(passwordFile, password, { mode: 0o600 });
  await giveToAccount(runAs, passwordFile);
  await mkdir(clusterDir, { mode: 0o700 });
  await giveToAccount(runAs, clusterDir);

  const result = await runCommand(runAs, [
    binaries.initdb,
    `--pgdata=${clusterDir}`,
    `--username=${DATABASE_USER}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    // The collation is the same on every system, and does not depend on the installed locales.
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
    ...(durable ? [] : ["--no-sync"]),
  ]);
  if (result.exitCode !== 0) {
    throw new EmbeddedPostgresError(
      orUseDatabaseUrl(`initdb failed in ${staging}: ${result.output || `exit status ${result.exitCode}`}`),
    );
  }
  await writeDurably(join(clusterDir, PASSWORD_FILE), password);
  await giveToAccount(runAs, join(clusterDir, PASSWORD_FILE));
  await syncFolder(clusterDir);
}

async function writeDurably(path: string, content: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Without it, a rename or a new file may be lost in a power cut. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
