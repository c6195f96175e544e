import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ConfigError } from "../config/config-error.ts";
import type { ServerConfig } from "./server-config.ts";

/** The configured master secrets, or the one that the embedded mode keeps. */
export async function readSecrets(config: Pick<ServerConfig, "secrets" | "database">): Promise<readonly string[]> {
  if (config.secrets !== undefined) {
    return config.secrets;
  }
  if (config.database.kind === "external") {
    throw new TypeError("a configuration with DATABASE_URL always has secrets");
  }
  return [await readEmbeddedSecret(config.database.dataDir)];
}

/** Where the secrets are configured, for messages. */
export function secretsAreIn({ secrets }: Pick<ServerConfig, "secrets">): string {
  return secrets === undefined ? "the file secret in DATA_DIR" : "BYOND_SECRET";
}

/** As `readSecrets`, creating none. Undefined: the embedded mode has none yet. Throws what `readSecrets` throws. */
export async function findSecrets(
  config: Pick<ServerConfig, "secrets" | "database">,
): Promise<readonly string[] | undefined> {
  const { secrets, database } = config;
  const isMissing =
    secrets === undefined && database.kind === "embedded" && (await isAbsent(join(database.dataDir, "secret")));
  return isMissing ? undefined : readSecrets(config);
}

/**
 * The master secret of the embedded mode, created at the first start. Only the owner can read its file. Throws `ConfigError` if
 * the file holds no secret, is readable by every user, or cannot be read or created.
 */
async function readEmbeddedSecret(dataDir: string): Promise<string> {
  const path = join(dataDir, "secret");
  const secret = await readOrCreate(path).catch((error: Error) => {
    throw error instanceof ConfigError
      ? error
      : new ConfigError([`DATA_DIR: its secret cannot be read or created: ${error.message}`]);
  });
  if (Buffer.byteLength(secret) < 32) {
    throw new ConfigError([
      `${path} holds no usable secret: restore it from a backup, or delete it to generate a new one`,
    ]);
  }
  return secret;
}

async function readOrCreate(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  return (await readIfExists(path)) ?? (await createSecret(path));
}

async function isAbsent(path: string): Promise<boolean> {
  return stat(path).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === "ENOENT",
  );
}

async function readIfExists(path: string): Promise<string | undefined> {
  try {
    const { mode } = await stat(path);
    if ((mode & 0o007) !== 0) {
      throw new ConfigError([`${path} is readable by every user of this machine: run chmod 600 on it`]);
    }
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
}

/**
 * Creates a secret. It is on the disk, whole, before anything is sealed with it. Only the process that owns the data folder's
 * PostgreSQL gets here, or the first of its workers, so no other one creates a secret at the same time.
 */
async function createSecret(path: string): Promise<string> {
  const secret = randomBytes(32).toString("base64url");
  const unfinished = `${path}.unfinished`;
  await rm(unfinished, { force: true });
  const file = await open(unfinished, "wx", 0o600);
  try {
    await file.writeFile(secret);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
  return secret;
}
