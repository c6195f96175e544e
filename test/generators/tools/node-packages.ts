import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NodePackageSet } from "../bench.ts";

/** The version of a package as `<set>/package.json` pins it. */
export function nodePackageVersion(name: string, set: NodePackageSet = "node"): string {
  const path = join(import.meta.dirname, "..", set, "package.json");
  const { dependencies }: { readonly dependencies: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(path, "utf8"),
  );
  const version = dependencies[name];
  if (version === undefined) {
    throw new Error(`${path} does not have ${name}`);
  }
  return version;
}
