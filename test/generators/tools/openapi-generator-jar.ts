import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "../bench.ts";

export const openApiGeneratorVersion = "7.25.0";
const sha256 = "41ce4f6b07f196676439d710759fa1ced7a08066d06ff1bf314681470289efae";
const url = `https://repo1.maven.org/maven2/org/openapitools/openapi-generator-cli/${openApiGeneratorVersion}/openapi-generator-cli-${openApiGeneratorVersion}.jar`;

/** Path of OpenAPI Generator's command line, downloaded on the first use (31 MB). */
export async function openApiGeneratorJar(): Promise<string> {
  const folder = await cached(`openapi-generator-${openApiGeneratorVersion}`, async (into) => {
    const response = await fetch(url);
    if (!response.ok) {
      throw new Error(`${url} returned ${response.status}`);
    }
    await writeFile(join(into, "cli.jar"), await response.bytes());
  });
  const path = join(folder, "cli.jar");
  // Checked on every use: the cache may have come from elsewhere.
  const digest = createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
  if (digest !== sha256) {
    throw new Error(`${path} has the SHA-256 ${digest}, not ${sha256}`);
  }
  return path;
}
