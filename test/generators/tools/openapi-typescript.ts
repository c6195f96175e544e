import { join } from "node:path";
import type { Tool } from "../tool.ts";
import { nodePackageVersion } from "./node-packages.ts";

/** Types only; openapi-fetch makes the calls. */
export const openapiTypescript: Tool = {
  name: "openapi-typescript, openapi-fetch",
  version: nodePackageVersion("openapi-typescript"),
  needs: ["npm"],
  inCi: true,
  client: "schema.ts",
  async generate(bench) {
    const programs = await bench.useNodePackages();
    await bench.run(join(programs, "openapi-typescript"), [bench.document, "--output", "schema.ts"]);
  },
  async compile(bench) {
    await bench.copyPrograms();
    await bench.run(join(bench.folder, "node_modules/.bin/tsc"), []);
  },
  async call(bench) {
    await bench.call("node", ["dist/calls.js"]);
  },
};
