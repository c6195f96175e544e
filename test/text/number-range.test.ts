import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { countryRange, numberRange } from "../../src/text/number-range.ts";
import { plansFolder } from "../../src/text/numbering-plans.ts";

describe("the range of a number", () => {
  test.each([
    ["+2348031234567", "+2348031x", "+234x"],
    ["+4915123456789", "+491512x", "+49x"],
    // Eight national digits: five are always cut.
    ["+6591234567", "+65912x", "+65x"],
    ["+12125550123", "+12125x", "+1212x"],
    ["+18765550123", "+18765x", "+1876x"],
    ["+79161234567", "+79161x", "+79x"],
    ["+77011234567", "+77011x", "+77x"],
    // Six national digits, five, and four.
    ["+682212345", "+6822x", "+682x"],
    ["+29051234", "+290x", "+290x"],
    ["+2478123", "+247x", "+247x"],
  ])("%s is in %s and %s", (e164, range, country) => {
    expect([numberRange(e164), countryRange(e164)]).toEqual([range, country]);
  });

  test("begins with the calling code, whatever that is", () => {
    const plans: { readonly country_calling_codes: object } = JSON.parse(
      readFileSync(join(plansFolder, "numbering-plans.json"), "utf8"),
    );
    const codes = Object.keys(plans.country_calling_codes).filter((code) => code !== "1" && code !== "7");
    expect(codes.length).toBeGreaterThan(200);
    expect(codes.map((code) => countryRange(`+${code}234567890`))).toEqual(codes.map((code) => `+${code}x`));
  });
});
