import { join } from "node:path";
import { openApiGenerator } from "./openapi-generator.ts";

export const openApiGeneratorTypeScript = openApiGenerator({
  generator: "typescript-fetch",
  title: "TypeScript (fetch)",
  needs: ["npm"],
  inCi: true,
  client: "client/apis",
  options: [],
  async compile(bench) {
    await bench.copyPrograms();
    await bench.run(join(await bench.useNodePackages(), "tsc"), []);
  },
  async call(bench) {
    await bench.call("node", ["dist/calls.js"]);
  },
});
