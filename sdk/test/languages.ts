/** How the cases are run in each language. Commands run in the folder of the SDK. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Transport } from "./cases.ts";

export type Command = readonly [program: string, ...args: string[]];

export interface Language {
  readonly name: string;
  readonly folder: string;
  readonly transports: readonly Transport[];
  /** What the machine must be able to run; otherwise the language is skipped. */
  readonly needs: readonly Command[];
  /** Builds what the runner needs. */
  readonly prepare: readonly Command[];
  /** The runner; the path of the JSON of the cases is added. */
  readonly runner: Command;
  /**
   * Tests of the package that need its language. They print their results as the runner does. `BYOND_URL` and `BYONDAPI_KEY` in their environment are
   * the server, and a key of the sandbox.
   */
  readonly packageTests?: Command;
}

const sdk = join(import.meta.dirname, "..");
const goRunner = join(sdk, "../.cache/sdk-go/run-cases");

/** The interpreter of the environment that `test/prepare.py` makes. */
const pythonInEnvironment = join(sdk, "../.cache/sdk-python/bin/python");

const python: Omit<Language, "name" | "runner"> = {
  folder: join(sdk, "python"),
  transports: ["rest", "grpc"],
  // Debian's Python has `venv`, but not what it needs; and the tools of the tests do not run on every Python that the SDK runs on.
  needs: [["python3", "-c", "import ensurepip, sys; sys.exit(sys.version_info < (3, 10))"]],
  prepare: [["python3", "test/prepare.py"]],
};

/** Fails if PHP does not have something. */
function phpWith(condition: string): Command {
  return ["php", "-r", `exit(${condition} ? 0 : 1);`];
}

export const languages: readonly Language[] = [
  {
    name: "typescript",
    folder: join(sdk, "typescript"),
    transports: ["rest", "grpc"],
    needs: [[process.execPath, "--version"]],
    prepare: [],
    runner: [process.execPath, "test/run-cases.ts"],
  },
  {
    name: "deno",
    folder: join(sdk, "typescript"),
    transports: ["rest"],
    needs: [["deno", "--version"]],
    prepare: [],
    runner: ["deno", "run", "--allow-all", "--no-config", "test/run-cases.ts"],
  },
  {
    name: "bun",
    folder: join(sdk, "typescript"),
    transports: ["rest"],
    needs: [["bun", "--version"]],
    prepare: [],
    runner: ["bun", "test/run-cases.ts"],
  },
  {
    name: "go",
    folder: join(sdk, "go/test"),
    transports: ["rest", "grpc"],
    needs: [["go", "version"]],
    prepare: [["go", "build", "-o", goRunner, "."]],
    runner: [goRunner],
  },
  {
    name: "python",
    ...python,
    runner: [pythonInEnvironment, "test/run_cases.py", "sync"],
    packageTests: [pythonInEnvironment, "test/run_tests.py"],
  },
  { name: "python-async", ...python, runner: [pythonInEnvironment, "test/run_cases.py", "async"] },
  {
    name: "php",
    folder: join(sdk, "php"),
    transports: ["rest"],
    needs: [["php", "--version"], phpWith("extension_loaded('curl')")],
    prepare: [],
    runner: ["php", "test/run-cases.php"],
  },
  {
    // The same, with a PSR-18 client.
    name: "php-guzzle",
    folder: join(sdk, "php"),
    transports: ["rest"],
    needs: [["php", "--version"], phpWith("stream_resolve_include_path('GuzzleHttp/autoload.php') !== false")],
    prepare: [],
    runner: ["php", "test/run-cases.php", "--psr18"],
  },
];

const run = promisify(execFile);

/** Why the machine cannot run a language; undefined if it can. */
export async function missingFor({ needs, folder }: Language): Promise<string | undefined> {
  for (const [program, ...args] of needs) {
    try {
      await run(program, args, { cwd: folder });
    } catch {
      return `\`${[program, ...args].join(" ")}\` does not run here`;
    }
  }
  return undefined;
}
