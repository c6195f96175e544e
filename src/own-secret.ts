import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The master secret that the embedded mode keeps for itself, made at the first start. Only its owner can read the file. */
export async function readOwnSecret(dataDir: string): Promise<string> {
  const path = join(dataDir, "secret");
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  try {
    // `wx` fails if the file is there: a secret that is in use is never replaced.
    await writeFile(path, randomBytes(32).toString("base64url"), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) {
      throw error;
    }
  }
  const secret = (await readFile(path, "utf8")).trim();
  if (Buffer.byteLength(secret) < 32) {
    throw new Error(`${path} holds no usable secret. Restore it from a backup, or delete it to start anew.`);
  }
  return secret;
}
