import { openApiGenerator } from "./openapi-generator.ts";
import { pythonWithPackages } from "./python-packages.ts";

const packages = { PYTHONPATH: "installed", MYPYPATH: "installed" };

export const openApiGeneratorPython = openApiGenerator({
  generator: "python",
  title: "Python",
  needs: ["python3"],
  inCi: true,
  client: "client/byond/api",
  options: ["--package-name=byond"],
  warnings: [
    { text: /From \(reserved word\) cannot be used as model name/, why: "a parameter called `from` is renamed" },
  ],
  /** Installed as a user does it, by pip; the types of the calls are checked against the client's. */
  async compile(bench) {
    const python = await pythonWithPackages();
    await bench.copyPrograms();
    const options = ["--quiet", "--disable-pip-version-check", "--no-build-isolation", "--no-deps", "--no-index"];
    await bench.run(python, ["-m", "pip", "install", ...options, "--target", "installed", "./client"]);
    await bench.run(python, ["-m", "mypy", "--strict", "--follow-imports=silent", "calls.py"], {
      environment: packages,
    });
  },
  async call(bench) {
    await bench.call(await pythonWithPackages(), ["calls.py"], { environment: packages });
  },
});
