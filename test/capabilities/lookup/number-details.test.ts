/** What `GET /lookup` tells on request, over REST and gRPC. */
import { beforeAll, describe, expect, test } from "vitest";
import { LookupField, LookupReason } from "../../../gen/byond/v1/lookup_pb.ts";
import { lookupNumber, parseRegion } from "../../../src/capabilities/lookup/lookup-number.ts";
import {
  describeFields,
  type LookupField as Field,
  type NumberDetails,
} from "../../../src/capabilities/lookup/number-details.ts";
import { PlanTables } from "../../../src/capabilities/lookup/plan-tables.ts";
import { plansVersion } from "../../../src/text/numbering-plans.ts";
import { PrefixTable } from "../../../src/text/prefix-table.ts";
import { useTestApp } from "../../support/app.ts";

const app = useTestApp();
let key: string;
beforeAll(async () => {
  key = await app.mintKey({ scopes: ["lookup"] });
});

const documented = [
  "input",
  "number_e164",
  "valid",
  "possible",
  "country_code",
  "country",
  "national_format",
  "line_type",
  "source",
  "possible_line_types",
];
const all =
  "calling_code,extension,international_format,rfc3966,reason,also_possible,timezones,location,carrier,metadata_version";
const lookup = async (number: string, fields: string) =>
  (
    await app.rest("GET", `/lookup?number=${encodeURIComponent(number)}${fields === "" ? "" : `&fields=${fields}`}`, {
      key,
    })
  ).body;

test("without fields the response is the documented one, field by field", async () => {
  expect(Object.keys(await lookup("+6591234567", ""))).toEqual(documented);
  expect(Object.keys(await lookup("nonsense", ""))).toEqual(documented);
});

test("with fields the response has them behind the documented ones, as far as they are known", async () => {
  const body = await lookup("+1 650-253-0000 ext. 12", all);
  expect(Object.keys(body).slice(0, documented.length)).toEqual(documented);
  expect(body).toMatchObject({
    calling_code: "1",
    extension: "12",
    international_format: "+1 650 253 0000 ext. 12",
    rfc3966: "tel:+16502530000;ext=12",
    also_possible: [],
    timezones: ["America/Los_Angeles"],
    location: "Mountain View, CA",
    metadata_version: plansVersion,
  });
  expect(body).not.toHaveProperty("reason");
  expect(body).not.toHaveProperty("carrier");
});

test("each field comes alone as well, and repeated parameters are as good as commas", async () => {
  expect(Object.keys(await lookup("+6591234567", "carrier")).slice(documented.length)).toEqual(["carrier"]);
  expect(await lookup("+6591234567", "carrier&fields=calling_code")).toMatchObject({ calling_code: "65" });
});

test("gRPC has the same fields", async () => {
  const { lookup: client } = app.grpc({ "x-api-key": key });
  const fields = [LookupField.TIMEZONES, LookupField.REASON, LookupField.ALSO_POSSIBLE];
  expect(await client.lookupNumber({ number: "+65912345", fields })).toMatchObject({
    reason: LookupReason.TOO_SHORT,
    timezones: { timezones: [] },
    alsoPossible: { regions: [] },
  });
  const plain = await client.lookupNumber({ number: "+65912345" });
  expect(plain.timezones).toBeUndefined();
  expect(plain.reason).toBeUndefined();
});

const tables = new PlanTables();
async function detail(field: Field, number: string, country?: string): Promise<NumberDetails[Field]> {
  const describeNumber = await describeFields([field], tables);
  const input = { number, country: country === undefined ? undefined : parseRegion(country) };
  return lookupNumber(input, describeNumber).details?.[field];
}

test.each([
  ["+6591234567", undefined, undefined],
  ["hello", undefined, "not_a_number"],
  ["", undefined, "not_a_number"],
  ["+1 800 FLOWERS now", undefined, "not_a_number"],
  ["+99912345678", undefined, "unknown_country_code"],
  ["91234567", undefined, "unknown_country_code"],
  ["+65", undefined, "too_short"],
  ["+6591", undefined, "too_short"],
  ["+65912345", undefined, "too_short"],
  ["+6591234567891234", undefined, "too_long"],
  ["+65 9123 4567 8", undefined, "invalid_length"],
  ["+6521234567", undefined, "not_allocated"],
  ["253 0000", "US", "local_only"],
  ["+12530000", undefined, "local_only"],
] as const)("%j with country %s is not valid because it is %s", async (number, country, reason) => {
  expect(await detail("reason", number, country)).toBe(reason);
});

test.each([
  ["+18002530000", ["AG", "AI", "AS"]],
  ["+16502530000", []],
  ["+6591234567", []],
  ["+80012345678", []],
  ["+12345", []],
] as const)("%s belongs to other regions as well: %j, and so on", async (number, regions) => {
  const found = await detail("alsoPossible", number);
  expect(Array.isArray(found) ? found.slice(0, 3) : found).toEqual(regions);
});

describe("what is known of the beginning of a number", () => {
  test.each([
    ["timezones", "+442083612345", ["Europe/London"]],
    ["timezones", "+6591234567", ["Asia/Singapore"]],
    ["timezones", "+80012345678", []],
    ["timezones", "nonsense", []],
    ["location", "+442083612345", "London"],
    ["location", "+4989123456", "Munich"],
    // An Argentine mobile number of Buenos Aires, whose 9 is no part of the area code.
    ["location", "+5491123456789", "Buenos Aires"],
    ["location", "+447400123456", undefined],
    ["location", "+18002530000", undefined],
    ["carrier", "+447400123456", "Three"],
    ["carrier", "+442083612345", undefined],
    ["carrier", "+6521234567", undefined],
  ] as const)("%s of %s: %j", async (field, number, expected) => {
    expect(await detail(field, number)).toEqual(expected);
  });
});

test("a table is read once, when it is first asked for, and again if that failed", async () => {
  const read: string[] = [];
  let works = false;
  const watched = new PlanTables(async (path) => {
    read.push(path.replace(/^.*\//, ""));
    if (!works) {
      throw new Error("no such file");
    }
    return PrefixTable.read(path);
  });
  await describeFields(["callingCode", "reason"], watched);
  expect(read).toEqual([]);
  await expect(describeFields(["carrier"], watched)).rejects.toThrow("no such file");
  works = true;
  await Promise.all([describeFields(["carrier"], watched), describeFields(["carrier"], watched)]);
  expect(read).toEqual(["carriers.br", "carriers.br"]);
});
