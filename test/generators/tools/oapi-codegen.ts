import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Tool } from "../tool.ts";

const module = "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen";
const version = "2.8.2";

/** A client in Go, with pointers to what may be there. */
export const oapiCodegen: Tool = {
  name: "oapi-codegen",
  version,
  needs: ["go"],
  inCi: false,
  client: "api",
  async generate(bench) {
    await mkdir(join(bench.folder, "api"));
    const options = ["-generate", "types,client", "-package", "api", "-o", "api/byond.go"];
    await bench.run("go", ["run", `${module}@v${version}`, ...options, bench.document]);
  },
  async compile(bench) {
    await bench.copyPrograms();
    await bench.run("go", ["build", "-o", "calls", "."]);
  },
  async call(bench) {
    await bench.call("./calls", []);
  },
};
