import { join } from "node:path";
import { cache } from "../bench.ts";
import { openApiGenerator } from "./openapi-generator.ts";

export const openApiGeneratorRust = openApiGenerator({
  generator: "rust",
  title: "Rust",
  needs: ["cargo"],
  inCi: false,
  client: "client/src/apis",
  options: ["--package-name=byond"],
  warnings: [
    {
      text: /AbstractRustCodegen - .* cannot be used as .* Renamed to /,
      why: "names are renamed, most of them to what they are",
    },
  ],
  async compile(bench) {
    await bench.copyPrograms();
    await bench.run("cargo", ["build", "--quiet"], {
      // What the client depends on is compiled once.
      environment: { CARGO_TARGET_DIR: join(cache, "cargo") },
      timeoutSeconds: 900,
    });
  },
  async call(bench) {
    await bench.call(join(cache, "cargo/debug/calls"), []);
  },
});
