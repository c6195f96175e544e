import { join } from "node:path";
import type { Tool } from "../tool.ts";
import { nodePackageVersion } from "./node-packages.ts";

export const heyApi: Tool = {
  name: "@hey-api/openapi-ts",
  version: nodePackageVersion("@hey-api/openapi-ts", "node-all"),
  needs: ["npm"],
  inCi: false,
  client: "client/sdk.gen.ts",
  async generate(bench) {
    const programs = await bench.useNodePackages("node-all");
    await bench.copyPrograms();
    await bench.run(join(programs, "openapi-ts"), ["--file", "openapi-ts.config.mjs", "--no-log-file"]);
  },
  async compile(bench) {
    await bench.run(join(bench.folder, "node_modules/.bin/tsc"), []);
  },
  async call(bench) {
    await bench.call("node", ["dist/calls.js"]);
  },
};
