import { resolve } from "node:path";
import { clusterDirectory, DATABASE_USER, isCluster, readClusterPassword } from "./cluster.ts";
import { isRunning, readPostmaster } from "./postmaster.ts";

/** What is on a data folder: no cluster, one that does not run, or one that runs. */
export type FoundPostgres = "none" | "stopped" | { readonly administratorUrl: string };

/**
 * Looks for the PostgreSQL of a data folder, and leaves it as it is. The URL is that of the superuser of the cluster: for tools that only
 * read, beside the server that owns it.
 *
 * @throws EmbeddedPostgresError if the cluster belongs to another user.
 */
export async function findEmbeddedPostgres(folder: string): Promise<FoundPostgres> {
  const dataDir = resolve(folder);
  const clusterDir = clusterDirectory(dataDir);
  if (!(await isCluster(clusterDir))) {
    return "none";
  }
  const postmaster = await readPostmaster(clusterDir);
  if (postmaster?.port === undefined || !(await isRunning(postmaster, clusterDir))) {
    return "stopped";
  }
  const password = await readClusterPassword(dataDir);
  return { administratorUrl: `postgres://${DATABASE_USER}:${password}@127.0.0.1:${postmaster.port}/byond` };
}
