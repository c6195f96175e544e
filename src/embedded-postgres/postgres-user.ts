import { chmod, chown, lchown, readdir, stat } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { PostgresBinaries } from "./binaries.ts";
import { EmbeddedPostgresError, orUseDatabaseUrl } from "./embedded-postgres-error.ts";
import { type RunAs, runCommand } from "./run-program.ts";

const NOBODY = 65534;

/**
 * A user namespace in which we are "nobody" and the files that are ours are nobody's. To the rest of the system we stay
 * who we are, so that it works below folders that only we may enter, and adds no user to the system.
 */
const USER_NAMESPACE: RunAs = {
  wrapper: ["unshare", "--user", `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, "--"],
};

/**
 * Decides which user PostgreSQL runs as: ourselves where it accepts that. It refuses root, and `initdb` also a uid that
 * has no name, as containers often have. Those run in a user namespace; root falls back to the real user "nobody" where
 * namespaces are forbidden, which needs folders that "nobody" may enter. Files that already belong to somebody else are
 * left to them.
 *
 * @throws EmbeddedPostgresError if none of this is possible here.
 */
export async function chooseAccount(binaries: PostgresBinaries, dataDir: string, clusterDir: string): Promise<RunAs> {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot) {
    const runAs = hasName() ? { wrapper: [] } : USER_NAMESPACE;
    const problem = await whyNot(runAs, binaries, dataDir);
    if (problem === undefined) return runAs;
    throw new EmbeddedPostgresError(orUseDatabaseUrl(`PostgreSQL cannot run here: ${problem}`));
  }

  const cluster = await stat(clusterDir).catch(() => undefined);
  if (cluster !== undefined && cluster.uid !== 0) {
    const runAs = { wrapper: [], identity: { uid: cluster.uid, gid: cluster.gid } };
    const problem = await whyNot(runAs, binaries, dataDir);
    if (problem === undefined) return runAs;
    throw new EmbeddedPostgresError(
      orUseDatabaseUrl(`${clusterDir} belongs to the user ${cluster.uid}, who cannot run PostgreSQL here: ${problem}`),
    );
  }

  const inNamespace = await whyNot(USER_NAMESPACE, binaries, dataDir);
  if (inNamespace === undefined) return USER_NAMESPACE;

  const asNobody = { wrapper: [], identity: { uid: NOBODY, gid: NOBODY } };
  // Entering is all that "nobody" is allowed; the files in it keep their own modes.
  await chmod(dataDir, (await stat(dataDir)).mode | 0o011);
  const problem = await whyNot(asNobody, binaries, dataDir);
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

/** Makes a folder, and what is in it, belong to the user PostgreSQL runs as, where that is not ourselves. */
export async function giveToAccount(runAs: RunAs, path: string): Promise<void> {
  if (runAs.identity !== undefined) await chown(path, runAs.identity.uid, runAs.identity.gid);
}

/** Tries it: undefined if PostgreSQL's program runs and the data folder can be entered that way, otherwise the reason. */
async function whyNot(runAs: RunAs, binaries: PostgresBinaries, dataDir: string): Promise<string | undefined> {
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
