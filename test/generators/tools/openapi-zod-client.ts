import { join } from "node:path";
import type { Tool } from "../tool.ts";
import { nodePackageVersion } from "./node-packages.ts";

/** Schemas of zod 3 and a Zodios client that checks requests and responses with them. */
export const openapiZodClient: Tool = {
  name: "openapi-zod-client",
  version: nodePackageVersion("openapi-zod-client", "node-all"),
  needs: ["npm"],
  inCi: false,
  client: "client.ts",
  limitation: "refuses every autofill_domain: it takes `format: hostname` for a URL",
  async generate(bench) {
    const programs = await bench.useNodePackages("node-all");
    await bench.run(join(programs, "openapi-zod-client"), [bench.document, "--output", "client.ts"]);
  },
  async compile(bench) {
    await bench.copyPrograms();
    await bench.run(join(bench.folder, "node_modules/.bin/tsc"), []);
  },
  async call(bench) {
    await bench.call("node", ["dist/calls.js"]);
  },
};
