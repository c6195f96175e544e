import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MainProcess } from "../system/main-process.ts";
import type { ImageConfig } from "./dockerfile.ts";

/** What a runtime adds to an image before it starts a container. */
export async function prepareContainer(image: string): Promise<void> {
  await mkdir(join(image, "proc"));
  await mkdir(join(image, "dev"));
  await writeFile(join(image, "etc/hosts"), "127.0.0.1 localhost\n");
}

const enter = [
  "unshare=$(command -v unshare) folder=$1 gid=$2 uid=$3 PATH_OF_IMAGE=$4",
  "shift 4",
  'mount --bind "$0" "$0"',
  'mount --bind /dev "$0/dev"',
  'mount -t proc proc "$0/proc"',
  'mount -o remount,bind,ro "$0"',
  "export PATH=$PATH_OF_IMAGE",
  'exec "$unshare" --root="$0" --wd="$folder" --setgid="$gid" --setuid="$uid" "$@"',
].join("\n");

/**
 * A container of the image, made by what a container is made of: a root of its own that nobody can write to, its user, and processes that see none
 * of the others, so that the program is the first one, which the kernel treats as `init`. It has this machine's network.
 */
export class Container implements AsyncDisposable {
  readonly #main: MainProcess;

  constructor(
    image: string,
    config: ImageConfig,
    {
      environment,
      command,
      input = "",
    }: {
      readonly environment: Readonly<Record<string, string>>;
      readonly command: readonly string[];
      readonly input?: string;
    },
  ) {
    const { workingFolder, user } = config;
    const { PATH = "", ...variables } = config.environment;
    const args = [image, workingFolder, String(user.gid), String(user.uid), PATH, ...command];
    this.#main = new MainProcess({
      command: ["unshare", "--mount", "--pid", "--fork", "sh", "-ec", enter, ...args],
      environment: { ...variables, NODE_COMPILE_CACHE: "", ...environment },
      input,
    });
    process.once("exit", this.#end);
  }

  /** Why this machine cannot run one; undefined if it can. */
  static get missing(): string | undefined {
    const { status } = spawnSync("unshare", ["--mount", "--pid", "--fork", "mount", "--bind", "/tmp", "/tmp"]);
    return status === 0 ? undefined : "no right to unshare and mount";
  }

  get main(): MainProcess {
    return this.#main;
  }

  /** Sends a signal to its first process. `unshare` does not pass any on. */
  signal(signal: NodeJS.Signals): void {
    const { processId } = this.#main;
    const children = readFileSync(`/proc/${processId}/task/${processId}/children`, "utf8");
    const first = Number(children.trim());
    // 0 would be the group of the tests.
    if (first === 0) {
      throw new Error("the container has no process yet");
    }
    process.kill(first, signal);
  }

  /** The kernel forgets `--kill-child` when the process becomes another user. */
  readonly #end = () => {
    try {
      this.signal("SIGKILL");
    } catch {
      // It has ended, or not begun.
    }
    this.#main.signal("SIGKILL");
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.#main.exited;
    process.off("exit", this.#end);
  }
}
