import { readFileSync } from "node:fs";
import { join } from "node:path";

const { dependencies }: { readonly dependencies: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(import.meta.dirname, "../node/package.json"), "utf8"),
);

/** The version of a package as `node/package.json` pins it. */
export function nodePackageVersion(name: string): string {
  const version = dependencies[name];
  if (version === undefined) {
    throw new Error(`node/package.json does not have ${name}`);
  }
  return version;
}
