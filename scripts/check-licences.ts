/**
 * Checks that every package of production has a licence that lets people use, change and pass on the server as they like. What the lock file says counts: npm
 * writes the `license` of each package's manifest into it.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const allowed = new Set(["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0"]);

/** Whether an SPDX expression, made of names, AND, OR and parentheses, is met by what is allowed. */
function isAllowed(expression: string): boolean {
  const isName = (text: string) => allowed.has(text.trim());
  const bare = expression.replace(/^\((.*)\)$/, "$1");
  // A mixture, or parentheses within: somebody should read it.
  if (/[()]/.test(bare) || (/ AND /.test(bare) && / OR /.test(bare))) {
    return false;
  }
  return bare.includes(" OR ") ? bare.split(" OR ").some(isName) : bare.split(" AND ").every(isName);
}

interface LockedPackage {
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly link?: boolean;
}

const { packages }: { readonly packages: Readonly<Record<string, LockedPackage>> } = JSON.parse(
  await readFile(join(import.meta.dirname, "../package-lock.json"), "utf8"),
);
const production = Object.entries(packages).filter(
  ([path, { dev, devOptional, link }]) => path.includes("node_modules/") && !(dev || devOptional || link),
);
const refused = production.filter(([, { license }]) => license === undefined || !isAllowed(license));
if (refused.length > 0) {
  const lines = refused.map(([path, { license = "none" }]) => `${path}: ${license}`);
  console.error(`Packages of production with licences that are not allowed:\n${lines.join("\n")}`);
  process.exitCode = 1;
}
