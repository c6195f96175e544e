import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Tool } from "../tool.ts";
import { nodePackageVersion } from "./node-packages.ts";

/** A linter, which many run before they take a document: its own rules, and not one finding, hints included. */
export const spectral: Tool = {
  name: "Spectral",
  version: nodePackageVersion("@stoplight/spectral-cli"),
  needs: ["npm"],
  inCi: true,
  async generate(bench) {
    const programs = await bench.useNodePackages();
    const ruleset = join(bench.folder, "ruleset.yaml");
    await writeFile(ruleset, 'extends: ["spectral:oas"]\n');
    await bench.run(join(programs, "spectral"), [
      "lint",
      bench.document,
      "--ruleset",
      ruleset,
      "--fail-severity",
      "hint",
    ]);
  },
};
