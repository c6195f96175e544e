/** Our answers beside those of Google's libphonenumber with the same plans. `npm run compare:plans` compares all numbers of the file. */
import { expect, test } from "vitest";
import { differencesOf } from "../../scripts/plans/golden/differences.ts";
import { readGoldenNumbers } from "../../scripts/plans/golden/golden-file.ts";
import { lookupNumber } from "../../src/capabilities/lookup/lookup-number.ts";
import { describeFields } from "../../src/capabilities/lookup/number-details.ts";
import { PlanTables } from "../../src/capabilities/lookup/plan-tables.ts";
import { isKnownRegion } from "../../src/text/numbering-plans.ts";
import { extractPossibleNumber, parsePhoneNumber } from "../../src/text/phone-number.ts";

test("every tenth of 26,000 numbers is what Google's libphonenumber takes it for, with two known exceptions", async () => {
  const describeNumber = await describeFields(["timezones", "location", "carrier"], new PlanTables());
  const golden = readGoldenNumbers();
  expect(golden.length).toBeGreaterThan(26_000);
  const differences = golden
    .filter((_, index) => index % 10 === 0)
    .flatMap((one) => {
      const country = isKnownRegion(one.region) ? one.region : undefined;
      const { details } = lookupNumber({ number: one.text, country }, describeNumber);
      return differencesOf(one, parsePhoneNumber(extractPossibleNumber(one.text), country), details);
    });
  // Google's judges the length by the main region of a calling code, libphonenumber-js by the number's own.
  const known = new Set(["possible", "international_format"]);
  expect(differences.filter(({ kind }) => !known.has(kind)).map(({ kind, text }) => `${kind}: ${text}`)).toEqual([]);
  expect(differences.length).toBeLessThan(5);
});
