/** `GET /lookup` at the front door: what it takes, what it refuses, and that it asks no database. */
import { beforeAll, describe, expect, test } from "vitest";
import { useTestApp } from "../../support/app.ts";

const app = useTestApp();
let key: string;
beforeAll(async () => {
  key = await app.mintKey({ scopes: ["lookup"] });
});

const lookup = (query: string) => app.rest("GET", `/lookup?${query}`, { key });

test.each([
  ["country=SG", { number: "is required" }],
  ["number=&country=SG", { number: "is required" }],
  ["number=1&country=XX", { country: "must be an ISO 3166-1 alpha-2 country code, such as SG" }],
  ["number=1&country=", { country: "must be an ISO 3166-1 alpha-2 country code, such as SG" }],
  ["number=1&country=SGP", { country: "must be an ISO 3166-1 alpha-2 country code, such as SG" }],
  ["number=1&region=SG", { region: "is not a known field; known are: number, country, fields" }],
  ["number=1&number=2", { number: "must be given once" }],
  ["number=%00", { number: "must not contain the character U+0000" }],
  [
    "number=1&fields=carrier,price",
    {
      "fields[1]":
        "must be one of: calling_code, extension, international_format, rfc3966, reason, also_possible, timezones, location, carrier, " +
        "metadata_version, network",
    },
  ],
  ["number=1&fields=carrier&fields=carrier", { fields: "must not name anything twice" }],
  [`number=${"1".repeat(251)}`, { number: "must be at most 250 characters" }],
  [
    "country=XX&x=1",
    {
      number: "is required",
      country: "must be an ISO 3166-1 alpha-2 country code, such as SG",
      x: "is not a known field; known are: number, country, fields",
    },
  ],
])("%s is refused, all of it at once", async (query, fields) => {
  const { status, body } = await lookup(query);
  expect(status).toBe(422);
  expect(body.error.fields).toEqual(fields);
});

describe("a number that begins with a space", () => {
  const number = " 4792345678";
  const american = { input: number, valid: true };

  test("is the number without the space, over REST", async () => {
    const { body } = await lookup("number=%204792345678&country=US");
    expect(body).toMatchObject({ ...american, number_e164: "+14792345678", country_code: "US" });
  });

  test("is the number without the space, over Connect and gRPC", async () => {
    const expected = { ...american, numberE164: "+14792345678", countryCode: "US" };
    const response = await fetch(`${app.url}/byond.v1.LookupService/LookupNumber`, {
      method: "POST",
      headers: { "X-API-Key": key, "Content-Type": "application/json" },
      body: JSON.stringify({ number, country: "US" }),
    });
    expect(await response.json()).toMatchObject(expected);
    expect(await app.grpc({ "x-api-key": key }).lookup.lookupNumber({ number, country: "US" })).toMatchObject(expected);
  });

  test("without a + and without a country cannot be parsed", async () => {
    expect((await lookup("number=%206591234567")).body).toMatchObject({ input: " 6591234567", number_e164: null });
  });
});

test.each(["%2B47+92345678", "+47+92345678", "+4792345678", "%20%2B4792345678"])(
  "the plus of number=%s begins a number in international form",
  async (number) => {
    const { body } = await lookup(`number=${number}&country=US`);
    expect(body).toMatchObject({ number_e164: "+4792345678", country_code: "NO" });
  },
);

test("a number with a phone-context gives the same result on every protocol, whatever was asked before", async () => {
  const number = "tel:2015550123;phone-context=+1";
  const answers: unknown[] = [];
  for (let round = 0; round < 2; round += 1) {
    const overRest = await lookup(`number=${encodeURIComponent(number)}`);
    const overGrpc = await app.grpc({ "x-api-key": key }).lookup.lookupNumber({ number });
    answers.push(overRest.body.number_e164, overGrpc.numberE164);
    answers.push((await lookup(`number=${encodeURIComponent("tel:2079460958;phone-context=+44")}`)).body.number_e164);
  }
  const expected = ["+12015550123", "+12015550123", "+442079460958"];
  expect(answers).toEqual([...expected, ...expected]);
});

test("a number of 250 characters in any script is accepted", async () => {
  for (const number of ["1".repeat(250), "電".repeat(250)]) {
    const { status, body } = await lookup(`number=${encodeURIComponent(number)}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ input: number, number_e164: null, valid: false });
  }
});

test("a query that is not percent-encoded UTF-8 is refused with 400", async () => {
  for (const query of ["number=%ff", "number=%zz", "number=%e4%b8"]) {
    const { status, body } = await lookup(query);
    expect(status).toBe(400);
    expect(body.error.code).toBe("invalid_request");
  }
});

test("a lookup with a body is refused", async () => {
  // `fetch` sends no body with GET; `curl -X GET -d` does.
  const { request } = await import("node:http");
  const status = await new Promise((resolve, reject) => {
    const call = request(`${app.url}/api/v1/lookup?number=1`, {
      method: "GET",
      headers: { "X-API-Key": key, "Content-Type": "application/json", "Content-Length": 7 },
    });
    call.on("response", (response) => resolve(response.resume().statusCode));
    call.on("error", reject);
    call.end('{"a":1}');
  });
  expect(status).toBe(400);
});
