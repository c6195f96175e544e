import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { childEnvironment } from "./run-program.ts";

/** The content of `postmaster.pid`; `port` is absent at the very beginning of a start. */
export interface Postmaster {
  readonly processId: number;
  readonly port: number | undefined;
}

/** A fast shutdown writes a checkpoint. It takes longer than this only if the disk has a problem, or PostgreSQL hangs. */
export const STOP_PATIENCE_MS = 10_000;

const POLL_MS = 20;

/** Reads `postmaster.pid`. After a power cut it may be stale: see `isRunning`. */
export async function readPostmaster(clusterDir: string): Promise<Postmaster | undefined> {
  const content = await readFile(join(clusterDir, "postmaster.pid"), "utf8").catch(() => "");
  const [processId, , , port] = content.split("\n").map(Number);
  if (processId === undefined || !Number.isInteger(processId) || processId <= 0) return undefined;
  return { processId, port: port !== undefined && Number.isInteger(port) && port > 0 ? port : undefined };
}

/**
 * Whether the process is a PostgreSQL of this folder. Another process may have the id of one that has ended, which is common after a
 * restart of a container.
 */
export async function isRunning(postmaster: Postmaster, clusterDir: string): Promise<boolean> {
  const commandLine = await readCommandLine(postmaster.processId);
  return commandLine.includes("postgres") && commandLine.includes(` ${clusterDir} `);
}

/**
 * Stops a PostgreSQL of this folder by a fast shutdown, and after `patienceMs` by an immediate one, from which the next start
 * recovers. PostgreSQL 18 is known to hang in a fast shutdown during crash recovery.
 */
export async function stopPostmaster(postmaster: Postmaster, clusterDir: string, patienceMs: number): Promise<void> {
  const deadline = Date.now() + patienceMs;
  send(postmaster.processId, "SIGINT");
  while (await isRunning(postmaster, clusterDir)) {
    if (Date.now() > deadline) send(postmaster.processId, "SIGQUIT");
    await wait(POLL_MS);
  }
}

/** Stops the PostgreSQL that runs on this folder, if one does: see `stopPostmaster`. */
export async function stopRunningPostmaster(clusterDir: string, patienceMs: number): Promise<void> {
  const postmaster = await readPostmaster(clusterDir);
  if (postmaster !== undefined && (await isRunning(postmaster, clusterDir))) {
    await stopPostmaster(postmaster, clusterDir, patienceMs);
  }
}

function send(processId: number, signal: NodeJS.Signals): void {
  try {
    process.kill(processId, signal);
  } catch {
    // It has ended in the meantime.
  }
}

/** The words of a process's command line, each with a space before and after; "" if there is no such process. */
async function readCommandLine(processId: number): Promise<string> {
  if (process.platform === "linux") {
    const words = await readFile(`/proc/${processId}/cmdline`, "utf8").catch(() => "");
    return ` ${words.replaceAll("\0", " ")} `;
  }
  return new Promise((resolve) => {
    const command = ["-ww", "-o", "command=", "-p", String(processId)];
    execFile("ps", command, { env: childEnvironment() }, (error, stdout) =>
      resolve(error === null ? ` ${stdout.trim()} ` : ""),
    );
  });
}
