import { openApiGenerator } from "./openapi-generator.ts";
import { pythonWithPackages } from "./python-packages.ts";

/** Generated and parsed: .NET, which would compile it, is not where this runs. */
export const openApiGeneratorCsharp = openApiGenerator({
  generator: "csharp",
  title: "C#",
  needs: ["python3"],
  inCi: false,
  client: "client/src/Acme.Byond/Api",
  options: ["--package-name=Acme.Byond"],
  warnings: [
    {
      text: /TimeZone \(reserved word\) cannot be used as model name/,
      why: "a parameter called `time_zone` is renamed",
    },
  ],
  limitation: "parsed, not compiled: that needs .NET",
  async compile(bench) {
    await bench.copyPrograms();
    await bench.run(await pythonWithPackages(), ["parse.py"]);
  },
});
