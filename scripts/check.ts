/** `npm run check`: format, lint, imports, types, migrations, the schema, and whether generated code is up to date. */
import { spawnSync } from "node:child_process";
import { rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { generateTestCode } from "../test/rest/generate.ts";
import { generate, generated } from "./generate.ts";
import { fillThirdParty } from "./third-party.ts";

const root = join(import.meta.dirname, "..");
const regenerated = join(root, "node_modules/.cache/regenerated");

interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

/** Disables the OpenAPI linter's telemetry and update check. */
const quiet = { REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" };

const steps: readonly Step[] = [
  { name: "format and lint", command: ["biome", "ci", "--error-on-warnings", "."] },
  { name: "imports: no circle of files or folders, workspaces by name", command: ["node", "scripts/check-imports.ts"] },
  { name: "documents: the files that they name exist", command: ["node", "scripts/check-documents.ts"] },
  { name: "licences of production's packages", command: ["node", "scripts/check-licences.ts"] },
  { name: "types", command: ["tsc"] },
  { name: "types of the console", command: ["tsc", "-p", "src/capabilities/console/app"] },
  { name: "migrations: no long locks, released ones unchanged", command: ["node", "scripts/check-migrations.ts"] },
  { name: "schema: lint", command: ["buf", "lint"] },
  {
    name: "schema: nothing that clients rely on was broken",
    command: ["buf", "breaking", "proto", "--against", "proto/baseline.binpb.gz", "--exclude-imports"],
  },
  { name: "OpenAPI: lint", command: ["redocly", "lint", "gen/openapi.json", "--extends", "recommended-strict"] },
  {
    name: "gen/plans is what its source.json says (npm run generate:plans)",
    command: ["node", "scripts/generate-plans.ts", "--offline"],
  },
  ...generated.map(
    (path): Step => ({
      name: `${path} is what the schema gives (npm run generate)`,
      command: ["diff", "-r", path, join(regenerated, path)],
    }),
  ),
];

function run({ name, command: [program, ...args] }: Step): boolean {
  const path = `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}`;
  const { status } = spawnSync(program, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...quiet, PATH: path },
  });
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name}`);
  return status === 0;
}

await fillThirdParty();
await generate(regenerated);
await generateTestCode();
const failed = steps.filter((step) => !run(step));
await rm(regenerated, { recursive: true, force: true });
process.exitCode = failed.length === 0 ? 0 : 1;
