import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile } from "node:fs/promises";
import { basename, delimiter, dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { root, type Stage } from "./dockerfile.ts";

const run = promisify(execFile);

/**
 * Does what the Dockerfile says, in folders: each stage has one, in which its RUN lines run, with the Node of the tests. Returns the folder of the
 * image. `npm ci` of everything is not repeated, since the checkout is what it made: its packages are linked.
 */
export async function buildImageFolder(stages: readonly Stage[], folder: string): Promise<string> {
  const isInContext = await readDockerignore();
  const folderOf = (stage: string) => join(folder, stage || "image");
  // Only the last one takes from others.
  await Promise.all(stages.slice(0, -1).map(build));
  await Promise.all(stages.slice(-1).map(build));
  return folderOf("");

  async function build({ name: stage, instructions }: Stage): Promise<void> {
    const own = folderOf(stage);
    await mkdir(own);
    let shell = ["/bin/sh", "-c"];
    for (const { name, text } of instructions) {
      if (name === "RUN" && /^npm ci(?!.*--omit)/.test(text)) {
        await run("cp", ["-al", join(root, "node_modules"), own]);
      } else if (name === "SHELL") {
        shell = JSON.parse(text);
      } else if (name === "RUN") {
        await runLine([...shell, text], own);
      } else if (name === "COPY") {
        await copy(text.split(" "), own);
      }
    }
  }

  async function copy(words: readonly string[], own: string): Promise<void> {
    const [from] = words.filter((word) => word.startsWith("--from=")).map((word) => word.slice("--from=".length));
    const paths = words.filter((word) => !word.startsWith("--"));
    const target = paths.at(-1) ?? "";
    // One by one: a folder is not copied into itself.
    const sources = paths[0] === "." ? await readdir(root) : paths.slice(0, -1);
    for (const path of sources) {
      if (from === undefined) {
        const to = join(own, target, /(^\.|\/)$/.test(target) ? basename(path) : "");
        const filter = (file: string) => isInContext(relative(root, file));
        await cp(join(root, path), to, { recursive: true, filter, verbatimSymlinks: true });
      } else {
        const to = join(own, target);
        await mkdir(to, { recursive: true });
        await run("cp", ["-al", `${join(folderOf(from), path.replace(/^\/build\//, ""))}/.`, to]);
      }
    }
  }
}

async function runLine([program = "", ...args]: readonly string[], cwd: string): Promise<void> {
  // Not those of the checkout: a package that is only there would be missing in the image.
  const path = (process.env.PATH ?? "").split(delimiter).filter((one) => !one.includes("node_modules"));
  const environment = { HOME: process.env.HOME, PATH: [dirname(process.execPath), ...path].join(delimiter) };
  try {
    await run(program, args, { cwd, env: { ...proxies(), ...environment }, maxBuffer: 1 << 24 });
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout?: string; readonly stderr?: string };
    throw new Error(`${args.at(-1)}\n${stdout}${stderr}`, { cause: error });
  }
}

/** How npm reaches its registry on this machine. */
function proxies(): Record<string, string | undefined> {
  const names = /^(https?_proxy|no_proxy|npm_config_registry|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => names.test(name)));
}

/** Whether Docker would see a path. The file names what it sees (`!src`) and, of that, folders that it does not (`**\/dist`). */
export async function readDockerignore(): Promise<(path: string) => boolean> {
  const lines = (await readFile(join(root, ".dockerignore"), "utf8")).split("\n").filter((line) => /^[^#]/.test(line));
  const seen = lines.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  const unseen = new Set(lines.filter((line) => line.startsWith("**/")).map((line) => line.slice("**/".length)));
  return (path) =>
    path === "" ||
    (seen.some((one) => path === one || path.startsWith(`${one}/`) || one.startsWith(`${path}/`)) &&
      !path.split("/").some((part) => unseen.has(part)));
}
