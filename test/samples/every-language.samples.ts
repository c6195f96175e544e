/** `npm run test:samples`: the samples of every operation, in every language that this machine can run, against a real server. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePrices } from "../capabilities/balance/balance-fixture.ts";
import { DocumentReader } from "../capabilities/reference/openapi-document.ts";
import { useTestApp } from "../support/app.ts";
import { runSamples } from "./run-samples.ts";
import { languagesWithoutSdk } from "./sample-language.ts";
import { sdkSampleLanguages } from "./sdk-sample-language.ts";

const app = useTestApp({ allowsFixedCodes: true, prices: freePrices });
const document = JSON.parse(readFileSync(join(import.meta.dirname, "../../gen/openapi.json"), "utf8"));
const operationIds = new DocumentReader(document).operations().map(({ operation }) => operation.operationId);

const table: { readonly language: string; readonly result: string }[] = [];
afterAll(() => console.table(table));

describe.each([...languagesWithoutSdk, ...sdkSampleLanguages])("$label", (language) => {
  const missing = language.missing();
  if (missing !== undefined) {
    table.push({ language: language.label, result: `skipped: ${missing}` });
  }

  let outcomes: ReadonlyMap<string, string | undefined> = new Map();
  beforeAll(async () => {
    if (missing === undefined) {
      const startedMs = performance.now();
      outcomes = await runSamples(app, new DocumentReader(document), language);
      const passed = [...outcomes.values()].filter((outcome) => outcome === undefined).length;
      const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
      table.push({ language: language.label, result: `${passed} of ${outcomes.size} passed in ${seconds} s` });
    }
  });

  test.skipIf(missing !== undefined).each(operationIds)("%s is answered as documented", (operationId) => {
    expect(outcomes.has(operationId)).toBe(true);
    expect(outcomes.get(operationId)).toBeUndefined();
  });
});
