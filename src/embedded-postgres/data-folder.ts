import { mkdir, realpath, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";

const ROOT = 0;

/**
 * Creates the data folder unless it exists, and returns its real path. A user who may write to it could replace the secret in it, or
 * plant a link. So it must belong to the current user or to root, as volumes do; for root, it may belong to the user that PostgreSQL
 * runs as. Its group may write, since Kubernetes (`fsGroup`) and OpenShift give volumes to ordinary users that way.
 *
 * @throws EmbeddedPostgresError if it belongs to another user, or every user may write to it.
 */
export async function ensureDataFolder(path: string): Promise<string> {
  await makeFolder(resolve(path));
  const dataDir = await realpath(resolve(path));
  const { mode, uid } = await stat(dataDir);
  const ownId = process.geteuid?.();
  if (ownId === undefined) return dataDir;
  if (uid !== ownId && uid !== ROOT && ownId !== ROOT) {
    throw new EmbeddedPostgresError(
      `DATA_DIR, ${dataDir}, belongs to the user ${uid}, who could replace the secret in it: run Byond as that user, ` +
        `make it yours (chown ${ownId}), or give Byond a folder of its own`,
    );
  }
  if ((mode & 0o002) !== 0) {
    throw new EmbeddedPostgresError(
      `DATA_DIR, ${dataDir}, is writable by every user of this machine, who could replace the secret in it: run chmod 700 on it ` +
        `(770 if its group has to write), or set DATA_DIR to a folder in it, such as ${dataDir}/byond`,
    );
  }
  return dataDir;
}

/**
 * As `mkdir` with `recursive`, which never ends where the system says that a folder below an existing one does not exist (`/proc`).
 */
async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) {
    return;
  }
  if (!(await isFolder(dirname(path)))) {
    await makeFolder(dirname(path));
  }
  await mkdir(path, { mode: 0o700 }).catch(async (error: unknown) => {
    // Another process may have been faster.
    if (!(await isFolder(path))) {
      throw error;
    }
  });
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
