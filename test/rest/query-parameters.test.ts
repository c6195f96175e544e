import { describe, expect, test } from "vitest";
import { JsonReader } from "../../src/rest/json/json-reader.ts";
import { protoJson, restJson } from "../../src/rest/json/json-style.ts";
import { QueryParameters } from "../../src/rest/query-parameters.ts";
import { call, openBookshop } from "./bookshop.ts";
import { jsonOptions } from "./json-support.ts";

const shop = openBookshop();

/** The request that the bookshop understood, without what is unset or empty. */
async function understood(line: string, gateway = shop): Promise<unknown> {
  const { json, status } = await call(gateway, line);
  expect(json).toHaveProperty("request");
  expect(status).toBe(200);
  const set = Object.entries(Object(json).request).filter(([, value]) => !defaults.has(JSON.stringify(value)));
  return Object.fromEntries(set);
}

const defaults = new Set(["null", '""', "false", "0", '"0"', '"unspecified"', "[]", "{}"]);

describe("query parameters bind", () => {
  test.each<[string, object]>([
    ["", {}],
    ["page_size=5", { page_size: 5 }],
    ["pageSize=5", { page_size: 5 }],
    ["page_size=-5", { page_size: -5 }],
    ["page_size=007", { page_size: 7 }],
    ["page_token=abc", { page_token: "abc" }],
    ["page_token=a%20b+c", { page_token: "a b c" }],
    ["page_token=a%2Bb%26c%3Dd", { page_token: "a+b&c=d" }],
    ["page_token=a=b=c", { page_token: "a=b=c" }],
    ["page_token=%C3%BC", { page_token: "ü" }],
    ["page_token", {}],
    ["page_token=", {}],
    ["&&page_token=x&", { page_token: "x" }],
    ["page%5Ftoken=x", { page_token: "x" }],
    ["in_stock=true", { in_stock: true }],
    ["in_stock=false", {}],
    ["genre=novel", { genre: "novel" }],
    ["genre=science_fiction", { genre: "science_fiction" }],
    ["languages=en", { languages: ["en"] }],
    ["languages=en&languages=de&languages=", { languages: ["en", "de", ""] }],
    ["published_after=2026-06-15T09:42:00Z", { published_after: "2026-06-15T09:42:00Z" }],
    ["published_after=2026-06-15T09:42:00%2B02:00", { published_after: "2026-06-15T07:42:00Z" }],
    ["reading_time=90.5s", { reading_time: "90.500s" }],
    ["fields=title,author.name", { fields: "title,author.name" }],
    ["max_price_cents=1299", { max_price_cents: "1299" }],
    ["signed=false", {}],
    ["signed=true", { signed: true }],
    ["cursor=AQID", { cursor: "AQID" }],
    ["cursor=-_8", { cursor: "+/8=" }],
    ["min_rating=4.5", { min_rating: 4.5 }],
    ["min_rating=1e1", { min_rating: 10 }],
    ["min_rating=Infinity", { min_rating: "Infinity" }],
    ["after_id=18446744073709551615", { after_id: "18446744073709551615" }],
    ["tags=a&tags=b", { tags: ["a", "b"] }],
    [
      "restocked_at=1970-01-01T00:00:00Z&restocked_at=1970-01-02T00:00:00Z",
      { restocked_at: ["1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z"] },
    ],
    ["filter.title=x", { filter: { genres: [], range: null, except: null, title: "x", isbn: null } }],
    [
      "filter.genres=novel,poetry",
      { filter: { genres: ["novel", "poetry"], range: null, except: null, title: null, isbn: null } },
    ],
    [
      "filter.genres=novel&filter.genres=poetry",
      { filter: { genres: ["novel", "poetry"], range: null, except: null, title: null, isbn: null } },
    ],
    [
      "filter.range.min_year=1900&filter.range.maxYear=2000",
      { filter: { genres: [], range: { min_year: 1900, max_year: 2000 }, except: null, title: null, isbn: null } },
    ],
    [
      "filter.except.except.isbn=7",
      {
        filter: {
          genres: [],
          range: null,
          except: {
            genres: [],
            range: null,
            except: { genres: [], range: null, except: null, title: null, isbn: "7" },
            title: null,
            isbn: null,
          },
          title: null,
          isbn: null,
        },
      },
    ],
  ])("%s", async (query, expected) => {
    expect(await understood(`GET /v1/books?${query}`)).toEqual(expected);
  });

  test.each<[string, object]>([
    ["genre=GENRE_NOVEL", { genre: "GENRE_NOVEL" }],
    ["genre=1", { genre: "GENRE_NOVEL" }],
    ["genre=77", { genre: 77 }],
    ["fields=title,author.birthYear", { fields: "title,author.birthYear" }],
    ["tags.tags=a&tags.tags=b", { tags: { tags: ["a", "b"] } }],
    ["page_token=%00", { pageToken: "\0" }],
  ])("in ProtoJSON: %s", async (query, expected) => {
    expect(await understood(`GET /v1/books?${query}`, openBookshop({ json: protoJson }))).toEqual(expected);
  });
});

