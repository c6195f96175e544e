import type { Tool } from "../tool.ts";
import { goModuleVersion } from "./go-modules.ts";

const module = "github.com/ogen-go/ogen";
const version = goModuleVersion("ogen", module);

/** A client and a server in Go, with a type for each response. */
export const ogen: Tool = {
  name: "ogen",
  version: version.slice(1),
  needs: ["go"],
  inCi: false,
  client: "api/oas_client_gen.go",
  async generate(bench) {
    const options = ["--target", "api", "--package", "api", "--clean"];
    await bench.run("go", ["run", `${module}/cmd/ogen@${version}`, ...options, bench.document]);
  },
  async compile(bench) {
    await bench.copyPrograms();
    await bench.run("go", ["build", "-o", "calls", "."]);
  },
  async call(bench) {
    await bench.call("./calls", []);
  },
};
