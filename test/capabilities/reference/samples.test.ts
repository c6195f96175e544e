import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sdkLanguages } from "../../../sdk/generator/samples/sdk-samples.ts";
import { sampleLanguages } from "../../../src/capabilities/reference/openapi/samples/code-samples.ts";
import { forServerAt } from "../../../src/capabilities/reference/openapi/samples/grpcurl.ts";
import { runSamples } from "../../samples/run-samples.ts";
import { curl } from "../../samples/sample-language.ts";
import { useTestApp } from "../../support/app.ts";
import { freePrices } from "../balance/balance-fixture.ts";
import { DocumentReader } from "./openapi-document.ts";

const app = useTestApp({ allowsFixedCodes: true, prices: freePrices });
const text = readFileSync(join(import.meta.dirname, "../../../gen/openapi.json"), "utf8");
const reader = new DocumentReader(JSON.parse(text));
const operations = reader.operations().map(({ operation }) => operation);

// The other languages are run by `npm run test:samples`.
test("every sample in curl is answered as documented", async () => {
  const outcomes = await runSamples(app, reader, curl);
  expect([...outcomes.values()].filter((problem) => problem !== undefined)).toEqual([]);
  expect(outcomes.size).toBe(operations.length);
});

const [inCurl, ...others] = sampleLanguages;
const allLanguages = [...(inCurl === undefined ? [] : [inCurl]), ...sdkLanguages, ...others];

test("every operation has a sample in every language, those in the SDKs behind curl", () => {
  for (const operation of operations) {
    const labels = operation["x-codeSamples"].map(({ label }) => label);
    expect(labels, operation.operationId).toEqual(allLanguages.map(({ label }) => label));
  }
});

describe.each(allLanguages)("samples in $label", ({ label, key }) => {
  const samples = operations.map((operation) => {
    const source = operation["x-codeSamples"].find((sample) => sample.label === label)?.source ?? "";
    return { operation, source };
  });

  test("take the address from the environment, which SDKs do by themselves", () => {
    for (const { source } of samples) {
      expect(source.includes("BYOND_URL")).toBe(!label.endsWith(" SDK"));
      expect(source).not.toContain("127.0.0.1");
    }
  });

  test("take the credential from the environment, if the operation needs one", () => {
    for (const { operation, source } of samples) {
      expect(/BYONDAPI_KEY|JWT/.test(source), operation.operationId).toBe(operation.security.length > 0);
    }
  });

  test("name the key once, in the form that a key can take the place of", () => {
    for (const { source } of samples.filter((sample) => sample.source.includes("BYONDAPI_KEY"))) {
      expect(source.split(key.text)).toHaveLength(2);
      expect(source.split("BYONDAPI_KEY")).toHaveLength(2);
    }
    // Those of the languages without an SDK are what the pages fill in.
    expect(sampleLanguages.map((language) => language.key)).toContain(key);
  });
});

describe("samples in gRPC", () => {
  const sources = (url: string): string[] =>
    new DocumentReader(JSON.parse(forServerAt(url, text)))
      .operations()
      .map(({ operation }) => operation["x-codeSamples"].at(-1)?.source ?? "");

  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's
  const fromEnvironment = '"${BYOND_URL#*://}"';

  test.each([
    ["http://127.0.0.1:8080", true, fromEnvironment],
    ["https://byond.example.com:8443", false, fromEnvironment],
    ["https://byond.example.com", false, "byond.example.com:443"],
    ["https://byond.example.com:8443/byond", false, "byond.example.com:8443"],
    ["http://byond.internal", true, "byond.internal:80"],
  ])("for a server at %s say whether to use TLS, and name the port", (url, isPlain, address) => {
    for (const source of sources(url)) {
      expect(source.startsWith("grpcurl -plaintext \\\n")).toBe(isPlain);
      expect(source.startsWith("grpcurl \\\n")).toBe(!isPlain);
      expect(source).toContain(` ${address} byond.v1.`);
    }
  });
});