describe("a violation names the query parameter", () => {
  const unknown =
    "is not a known field; known are: parent, page_size, page_token, genre, languages, in_stock, published_after, " +
    "reading_time, fields, max_price_cents, signed, cursor, min_rating, after_id, tags, restocked_at";
  test.each([
    ["nope=1", { nope: unknown }],
    ["=1", { "": unknown }],
    ["Page_Size=1", { Page_Size: unknown }],
    ["filter=x", { filter: unknown }],
    ["filter.nope=x", { "filter.nope": unknown }],
    ["filter.range=x", { "filter.range": unknown }],
    ["filter..title=x", { "filter..title": unknown }],
    [".page_size=1", { ".page_size": unknown }],
    ["page_size.x=1", { "page_size.x": unknown }],
    ["labels=x", { labels: unknown }],
    ["labels.key=x", { "labels.key": unknown }],
    ["hints.key=x", { "hints.key": unknown }],
    ["hints.fields=x", { "hints.fields": unknown }],
    ["published_after.seconds=5", { "published_after.seconds": unknown }],
    ["max_price_cents.value=5", { "max_price_cents.value": unknown }],
    ["tags.tags=x", { "tags.tags": unknown }],
    ["__proto__=x", { ["__proto__"]: unknown }],
    ["constructor.prototype=x", { "constructor.prototype": unknown }],
    ["filter.toString=x", { "filter.toString": unknown }],
    ["page_size=5&page_size=6", { page_size: "must be given once" }],
    ["page_size=5&pageSize=5", { page_size: "must be given once" }],
    ["filter.title=a&filter.title=b", { "filter.title": "must be given once" }],
    ["filter.title=a&filter.isbn=b", { "filter.isbn": "must not be given together with another of match" }],
    ["page_size=", { page_size: "must be an integer" }],
    ["page_size=5.0", { page_size: "must be an integer" }],
    ["page_size=1e2", { page_size: "must be an integer" }],
    ["page_size=x", { page_size: "must be an integer" }],
    ["page_size=%205", { page_size: "must be an integer" }],
    ["page_size=2147483648", { page_size: "must be between -2147483648 and 2147483647" }],
    ["after_id=-1", { after_id: "must be between 0 and 18446744073709551615" }],
    ["after_id=x", { after_id: "must be an integer" }],
    ["in_stock=1", { in_stock: "must be true or false" }],
    ["in_stock", { in_stock: "must be true or false" }],
    ["in_stock=TRUE", { in_stock: "must be true or false" }],
    ["signed=yes", { signed: "must be true or false" }],
    ["genre=fax", { genre: "must be one of: novel, poetry, science_fiction" }],
    ["genre=1", { genre: "must be one of: novel, poetry, science_fiction" }],
    ["min_rating=x", { min_rating: "must be a number" }],
    ["min_rating=", { min_rating: "must be a number" }],
    ["min_rating=0x10", { min_rating: "must be a number" }],
    ["page_token=%00", { page_token: "must not contain the character U+0000" }],
    ["published_after=2026-06-15T09:42:00+02:00", { published_after: "must be an RFC 3339 timestamp" }],
    ["restocked_at=1970-01-01T00:00:00Z&restocked_at=x", { "restocked_at[1]": "must be an RFC 3339 timestamp" }],
    ["filter.genres=novel,x", { "filter.genres[1]": "must be one of: novel, poetry, science_fiction" }],
    ["filter.genres=", { "filter.genres[0]": "must be one of: novel, poetry, science_fiction" }],
    ["filter.genres=novel&filter.genres=x", { "filter.genres[1]": "must be one of: novel, poetry, science_fiction" }],
    ["reading_time=5", { reading_time: 'must be a duration in seconds, such as "3.5s"' }],
    ["fields=*", { fields: "must be a comma-separated list of field paths" }],
    ["cursor=%2F%2F%2F", { cursor: "no problem" }],
    ["cursor=A", { cursor: "must be base64" }],
    [
      "page_size=x&nope=1&in_stock=2",
      { page_size: "must be an integer", nope: unknown, in_stock: "must be true or false" },
    ],
  ])("%s", async (query, fields) => {
    const answer = await call(shop, `GET /v1/books?${query}`);
    if (Object.values(fields).includes("no problem")) {
      expect(answer.status).toBe(200);
    } else {
      expect(answer.status).toBe(422);
      expect(answer.json).toEqual({
        error: { kind: "invalid-fields", message: "One or more fields are invalid.", fields },
      });
    }
  });

  test("a field that the path binds is rejected in the query", async () => {
    const answer = await call(shop, "GET /v1/shelves/1/books?parent=shelves/2");
    expect(answer).toMatchObject({ status: 422, json: { error: { fields: { parent: "must be given in the path" } } } });
  });

  test("a field that the body binds is rejected in the query", async () => {
    const whole = await call(shop, "POST /v1/shelves/1/books/2:move?shelf=3&nope=1", { json: {} });
    expect(whole).toMatchObject({
      status: 422,
      json: { error: { fields: { shelf: "must be given in the body", nope: "is not a known field" } } },
    });
    const part = await call(shop, "POST /v1/shelves/1/books?book.title=x&book=y", { json: {} });
    expect(part).toMatchObject({
      status: 422,
      json: { error: { fields: { "book.title": "must be given in the body", book: "must be given in the body" } } },
    });
  });

  test("with unknownFields: ignore, unknown parameters are ignored", async () => {
    const lenient = openBookshop({ unknownFields: "ignore" });
    const line = "GET /v1/shelves/1/books?parent=shelves/2&nope=1&page_size=5";
    expect(await understood(line, lenient)).toEqual({ parent: "shelves/1", page_size: 5 });
  });

  test("a name of ten thousand steps is unknown, and the response stays short", async () => {
    const answer = await call(shop, `GET /v1/books?filter${".except".repeat(10_000)}.isbn=1`);
    expect(answer.status).toBe(422);
    expect(answer.text.length).toBeLessThan(500);
  });

  test("broken percent-encoding in the query is 400", async () => {
    for (const query of ["page_token=%", "page_token=%zz", "%=1", "page_token=%FF"]) {
      expect(await call(shop, `GET /v1/books?${query}`)).toMatchObject({
        status: 400,
        json: { error: { kind: "malformed-target" } },
      });
    }
  });
});

test("QueryParameters.all lists the parameters of a route", () => {
  const reader = new JsonReader(jsonOptions(restJson));
  const route = shop.routes.find(({ method, template }) => method.name === "ListBooks" && template.includes("shelves"));
  const names =
    route && new QueryParameters(route, reader).all(3).map(({ name, repeated }) => (repeated ? `${name}[]` : name));
  expect(names).toEqual([
    "page_size",
    "page_token",
    "filter.genres[]",
    "filter.range.min_year",
    "filter.range.max_year",
    "filter.except.genres[]",
    "filter.except.title",
    "filter.except.isbn",
    "filter.title",
    "filter.isbn",
    "genre",
    "languages[]",
    "in_stock",
    "published_after",
    "reading_time",
    "fields",
    "max_price_cents",
    "signed",
    "cursor",
    "min_rating",
    "after_id",
    "tags[]",
    "restocked_at[]",
  ]);
});
