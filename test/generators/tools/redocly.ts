import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Tool } from "../tool.ts";

const root = join(import.meta.dirname, "../../..");
const { devDependencies }: { readonly devDependencies: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8"),
);

/** The linter of `npm run check`, on the document as it is served: its recommended rules, a warning being an error. */
export const redocly: Tool = {
  name: "Redocly",
  version: devDependencies["@redocly/cli"] ?? "",
  needs: [],
  inCi: true,
  async generate(bench) {
    const environment = { REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" };
    const program = join(root, "node_modules/.bin/redocly");
    await bench.run(program, ["lint", bench.document, "--extends", "recommended-strict"], { environment });
  },
};
