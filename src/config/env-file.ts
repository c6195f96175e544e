import { stat } from "node:fs/promises";
import { parseEnv } from "node:util";
import { ConfigError } from "./config-error.ts";
import { readSettingFile } from "./read-setting-file.ts";

/** The content of a `.env` file. */
export interface EnvFile {
  readonly variables: Readonly<Record<string, string>>;
  /** Whether every user of this machine may read it. */
  readonly isReadableByAll: boolean;
}

/**
 * Reads a `.env` file in the format of Node's `--env-file`. Undefined if there is no such file; a folder does not count. Throws
 * `ConfigError` if it cannot be read.
 */
export async function readEnvFile(path: string): Promise<EnvFile | undefined> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) {
      return undefined;
    }
    // Node types the values as `string | undefined`, although a file has no undefined ones.
    const variables = Object.entries(parseEnv(readSettingFile(path).toString("utf8"))).map(([name, value]) => [
      name,
      value ?? "",
    ]);
    return { variables: Object.fromEntries(variables), isReadableByAll: (found.mode & 0o004) !== 0 };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return undefined;
    }
    throw new ConfigError([`the .env file cannot be read: ${error instanceof Error ? error.message : error}`]);
  }
}
