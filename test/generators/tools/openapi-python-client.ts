import { delimiter, dirname } from "node:path";
import type { Tool } from "../tool.ts";
import { pythonPackageVersion, pythonWithPackages } from "./python-packages.ts";

export const openapiPythonClient: Tool = {
  name: "openapi-python-client",
  version: pythonPackageVersion("openapi-python-client"),
  needs: ["python3"],
  inCi: true,
  client: "client",
  async generate(bench) {
    const python = await pythonWithPackages();
    const options = ["--path", bench.document, "--output-path", "client", "--fail-on-warning"];
    // It formats what it wrote with `ruff`, which pip has installed beside it.
    const environment = { PATH: `${dirname(python)}${delimiter}${process.env.PATH}` };
    await bench.run(python, ["-m", "openapi_python_client", "generate", ...options], { environment });
  },
  /** Installed as a user does it, by pip, and its types and those of the calls checked strictly. */
  async compile(bench) {
    const python = await pythonWithPackages();
    await bench.copyPrograms();
    const options = ["--quiet", "--disable-pip-version-check", "--no-build-isolation", "--no-deps", "--no-index"];
    await bench.run(python, ["-m", "pip", "install", ...options, "--target", "installed", "./client"]);
    await bench.run(python, ["-m", "mypy", "--strict", "calls.py"], { environment: { MYPYPATH: "installed" } });
  },
  async call(bench) {
    await bench.call(await pythonWithPackages(), ["calls.py"], { environment: { PYTHONPATH: "installed" } });
  },
};
