import { join } from "node:path";
import type { Tool } from "../tool.ts";
import { nodePackageVersion } from "./node-packages.ts";

/** With its client for fetch. */
export const orval: Tool = {
  name: "orval",
  version: nodePackageVersion("orval", "node-all"),
  needs: ["npm"],
  inCi: false,
  client: "client",
  async generate(bench) {
    const programs = await bench.useNodePackages("node-all");
    await bench.copyPrograms();
    await bench.run(join(programs, "orval"), ["--config", "orval.config.mjs"]);
  },
  async compile(bench) {
    await bench.run(join(bench.folder, "node_modules/.bin/tsc"), []);
  },
  async call(bench) {
    await bench.call("node", ["dist/calls.js"]);
  },
};
