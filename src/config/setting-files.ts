import { statSync } from "node:fs";
import { readSettingFile } from "./read-setting-file.ts";
import type { Setting } from "./setting-group.ts";
import { unexpandedProblem } from "./unexpanded.ts";

/** What is read from files that variables name: `BYOND_SECRET_FILE` holds the path of a file that holds `BYOND_SECRET`. */
export interface SettingFiles {
  /** The content of each file, by the name of its setting. */
  readonly variables: Readonly<Record<string, string>>;
  /** The variables whose file every user of this machine may read. */
  readonly readableByAll: readonly string[];
  readonly problems: readonly string[];
}

/** The variable that names the file of a setting, after Docker's convention. */
export function fileVariable(name: string): string {
  return `${name}_FILE`;
}

/**
 * Reads the secret settings (`isSecret`) that are in files of their own. A setting that is set in both ways is a problem. A problem never
 * repeats a path: it may be the secret itself, in the wrong variable.
 */
export function readSettingFiles(
  environment: Readonly<Record<string, string | undefined>>,
  settings: ReadonlyMap<string, Setting>,
): SettingFiles {
  const variables: Record<string, string> = {};
  const readableByAll: string[] = [];
  const problems: string[] = [];
  for (const [name, { isSecret }] of settings) {
    const variable = fileVariable(name);
    const path = environment[variable]?.trim();
    if (!isSecret || !path) {
      continue;
    }
    const isTwice = environment[name]?.trim() ? `${name} and ${variable} are both set: remove one of them` : undefined;
    const problem = isTwice ?? unexpandedProblem(variable, path);
    if (problem !== undefined) {
      problems.push(problem);
      continue;
    }
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(readSettingFile(path)).trim();
      if (text === "") {
        problems.push(`${variable} names a file that is empty`);
      } else if (text.includes("\0")) {
        problems.push(`${variable} names a file that is not text`);
      }
      variables[name] = text;
      if ((statSync(path).mode & 0o004) !== 0) {
        readableByAll.push(variable);
      }
    } catch (error) {
      problems.push(`${variable} names a file that ${reasonOf(error)}`);
    }
  }
  return { variables, readableByAll, problems };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return "cannot be read";
  }
  // Only the messages of `readSettingFile`'s own errors, which have no code, never hold the path.
  const code = "code" in error ? String(error.code) : error.message;
  // 32 random bytes would lose most of what they are worth if they were read as text.
  return code === "ERR_ENCODING_INVALID_ENCODED_DATA"
    ? "is not text in UTF-8: encode random bytes (openssl rand -base64 32)"
    : `cannot be read: ${code}`;
}

/** The environment in which a process reads the same settings, also if the files have changed since. */
export function withSettingFiles(
  environment: Readonly<Record<string, string | undefined>>,
  { variables }: Pick<SettingFiles, "variables">,
): Readonly<Record<string, string | undefined>> {
  // Empty rather than absent: the `.env` file may name the files.
  const named = Object.keys(variables).map((name) => [fileVariable(name), ""]);
  return { ...environment, ...Object.fromEntries(named), ...variables };
}
