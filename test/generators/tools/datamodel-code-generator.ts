import type { Tool } from "../tool.ts";
import { pythonPackageVersion, pythonWithPackages } from "./python-packages.ts";

/** Models of pydantic 2, without a client. */
export const datamodelCodeGenerator: Tool = {
  name: "datamodel-code-generator",
  version: pythonPackageVersion("datamodel-code-generator"),
  needs: ["python3"],
  inCi: false,
  async generate(bench) {
    const options = [
      "--output-model-type",
      "pydantic_v2.BaseModel",
      "--target-python-version",
      "3.11",
      "--use-annotated",
    ];
    await bench.run(await pythonWithPackages(), [
      "-m",
      "datamodel_code_generator",
      ...["--input", bench.document, "--input-file-type", "openapi", "--output", "models.py"],
      ...options,
      ...["--formatters", "builtin"],
    ]);
  },
  async compile(bench) {
    await bench.copyPrograms();
    await bench.run(await pythonWithPackages(), ["-m", "mypy", "--strict", "calls.py"]);
  },
  async call(bench) {
    await bench.call(await pythonWithPackages(), ["calls.py"]);
  },
};
