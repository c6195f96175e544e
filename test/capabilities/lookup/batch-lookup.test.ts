/** `POST /lookup/batch` and the stream of lookups at the front door. */
import { Code, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { beforeAll, describe, expect, test } from "vitest";
import { LookupService } from "../../../gen/byond/v1/lookup_pb.ts";
import { type RestAnswer, useTestApp } from "../../support/app.ts";

const app = useTestApp();
let key: string;
beforeAll(async () => {
  key = await app.mintKey({ scopes: ["lookup"] });
});

const batch = (body: unknown, options = {}) => app.rest("POST", "/lookup/batch", { key, body, ...options });

/** A key that may send so many requests a minute. */
async function limitedKey(requestsPerMinute: number): Promise<string> {
  const { session } = await app.signUp();
  const { body } = await app.rest("POST", "/api-keys", {
    session,
    body: { name: "limited", mode: "test", requests_per_minute: requestsPerMinute },
  });
  return body.key;
}

const manyNumbers = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ number: `+659${1_000_000 + index}`, reference: `r${index}` }));

test("the results have the order of the numbers, and each is what the single call answers", async () => {
  const numbers = ["+6591234567", "(020) 7946 0958", "nonsense", "+1 201-555-0123", "０９１２３４５６７"];
  const { status, body } = await batch({ country: "gb", numbers: numbers.map((number) => ({ number })) });
  expect(status).toBe(200);
  const singles = await Promise.all(
    numbers.map((number) => app.rest("GET", `/lookup?country=GB&number=${encodeURIComponent(number)}`, { key })),
  );
  expect(body.results.map(({ lookup }: { lookup: unknown }) => lookup)).toEqual(singles.map((single) => single.body));
});

test("what is wrong with an item is said there, and fails none of the others", async () => {
  const { status, body } = await batch({
    numbers: [
      { number: "91234567", country: "SG", reference: "own country" },
      { number: "", country: "XX" },
      { number: "1".repeat(251), reference: "x".repeat(101) },
      { number: "👍".repeat(250) },
      { number: "+6591234567", reference: "again" },
    ],
  });
  expect(status).toBe(200);
  expect(body.results).toMatchObject([
    { reference: "own country", lookup: { number_e164: "+6591234567" }, problems: {}, duplicate_of: null },
    {
      reference: null,
      lookup: null,
      problems: { number: "is required", country: "must be an ISO 3166-1 alpha-2 country code, such as SG" },
    },
    {
      lookup: null,
      problems: { number: "must be at most 250 characters", reference: "must be at most 100 characters" },
    },
    { lookup: { valid: false, number_e164: null }, problems: {} },
    { reference: "again", lookup: { number_e164: "+6591234567" }, duplicate_of: 0 },
  ]);
  expect(body.summary).toEqual({
    numbers: 5,
    problems: 2,
    valid: 2,
    invalid: 1,
    unparseable: 1,
    duplicates: 1,
    countries: { SG: 2 },
    line_types: { mobile: 2 },
    formats: { national: 1, unparseable: 1, e164: 1 },
  });
});

test.each([
  [{}, { numbers: "is required" }],
  [{ numbers: [] }, { numbers: "is required" }],
  [{ numbers: manyNumbers(1_001) }, { numbers: "must have at most 1000 entries" }],
  [
    { numbers: [{ number: "1", region: "SG" }], country: "XX" },
    {
      "numbers[0].region": "is not a known field; known are: number, country, reference",
      country: "must be an ISO 3166-1 alpha-2 country code, such as SG",
    },
  ],
  [{ numbers: [{ number: 1 }] }, { "numbers[0].number": "must be a string" }],
  [{ numbers: [{ number: "\0" }] }, { "numbers[0].number": "must not contain the character U+0000" }],
])("a request that is no list of 1 to 1,000 items is refused as a whole: %#", async (body, fields) => {
  const answer = await batch(body);
  expect(answer.status).toBe(422);
  expect(answer.body.error.fields).toEqual(fields);
});

test("a refusal does not name a value that a batch refuses", async () => {
  const { status, body } = await batch({ numbers: [{ number: "+6591234567" }], fields: ["network"] });
  expect(status).toBe(422);
  expect(body.error.fields).toEqual({
    "fields[0]": expect.stringMatching(/^must be one of: calling_code, .*_version$/),
  });
});

describe("1,000 numbers with long references", () => {
  const numbers = manyNumbers(1_000).map(({ number }, index) => ({
    number,
    reference: String(index).padStart(100, "0"),
  }));

  test("are one call over REST, which answers all of them, in parts of the turn and whole", async () => {
    const { status, body } = await batch({ numbers });
    expect(status).toBe(200);
    expect(body.results.map(({ reference }: { reference: string }) => reference)).toEqual(
      numbers.map(({ reference }) => reference),
    );
    expect(body.summary).toMatchObject({ numbers: 1_000, valid: 1_000, countries: { SG: 1_000 } });
  });

  test.each([
    ["gRPC", createGrpcTransport],
    [
      "Connect with JSON",
      (options: { baseUrl: string }) =>
        createConnectTransport({ ...options, httpVersion: "2", useBinaryFormat: false }),
    ],
  ])("are one call over %s", async (_, createTransport) => {
    const client = createClient(LookupService, createTransport({ baseUrl: app.url }));
    const { results, summary } = await client.batchLookup({ numbers }, { headers: { "X-API-Key": key } });
    expect(results).toHaveLength(1_000);
    expect(results[999]).toMatchObject({ reference: numbers[999]?.reference, lookup: { countryCode: "SG" } });
    expect(summary).toMatchObject({ numbers: 1_000, lineTypes: { mobile: 1_000 } });
  });
});

