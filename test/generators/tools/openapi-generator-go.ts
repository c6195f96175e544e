import { openApiGenerator } from "./openapi-generator.ts";

export const openApiGeneratorGo = openApiGenerator({
  generator: "go",
  title: "Go",
  needs: ["go"],
  inCi: true,
  client: "client",
  limitation: "its client sends the token of a context with every call: one context for the key, one for the session",
  options: ["--git-host=example.com", "--git-user-id=acme", "--git-repo-id=byond", "--package-name=byond"],
  workarounds: [
    {
      option: "enumClassPrefix=true",
      words: "without it, enums with a word in common do not compile",
      issue: 535,
      symptom: { file: "model_verification_status.go", text: "\tPENDING VerificationStatus" },
    },
    {
      option: "disallowAdditionalPropertiesIfNotPresent=false",
      words: "without it, responses with a new field are refused",
      issue: 21169,
      symptom: { file: "model_verification.go", text: "DisallowUnknownFields" },
    },
  ],
  warnings: [
    {
      text: / type \(reserved word\) cannot be used as (parameter|model) name/,
      why: "a parameter called `type` is renamed",
    },
  ],
  async compile(bench) {
    await bench.copyPrograms();
    await bench.run("go", ["mod", "tidy"]);
    await bench.run("go", ["build", "-o", "calls", "."]);
    await bench.run("go", ["vet", ".", "example.com/acme/byond"]);
  },
  async call(bench) {
    await bench.call("./calls", []);
  },
});
