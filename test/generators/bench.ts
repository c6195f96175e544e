import { createHash } from "node:crypto";
import { access, cp, mkdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { assertCalls } from "./readme-calls.ts";
import { type CommandOptions, runCommand } from "./run-command.ts";
import type { Credentials, ServerUnderTest } from "./server-under-test.ts";

const root = join(import.meta.dirname, "../..");
/** Not committed. What is downloaded stays in it, below its version. */
export const cache = join(root, ".cache/generators");

/** Packages from npm are in two sets, so that CI installs only what it runs. */
export type NodePackageSet = "node" | "node-all";

/** Where a tool works: an empty folder, the document, and a server to call. */
export class Bench {
  /** Kept after the run, to be looked at; empty at the start of the next. */
  readonly folder: string;
  /** Path of the document, as JSON. */
  readonly document: string;
  readonly #slug: string;
  readonly #server: ServerUnderTest;

  private constructor(slug: string, server: ServerUnderTest) {
    this.folder = join(cache, "work", slug);
    this.document = join(this.folder, "openapi.json");
    this.#slug = slug;
    this.#server = server;
  }

  static async create(slug: string, server: ServerUnderTest): Promise<Bench> {
    const bench = new Bench(slug, server);
    await rm(bench.folder, { recursive: true, force: true });
    await mkdir(bench.folder, { recursive: true });
    await server.writeDocument(bench.document);
    return bench;
  }

  get serverUrl(): string {
    return this.#server.url;
  }

  /** Runs a program in the folder. Throws a `CommandError` if it fails. Returns its standard output. */
  run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
    return runCommand(program, args, { cwd: this.folder, ...options });
  }

  /** Copies `programs/<slug>/`: what is written by hand beside the generated code, foremost the calls. */
  async copyPrograms(): Promise<void> {
    await cp(join(import.meta.dirname, "programs", this.#slug), this.folder, { recursive: true });
  }

  /** Runs a program that makes the README's calls, and throws unless it read from the responses what is in them (`readme-calls.ts`). */
  async call(program: string, args: readonly string[], options: CommandOptions = {}): Promise<void> {
    const credentials = await this.credentials();
    const environment = {
      BYOND_URL: this.#server.url,
      BYONDAPI_KEY: credentials.key,
      JWT: credentials.session,
      RECIPIENT: `${credentials.keyName}@example.com`,
      ...options.environment,
    };
    const printed = await this.run(program, args, { timeoutSeconds: 60, ...options, environment });
    assertCalls(printed, credentials.keyName);
  }

  /** A session and a sandbox key, of which nothing was used yet. */
  credentials(): Promise<Credentials> {
    calls += 1;
    return this.#server.credentials(`${this.#slug}-${calls}`);
  }

  /** Makes the packages of `<set>/package.json` importable in the folder. Returns the folder of their programs. */
  async useNodePackages(set: NodePackageSet = "node"): Promise<string> {
    const modules = join(await nodePackages(set), "node_modules");
    await symlink(modules, join(this.folder, "node_modules"));
    return join(modules, ".bin");
  }
}

let calls = 0;

/** The folder in which the lock file of the set is installed; installed on the first use. */
async function nodePackages(set: NodePackageSet): Promise<string> {
  const source = join(import.meta.dirname, set);
  const lock = await readFile(join(source, "package-lock.json"));
  return cached(`${set}-${digestOf(lock)}`, async (folder) => {
    await cp(source, folder, { recursive: true });
    // Without their install scripts: none of them needs one.
    await runCommand("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder });
  });
}

/** A folder of the cache, filled on the first use. It appears only when it is whole, so that an interrupted run leaves none. */
export async function cached(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cache, name);
  const isThere = await access(folder).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    const unfinished = `${folder}.unfinished`;
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true });
    await fill(unfinished);
    await rename(unfinished, folder);
  }
  return folder;
}

export function digestOf(content: Buffer | string): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}