test("a body of more than 256 KiB is refused", async () => {
  const { status, body } = await batch({ numbers: [{ number: "1".repeat(256 * 1024) }] });
  expect([status, body.error.code]).toEqual([413, "payload_too_large"]);
});

test("every 10 numbers count as one request, and a batch that there is no room for looks nothing up", async () => {
  const limited = await limitedKey(20);
  const send = (count: number) => batch({ numbers: manyNumbers(count) }, { key: limited });
  const remaining = ({ headers }: RestAnswer) => Number(headers.get("x-ratelimit-remaining"));
  expect(remaining(await send(95))).toBe(10);
  expect(remaining(await send(10))).toBe(9);
  const refused = await send(91);
  expect(refused).toMatchObject({ status: 429, body: { error: { code: "rate_limited" } } });
  expect(refused.body.error.message).toBe(
    "Too many requests: this call counts as 10. Try again later, or send less at once.",
  );
  expect(refused.body.error.retry_after).toBeGreaterThan(50);
  const tooLarge = await send(1_000);
  expect(tooLarge.status).toBe(429);
  expect(tooLarge.body.error.message).toBe(
    "This call counts as 100 requests, and the limit of the key is 20 per minute. Send less at once.",
  );
});

describe("a stream of lookups", () => {
  const open = (requests: AsyncIterable<{ numbers: { number: string }[] }>, apiKey = key, signal?: AbortSignal) =>
    createClient(LookupService, createGrpcTransport({ baseUrl: app.url })).streamLookup(requests, {
      headers: { "X-API-Key": apiKey },
      ...(signal === undefined ? {} : { signal }),
    });

  test("answers each message with one, in order, before the next is sent", async () => {
    const asked: number[] = [];
    const answered: number[] = [];
    const proceed = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    async function* requests() {
      for (const [index, { promise }] of proceed.entries()) {
        asked.push(index);
        yield { numbers: [{ number: `+659123456${index}`, reference: `m${index}` }, { number: "+6591234560" }] };
        await promise;
      }
    }
    for await (const { results, summary } of open(requests())) {
      const index = answered.length;
      expect(results.map(({ lookup }) => lookup?.numberE164)).toEqual([`+659123456${index}`, "+6591234560"]);
      expect(summary).toMatchObject({ numbers: 2 * (index + 1), duplicates: index + 1 });
      answered.push(index);
      expect(asked).toEqual(answered);
      proceed[index]?.resolve();
    }
    expect(answered).toEqual([0, 1, 2]);
  });

  test("ends with the error of a message that is none, after the answers to those before", async () => {
    async function* requests() {
      yield { numbers: [{ number: "+6591234567" }] };
      yield { numbers: [] };
    }
    const answers: unknown[] = [];
    await expect(async () => {
      for await (const answer of open(requests())) {
        answers.push(answer);
      }
    }).rejects.toMatchObject({ code: Code.InvalidArgument });
    expect(answers).toHaveLength(1);
  });

  test("waits where a limit is reached, and goes on when there is room", async () => {
    const limited = await limitedKey(3);
    async function* requests() {
      yield { numbers: manyNumbers(30) };
      yield { numbers: manyNumbers(30) };
    }
    const answers: number[] = [];
    for await (const { results } of open(requests(), limited)) {
      answers.push(results.length);
      if (answers.length === 1) {
        await app.time.advance({ seconds: 62 });
      }
    }
    expect(answers).toEqual([30, 30]);
  });

  test("leaves a quarter of the limits to other calls", async () => {
    const limited = await limitedKey(40);
    const abort = new AbortController();
    async function* requests() {
      for (;;) {
        yield { numbers: manyNumbers(100) };
      }
    }
    const answers = open(requests(), limited, abort.signal)[Symbol.asyncIterator]();
    for (let counted = 10; counted <= 30; counted += 10) {
      expect((await answers.next()).value?.results).toHaveLength(100);
    }
    const statuses: number[] = [];
    for (let call = 0; call < 11; call += 1) {
      statuses.push((await app.rest("GET", "/lookup?number=1", { key: limited })).status);
    }
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 200), 429]);
    abort.abort();
  });

  test("gets through with the lowest limit", async () => {
    const limited = await limitedKey(1);
    async function* requests() {
      yield { numbers: manyNumbers(10) };
      yield { numbers: manyNumbers(10) };
    }
    const answers: number[] = [];
    for await (const { results } of open(requests(), limited)) {
      answers.push(results.length);
      if (answers.length === 1) {
        await app.time.advance({ seconds: 62 });
      }
    }
    expect(answers).toEqual([10, 10]);
  });

  test("is not read from while its client does not read", async () => {
    let sent = 0;
    const abort = new AbortController();
    async function* requests() {
      for (;;) {
        sent += 1;
        yield { numbers: manyNumbers(500) };
      }
    }
    const answers = open(requests(), key, abort.signal)[Symbol.asyncIterator]();
    await answers.next();
    let seen = -1;
    while (seen !== sent) {
      seen = sent;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    // The windows of HTTP/2 and the buffers of the sockets hold some; an answer has some 50 KB.
    expect(sent).toBeLessThan(200);
    abort.abort();
  }, 30_000);
});
