/**
 * `npm run compare:plans [-- <kind>]`: prints in how many numbers of the golden file the answers differ from those of Google's libphonenumber: with the
 * plans that libphonenumber-js brings along, with those of `gen/plans/`, and of the server, which also understands what people write. With a kind,
 * such as `valid`, prints each difference of the server.
 */
import { createRequire } from "node:module";
import { type MetadataJson, parsePhoneNumberFromString } from "libphonenumber-js/core";
import { lookupNumber } from "../src/capabilities/lookup/lookup-number.ts";
import { describeFields } from "../src/capabilities/lookup/number-details.ts";
import { PlanTables } from "../src/capabilities/lookup/plan-tables.ts";
import {
  type CountryCode,
  isKnownRegion,
  type PhoneNumber,
  parseWholeNumber,
  plansVersion,
} from "../src/text/numbering-plans.ts";
import { extractPossibleNumber, parsePhoneNumber } from "../src/text/phone-number.ts";
import { type Difference, differencesOf, kinds } from "./plans/golden/differences.ts";
import { type GoldenNumber, readGoldenNumbers } from "./plans/golden/golden-file.ts";

const require = createRequire(import.meta.url);
const packaged: MetadataJson = require("libphonenumber-js/max/metadata");
const golden = readGoldenNumbers();
const describeNumber = await describeFields(["timezones", "location", "carrier"], new PlanTables());

type Parse = (text: string, country: CountryCode | undefined) => PhoneNumber | undefined;

function compare(parse: Parse, describes: boolean): Difference[] {
  return golden.flatMap((one) => {
    const country = isKnownRegion(one.region) ? one.region : undefined;
    const details = describes ? lookupNumber({ number: one.text, country }, describeNumber).details : undefined;
    return differencesOf(one, parse(one.text, country), details);
  });
}

const columns = {
  "plans of the npm package": compare(
    (text, country) =>
      parsePhoneNumberFromString(text, { ...(country && { defaultCountry: country }), extract: false }, packaged),
    false,
  ),
  "plans of gen/plans": compare(parseWholeNumber, false),
  server: compare((text, country) => parsePhoneNumber(extractPossibleNumber(text), country), true),
};

const [kind] = process.argv.slice(2);
if (kind === undefined) {
  console.log(`${golden.length} numbers, compared with libphonenumber ${plansVersion} for Java\n`);
  console.log(`| kind | ${Object.keys(columns).join(" | ")} |\n|---|${"---:|".repeat(Object.keys(columns).length)}`);
  for (const name of kinds) {
    const counts = Object.values(columns).map((all) => all.filter((one) => one.kind === name).length);
    console.log(`| ${name} | ${counts.join(" | ")} |`);
  }
} else {
  for (const difference of columns.server.filter((one) => one.kind === kind)) {
    console.log(describe(difference));
  }
}

function describe({ golden: { text, region }, text: change }: Difference & { golden: GoldenNumber }): string {
  return `${text}${region === "" ? "" : ` in ${region}`}: ${change}`;
}
