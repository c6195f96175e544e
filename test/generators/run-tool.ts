import { existsSync } from "node:fs";
import { access, constants } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { inspect } from "node:util";
import { assertOperations } from "./assert-operations.ts";
import { Bench } from "./bench.ts";
import { differenceTo } from "./known-fault.ts";
import { CommandError } from "./run-command.ts";
import type { ServerUnderTest } from "./server-under-test.ts";
import { type Stage, slugOf, type Tool } from "./tool.ts";

/** What became of a tool. */
export interface Outcome {
  readonly tool: Tool;
  /** Seconds of each stage that passed, downloads included. */
  readonly seconds: Readonly<Partial<Record<Stage, number>>>;
  /** The stage that failed. */
  readonly failedStage?: Stage;
  /** Why, with the output of the command. */
  readonly failure?: string;
  /** The programs that are missing, if it was skipped. */
  readonly missing: readonly string[];
  /** How many of its stages ended as they should. */
  readonly passed: number;
}

/** Runs the stages of a tool one after the other, up to the first that fails. */
export async function runTool(tool: Tool, server: ServerUnderTest): Promise<Outcome> {
  const found = await Promise.all(tool.needs.map(isInstalled));
  const missing = tool.needs.filter((_, index) => !found[index]);
  if (missing.length > 0) {
    return { tool, seconds: {}, missing, passed: 0 };
  }
  const bench = await Bench.create(slugOf(tool), server);
  const stages = [
    ["generated", (bench: Bench) => generate(tool, bench)],
    ["compiled", tool.compile],
    ["called", tool.call],
  ] as const;
  const seconds: Partial<Record<Stage, number>> = {};
  let passed = 0;
  for (const [stage, run] of stages) {
    if (run === undefined) {
      continue;
    }
    const fault = tool.fault?.stage === stage ? tool.fault : undefined;
    const startedMs = performance.now();
    const failure = await run(bench).then(
      () => undefined,
      (error: unknown) => describe(error),
    );
    const problem = fault === undefined ? failure : differenceTo(fault, failure);
    if (problem !== undefined) {
      return { tool, seconds, failedStage: stage, failure: problem, missing, passed };
    }
    passed += 1;
    if (fault !== undefined) {
      break;
    }
    seconds[stage] = (performance.now() - startedMs) / 1_000;
  }
  return { tool, seconds, missing, passed };
}

async function generate({ generate, client }: Tool, bench: Bench): Promise<void> {
  await generate(bench);
  if (client !== undefined) {
    await assertOperations(bench, client);
  }
}

function describe(error: unknown): string {
  return error instanceof CommandError ? `${error.message}:\n${error.output}` : inspect(error);
}

async function isInstalled(program: string): Promise<boolean> {
  if (isAbsolute(program)) {
    return existsSync(program);
  }
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found = await Promise.all(
    folders.map((folder) =>
      access(join(folder, program), constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}
