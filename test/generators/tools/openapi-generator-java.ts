import { readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { cache } from "../bench.ts";
import { openApiGenerator } from "./openapi-generator.ts";

export const openApiGeneratorJava = openApiGenerator({
  generator: "java",
  title: "Java",
  needs: ["javac", "mvn"],
  inCi: true,
  client: "client/src/main/java/com/example/byond/api",
  options: [
    "--group-id=com.example",
    "--artifact-id=byond",
    "--invoker-package=com.example.byond",
    "--api-package=com.example.byond.api",
    "--model-package=com.example.byond.model",
  ],
  workarounds: [
    {
      option: "disallowAdditionalPropertiesIfNotPresent=false",
      words: "without it, responses with a new field are refused",
      issue: 21169,
      symptom: {
        file: "src/main/java/com/example/byond/model/Verification.java",
        text: "is not defined in the `Verification` properties",
      },
    },
  ],
  warnings: [
    {
      text: "Ignoring complex example on request body",
      why: "of the examples that are objects, one is an object of the generator's, too",
    },
  ],
  async compile(bench) {
    await bench.copyPrograms();
    // The client's own build, as far as its classes. Its tests are left out: they are empty.
    const goals = ["compile", "dependency:build-classpath"];
    const properties = [
      `-Dmaven.repo.local=${join(cache, "maven")}`,
      "-Dmaven.test.skip=true",
      "-Dmdep.outputFile=target/classpath",
    ];
    await bench.run("mvn", ["--batch-mode", "--quiet", ...properties, ...goals], { cwd: join(bench.folder, "client") });
    const classpath = await classpathOf(bench.folder);
    await bench.run("javac", [
      "-Werror",
      "-Xlint:all,-processing",
      "-proc:none",
      "-cp",
      classpath,
      "-d",
      "classes",
      "Calls.java",
    ]);
  },
  async call(bench) {
    const classpath = await classpathOf(bench.folder);
    await bench.call("java", ["-cp", ["classes", classpath].join(delimiter), "Calls"]);
  },
});

async function classpathOf(folder: string): Promise<string> {
  const dependencies = await readFile(join(folder, "client/target/classpath"), "utf8");
  return [join(folder, "client/target/classes"), dependencies].join(delimiter);
}
