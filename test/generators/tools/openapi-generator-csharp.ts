import { openApiGenerator } from "./openapi-generator.ts";

/** Generated only. */
export const openApiGeneratorCsharp = openApiGenerator({
  generator: "csharp",
  title: "C#",
  needs: [],
  inCi: false,
  client: "client/src/Acme.Byond/Api",
  options: ["--package-name=Acme.Byond"],
});
