import { chmod, chown, lchown, readdir, stat } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { PostgresBinaries } from "./binaries.ts";
import { EmbeddedPostgresError, orUseDatabaseUrl } from "./embedded-postgres-error.ts";
import { type RunAs, runCommand } from "./run-program.ts";

const NOBODY = 65534;

/**
 * A user namespace that maps the current user to "nobody". Outside of it the process is still the current user, so that it can enter
 * folders that only that user may enter, and no user is added to the system.
 */
const USER_NAMESPACE: RunAs = {
  wrapper: ["unshare", "--user", `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, "--"],
};

/**
 * Chooses the user that PostgreSQL runs as: the current one, if it accepts that. It rejects root, and `initdb` also a uid without a
 * name, which is common in containers. Those run in a user namespace. Where namespaces are forbidden, root falls back to the real user
 * "nobody", which must be able to enter the folders. If the cluster belongs to another user, root runs PostgreSQL as that user.
 *
 * @throws EmbeddedPostgresError if none of these is possible.
 */
export async function chooseAccount(binaries: PostgresBinaries, dataDir: string, clusterDir: string): Promise<RunAs> {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot) {
    const runAs = hasName() ? { wrapper: [] } : USER_NAMESPACE;
    const problem = await findObstacle(runAs, binaries, dataDir);
    if (problem === undefined) return runAs;
    throw new EmbeddedPostgresError(orUseDatabaseUrl(`PostgreSQL cannot run here: ${problem}`));
  }

  const cluster = await stat(clusterDir).catch(() => undefined);
  if (cluster !== undefined && cluster.uid !== 0) {
    const runAs = { wrapper: [], identity: { uid: cluster.uid, gid: cluster.gid } };
    const problem = await findObstacle(runAs, binaries, dataDir);
    if (problem === undefined) return runAs;
    throw new EmbeddedPostgresError(
      orUseDatabaseUrl(`${clusterDir} belongs to the user ${cluster.uid}, who cannot run PostgreSQL here: ${problem}`),
    );
  }

  const inNamespace = await findObstacle(USER_NAMESPACE, binaries, dataDir);
  if (inNamespace === undefined) return USER_NAMESPACE;

  const asNobody = { wrapper: [], identity: { uid: NOBODY, gid: NOBODY } };
  // "nobody" may only enter the folder; the files in it keep their modes.
  await chmod(dataDir, (await stat(dataDir)).mode | 0o011);
  const problem = await findObstacle(asNobody, binaries, dataDir);
  if (problem === undefined) {
    if (cluster !== undefined) await giveTo(NOBODY, clusterDir);
    return asNobody;
  }
  throw new EmbeddedPostgresError(
    orUseDatabaseUrl(
      `PostgreSQL refuses to run as root, user namespaces are not available (${inNamespace}), and the user "nobody" ` +
        `cannot take its place (${problem}). Run Byond as an ordinary user, or give it folders that everybody may enter`,
    ),
  );
}

/** Makes a file or folder belong to the user that PostgreSQL runs as, if that is another one. */
export async function giveToAccount(runAs: RunAs, path: string): Promise<void> {
  if (runAs.identity !== undefined) await chown(path, runAs.identity.uid, runAs.identity.gid);
}

/** Why PostgreSQL's program cannot run as that user, or the user cannot enter the data folder; undefined if it works. */
async function findObstacle(runAs: RunAs, binaries: PostgresBinaries, dataDir: string): Promise<string | undefined> {
  const script = 'cd "$1" && exec "$2" --version';
  const result = await runCommand(runAs, ["sh", "-c", script, "sh", dataDir, binaries.postgres]);
  if (result.exitCode === 0) return undefined;
  return result.output || `exit status ${result.exitCode}`;
}

function hasName(): boolean {
  try {
    userInfo();
    return true;
  } catch {
    return false;
  }
}

async function giveTo(id: number, folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true })) await lchown(join(folder, entry), id, id);
  await chown(folder, id, id);
}
