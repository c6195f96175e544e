import { readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { cache } from "../bench.ts";
import { openApiGenerator } from "./openapi-generator.ts";

export const openApiGeneratorKotlin = openApiGenerator({
  generator: "kotlin",
  title: "Kotlin",
  needs: ["mvn"],
  inCi: false,
  client: "client/src/main/kotlin/com/example/byond/apis",
  limitation: "its client sends every credential that is set, whatever the operation names: set one at a time",
  options: ["--package-name=com.example.byond"],
  async compile(bench) {
    // The client is built by Gradle, which few machines have; `pom.xml` has what its build.gradle has.
    await bench.copyPrograms();
    await bench.run(
      "mvn",
      [
        "--batch-mode",
        "--quiet",
        `-Dmaven.repo.local=${join(cache, "maven")}`,
        "compile",
        "dependency:build-classpath",
      ],
      { timeoutSeconds: 900 },
    );
  },
  async call(bench) {
    const dependencies = await readFile(join(bench.folder, "target/classpath"), "utf8");
    await bench.call("java", ["-cp", ["target/classes", dependencies].join(delimiter), "CallsKt"]);
  },
});
