import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The version of a module as `go.mod` of the tool's programs pins it. */
export function goModuleVersion(slug: string, module: string): string {
  const path = join(import.meta.dirname, "../programs", slug, "go.mod");
  const [, version] = new RegExp(`\\b${module} (v\\S+)`).exec(readFileSync(path, "utf8")) ?? [];
  if (version === undefined) {
    throw new Error(`${path} does not have ${module}`);
  }
  return version;
}
