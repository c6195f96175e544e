import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Gateway } from "../../src/rest/gateway.ts";
import { protoJson, restJson } from "../../src/rest/json/json-style.ts";
import { fuzzRuns } from "../support/fuzz-runs.ts";
import { type Call, call, openBookshop } from "./bookshop.ts";
import { BookSchema, ListBooksRequestSchema } from "./gen/bookshop/v1/bookshop_pb.ts";

/** A small generator of random numbers (mulberry32), so that a failing request can be made again. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** An integer from 0 up to, not including, `bound`. */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  list<T>(longest: number, make: () => T): T[] {
    return Array.from({ length: this.below(longest + 1) }, make);
  }
}

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PURGE", "BREW", ""] as const;
const endpoints = [
  "GET /v1/shelves/1/books/2",
  "PUT /v1/shelves/1/books/2",
  "PATCH /v1/shelves/1/books/2",
  "DELETE /v1/shelves/1/books/2",
  "GET /v1/shelves/1/books",
  "POST /v1/shelves/1/books",
  "GET /v1/books",
  "POST /v1/books:search",
  "POST /v1/books:import",
  "POST /v1/shelves/1/books/2:move",
  "PUT /v1/shelves/1/books/2/tags",
  "GET /v1/shelves/1/books/2/cover",
  "PUT /v1/shelves/1/books/2/cover",
  "GET /v1/shelves/1/books:watch",
  "GET /v1/files/a/b/pages/1/html",
  "PURGE /v1/shelves/1",
] as const;
const pieces = [
  "/",
  "v1",
  "shelves",
  "books",
  ":",
  "move",
  "%2F",
  "%",
  "%00",
  "%ff",
  "*",
  "{name}",
  "..",
  "ü",
  "a",
  "//",
] as const;
const fields = [...ListBooksRequestSchema.fields, ...BookSchema.fields];
const names = ["title", ...fields.flatMap(({ jsonName, name }) => [name, jsonName])] as const;
const steps = [
  "",
  "filter",
  "range",
  "min_year",
  "value",
  "seconds",
  "tags",
  "book",
  "__proto__",
  "constructor",
  ...names,
] as const;
const values = [
  "",
  "0",
  "1",
  "-1",
  "1e9",
  "1.5",
  "99999999999999999999",
  "true",
  "false",
  "null",
  "NaN",
  "novel",
  "GENRE_NOVEL",
  "2026-06-15T09:42:00Z",
  "2026-02-30T00:00:00Z",
  "3.5s",
  "AQID",
  "a,b.c",
  "%F0%9F%93%9A",
  "%00",
  "%zz",
  "+",
  "{}",
  "[]",
] as const;
const scraps = [
  "null",
  "true",
  "0",
  "-1",
  "1.5",
  "1e400",
  "123456789012345678901",
  '""',
  '"x"',
  '"\\u0000"',
  '"\\ud800"',
  '"novel"',
  '"5"',
  '"2026-06-15T09:42:00Z"',
  '"1.5s"',
  '"AQID"',
  "[]",
  "{}",
  '[1,"a",null]',
  '{"@type":"x/bookshop.v1.Author"}',
  '{"@type":"type.googleapis.com/google.protobuf.Value","value":{}}',
] as const;

function endpoint(random: Random): string {
  if (random.chance(10)) {
    return `${random.pick(methods)} /${random.list(8, () => random.pick(pieces)).join("")}`;
  }
  const [method = "", path = ""] = random.pick(endpoints).split(" ");
  const varied = path.replace(/(?<=\/)[12]/g, () =>
    random.chance(80) ? "7" : random.pick(["", "%2F", "a b", "%C3", ":", "é"]),
  );
  return `${random.chance(90) ? method : random.pick(methods)} ${varied}`;
}

function query(random: Random): string {
  const parameters = random.list(random.chance(40) ? 4 : 0, () => {
    const name = random.chance(70) ? random.pick(names) : random.list(3, () => random.pick(steps)).join(".");
    return `${name}${random.pick(["=", "=", "=", "", "=="])}${random.pick(values)}`;
  });
  return parameters.length > 0 || random.chance(5) ? `?${parameters.join("&")}` : "";
}

function json(random: Random, depth: number): string {
  if (depth === 0 || (depth < 4 && random.chance(50))) {
    return random.chance(1) ? random.pick(["{", '"', "nul", "\ufeff{}", ""]) : random.pick(scraps);
  }
  if (random.chance(15)) {
    return `[${random.list(3, () => json(random, depth - 1)).join()}]`;
  }
  return `{${random.list(4, () => `"${random.pick(names)}":${json(random, depth - 1)}`).join()}}`;
}

function body(random: Random): Call {
  const text = json(random, 4);
  const bytes = Buffer.from(text);
  if (random.chance(10) && bytes.length > 0) {
    bytes[random.below(bytes.length)] = random.below(256);
  }
  const isZipped = random.chance(5);
  return {
    body: isZipped ? gzipSync(bytes) : bytes,
    headers: {
      ...(random.chance(95) && { "content-type": "application/json" }),
      ...(isZipped !== random.chance(1) && { "content-encoding": "gzip" }),
      ...(random.chance(5) && { accept: random.pick(["*/*", "text/html", "application/json;q=0", ",;=", "a/b;q=x"]) }),
      ...(random.chance(5) && { "accept-encoding": random.pick(["gzip", "br;q=0.1,*", ",", "q=0"]) }),
      ...(random.chance(2) && { "request-timeout": random.pick(["5", "x", "-1", ""]) }),
      ...(random.chance(2) && { "if-none-match": random.pick(["*", '"x"', "W/"]) }),
    },
  };
}

const requests = fuzzRuns({ short: 4_000, long: 25_000 });

describe(`${4 * requests} random requests are answered with 2xx, 304 or 4xx`, () => {
  const handlers = {
    watchBooks: async function* () {
      yield { name: "one" };
    },
  };
  test.each<[string, Gateway, number]>([
    ["restJson", openBookshop({}, handlers), 1],
    ["ProtoJSON", openBookshop({ json: protoJson }, handlers), 2],
    ["lenient", openBookshop({ json: restJson, unknownFields: "ignore" }, handlers), 3],
    ["ProtoJSON, lenient", openBookshop({ json: protoJson, unknownFields: "ignore" }, handlers), 4],
  ])("%s", async (_, gateway, seed) => {
    const random = new Random(seed);
    const statuses = new Map<number, number>();
    for (let count = 0; count < requests; count += 1) {
      const line = endpoint(random) + query(random);
      const sent = body(random);
      const { status, text } = await call(gateway, line, sent);
      const isFine = (status >= 200 && status < 300) || status === 304 || (status >= 400 && status < 500);
      if (!isFine) {
        throw new Error(`${status} for ${line} ${JSON.stringify(sent.headers)} ${String(sent.body)}: ${text}`);
      }
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    // The generator reaches what there is to reach.
    expect([...statuses.keys()].sort()).toEqual([200, 204, 304, 400, 404, 405, 406, 415, 422]);
    expect(Math.min(statuses.get(200) ?? 0, statuses.get(422) ?? 0)).toBeGreaterThan(requests / 12.5);
  });
});
