/**
 * `npm run sbom`: the bill of materials of production, as CycloneDX. `npm sbom --omit=dev` leaves out the packages of production that those of development
 * need, too, so the packages are chosen here, by the lock file.
 */
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
  readonly link?: boolean;
}

interface Bill {
  readonly components: readonly { readonly "bom-ref": string }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

const { packages }: { readonly packages: Readonly<Record<string, LockedPackage>> } = JSON.parse(
  await readFile(join(root, "package-lock.json"), "utf8"),
);
const production = new Set(
  Object.entries(packages)
    .filter(
      ([path, one]) => path.includes("node_modules/") && !(one.dev || one.optional || one.devOptional || one.link),
    )
    .map(([path, { version }]) => `${path.replace(/^.*node_modules\//, "")}@${version}`),
);
const all: Bill = JSON.parse(
  execFileSync("npm", ["sbom", "--sbom-format", "cyclonedx"], { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 }),
);
const bill: Bill = {
  ...all,
  components: all.components.filter((component) => production.has(component["bom-ref"])),
  dependencies: all.dependencies
    .filter(({ ref }) => production.has(ref) || !all.components.some((component) => component["bom-ref"] === ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => production.has(other)) })),
};
console.log(JSON.stringify(bill, undefined, 2));
