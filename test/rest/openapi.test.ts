import type { DescField, DescMessage, DescMethod } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { AuthService, SignInRequestSchema, SignUpRequestSchema } from "../../gen/byond/v1/auth_pb.ts";
import { StartVerificationRequestSchema, VerifyService } from "../../gen/byond/v1/verify_pb.ts";
import { rulesOf } from "../../src/rest/field-rules.ts";
import { protoJson, restJson } from "../../src/rest/json/json-style.ts";
import { buildOpenApi, type OpenApiOptions } from "../../src/rest/openapi/openapi-document.ts";
import { splitSummary } from "../../src/rest/openapi/proto-comments.ts";
import { ruleKeywords } from "../../src/rest/openapi/rule-keywords.ts";
import { salesEventStream } from "./bookshop.ts";
import { BookshopService } from "./gen/bookshop/v1/bookshop_pb.ts";

// A document is read here as whatever it is: each test says what it expects.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Document = any;

function build(changes: Partial<OpenApiOptions> = {}): Document {
  const info = { title: "Bookshop", version: "1" };
  return buildOpenApi({ info, services: [BookshopService], json: restJson, eventStream, ...changes });
}

const eventStream = ({ name }: DescMethod) => (name === "FollowSales" ? salesEventStream : undefined);

const fieldOf = (message: DescMessage, name: string) => {
  const field = message.fields.find((candidate) => candidate.name === name);
  if (field === undefined) {
    throw new Error(`${message.typeName} has no ${name}`);
  }
  return field;
};

describe("paths", () => {
  test("have a parameter for each wildcard, with the same name in every operation of a path", () => {
    const places = Object.entries<Document>(build().paths).flatMap(([path, item]) =>
      Object.entries<Document>(item).map(([method, { operationId }]) => `${method} ${path} ${operationId}`),
    );
    expect(places).toEqual([
      "get /v1/shelves/{name_1}/books/{name_2} getBook",
      "patch /v1/shelves/{name_1}/books/{name_2} updateBook",
      "put /v1/shelves/{name_1}/books/{name_2} updateBook_2",
      "delete /v1/shelves/{name_1}/books/{name_2} deleteBook",
      "get /v1/shelves/{parent}/books listBooks",
      "post /v1/shelves/{parent}/books createBook",
      "get /v1/books listBooks_2",
      "post /v1/books:search listBooks_3",
      "post /v1/shelves/{name_1}/books/{name_2}:move moveBook",
      "put /v1/shelves/{name_1}/books/{name_2}/tags tagBook",
      "get /v1/files/{path}/pages/{page}/{format} getPage",
      "put /v1/shelves/{name_1}/books/{name_2}/cover putCover",
      "get /v1/shelves/{name_1}/books/{name_2}/cover putCover_2",
      "post /v1/books:import import",
      "get /v1/shelves/{parent}/books:watch watchBooks",
      "get /v1/sales:follow followSales",
    ]);
  });

  test("below the base path are written without it; others have a server of their own", () => {
    const { paths, servers } = build({ basePath: "/v1/books" });
    expect(servers).toEqual([{ url: "/v1/books" }]);
    expect(paths["/v1/books"].servers).toEqual([{ url: "/" }]);
    const below = build({ basePath: "/v1" });
    expect(Object.keys(below.paths)).toContain("/books:search");
    expect(below.servers).toEqual([{ url: "/v1" }]);
  });

  test("a parameter that is a whole field has its schema; one that may contain slashes says so", () => {
    const [path, page, format] = build().paths["/v1/files/{path}/pages/{page}/{format}"].get.parameters;
    expect(path).toMatchObject({ in: "path", name: "path", required: true, schema: { type: "string" } });
    expect(path.description).toContain("slashes");
    expect(page.schema).toMatchObject({ type: "integer" });
    expect(format.schema.$ref ?? format.schema.type).toBeDefined();
  });
});

describe("request and response bodies", () => {
  test('body: "field" has the schema of that field', () => {
    const { requestBody } = build().paths["/v1/shelves/{parent}/books"].post;
    expect(requestBody.content["application/json"].schema).toEqual({ $ref: "#/components/schemas/BookInput" });
  });

  test("a list wrapper as the body has the schema of a list", () => {
    const { requestBody, responses } = build().paths["/v1/shelves/{name_1}/books/{name_2}/tags"].put;
    expect(requestBody.content["application/json"].schema).toMatchObject({ type: "array", items: { type: "string" } });
    expect(responses["200"].content["application/json"].schema).toMatchObject({ type: "array" });
  });

  test('body: "*" has the fields that the path does not bind, as a component', () => {
    const { paths, components } = build();
    const { requestBody } = paths["/v1/shelves/{name_1}/books/{name_2}:move"].post;
    expect(requestBody.content["application/json"].schema).toEqual({ $ref: "#/components/schemas/MoveBookRequest" });
    const schema = components.schemas.MoveBookRequest;
    expect(Object.keys(schema.properties)).not.toContain("name");
    expect(schema.additionalProperties).toBe(false);
  });

  test('body: "*" is left out if the path binds all fields', () => {
    const { paths } = build({ services: [VerifyService], basePath: "/api/v1" });
    expect(paths["/verify/{verification_id}/cancel"].post).not.toHaveProperty("requestBody");
    expect(paths["/verify/{verification_id}/resend"].post).toHaveProperty("requestBody");
  });

  test("google.api.HttpBody is of any media type", () => {
    const { paths } = build();
    const cover = paths["/v1/shelves/{name_1}/books/{name_2}/cover"];
    expect(cover.put.requestBody.content).toEqual({ "*/*": {} });
    expect(cover.put.responses["200"].content).toEqual({ "*/*": {} });
    expect(paths["/v1/books:import"].post.requestBody.content).toEqual({ "*/*": {} });
  });

  test("streams are lines of JSON, or server-sent events", () => {
    const { paths } = build();
    const watched = paths["/v1/shelves/{parent}/books:watch"].get.responses["200"];
    expect(Object.keys(watched.content)).toEqual(["application/x-ndjson", "text/event-stream"]);
    expect(watched.content["application/x-ndjson"].schema).toEqual({ $ref: "#/components/schemas/Book" });
    const { parameters, responses } = paths["/v1/sales:follow"].get;
    expect(parameters).toMatchObject([
      { in: "query", name: "after" },
      { in: "header", name: "Last-Event-ID" },
    ]);
    expect(responses["200"].description).toContain("overrides `after`");
    expect(responses["200"].content["text/event-stream"]).toEqual({
      schema: { type: "string" },
      example: 'event: novel\nid: string\ndata: {"title":"string","genre":"novel"}\n\n',
    });
  });
});

describe("schemas", () => {
  test("responses require every field, null where it can be unset; requests require what rules say", () => {
    const { Book, BookInput, Author } = build().components.schemas;
    expect(Book.required).toEqual(Object.keys(Book.properties));
    expect(Book.properties).toMatchObject({
      title: { type: "string" },
      subtitle: { type: ["string", "null"] },
      genre: { $ref: "#/components/schemas/Genre" },
      author: { anyOf: [{ $ref: "#/components/schemas/Author" }, { type: "null" }] },
      tags: { type: ["array", "null"], items: { type: "string" } },
      translators: { type: "array", items: { $ref: "#/components/schemas/Author" } },
      stock_by_shop: { type: "object", additionalProperties: { type: "string", format: "int64" } },
      published_at: { type: ["string", "null"], format: "date-time" },
      isbn_digest: { type: "string", contentEncoding: "base64" },
    });
    expect(Book.properties.price_cents.description).toBe("Not together with `price_text`, `price_on_request`.");
    expect(Author.properties.birth_year.type).toEqual(["integer", "null"]);
    expect(BookInput.required).toBeUndefined();
    expect(BookInput.additionalProperties).toBe(false);
    expect(BookInput.properties.stock_by_shop.additionalProperties.type).toEqual(["string", "integer"]);
  });

  test("optional fields of requests may be null, except where withoutNull says otherwise", () => {
    const { BookInput } = build().components.schemas;
    expect(BookInput.properties.title.type).toEqual(["string", "null"]);
    expect(BookInput.properties.stock_by_shop.type).toEqual(["object", "null"]);
    const { BookInput: strict } = build({ withoutNull: ({ name }) => name === "title" }).components.schemas;
    expect(strict.properties.title.type).toBe("string");
    expect(strict.properties.subtitle.type).toEqual(["string", "null"]);
  });

  test("strings of requests, map keys and list elements exclude U+0000 if the style does", () => {
    const text = { pattern: "^[^\\x00]*$" };
    const { Book, BookInput } = build().components.schemas;
    expect(BookInput.properties).toMatchObject({
      title: text,
      tags: { items: text },
      stock_by_shop: { propertyNames: text },
    });
    expect(Book.properties.title).toEqual({ type: "string" });
    const { BookInput: lenient } = build({ json: protoJson }).components.schemas;
    expect(lenient.properties.title).toEqual({ type: "string" });
  });

  test("the keywords option adds to fields of requests and to elements of lists", () => {
    const keywords = ({ name }: DescField) => (name === "title" || name === "tags" ? { pattern: "^[a-z]+$" } : {});
    const { Book, BookInput } = build({ keywords }).components.schemas;
    expect(BookInput.properties.title.pattern).toBe("^[a-z]+$");
    expect(Book.properties.title).toEqual({ type: "string" });
  });

  test("a list of values from the keywords option replaces the rules of the field", () => {
    const keywords = ({ name }: DescField) => (name === "locale" ? { enum: ["en", "de"] } : {});
    const { StartVerificationRequest } = build({ services: [VerifyService], keywords }).components.schemas;
    expect(StartVerificationRequest.properties.locale).toMatchObject({ enum: ["en", "de", null] });
    expect(Object.keys(StartVerificationRequest.properties.locale).sort()).toEqual(["enum", "type"]);
  });

  test("timestamps have a format and no pattern, which clients cannot apply to their own type", () => {
    const { Book, BookInput } = build().components.schemas;
    expect(BookInput.properties.published_at).toEqual({ type: ["string", "null"], format: "date-time" });
    expect(Book.properties.published_at).toEqual(BookInput.properties.published_at);
  });

  test("an enum that may grow is a text in responses, with the values of today", () => {
    const { Book, BookInput, Genre } = build({ mayGrow: ({ name }) => name === "Genre" }).components.schemas;
    expect(Book.properties.genre).toEqual({ type: "string", "x-extensible-enum": Genre.enum });
    expect(JSON.stringify(BookInput.properties.genre)).toContain("#/components/schemas/Genre");
  });

  test("messages that end with Response are called Reply, whatever is nested in them", () => {
    const { components } = build({ services: [VerifyService], basePath: "/api/v1" });
    const names = Object.keys(components.schemas);
    expect(names).toEqual(expect.arrayContaining(["StartVerificationReply", "StartVerificationStatus"]));
    expect(names.filter((name) => name.endsWith("Response"))).toEqual([]);
  });

  test("no field has a default: generators for TypeScript would require it", () => {
    const { components } = build({ services: [VerifyService], basePath: "/api/v1" });
    expect(JSON.stringify(components)).not.toContain('"default"');
  });

  test("componentOf describes values and elements of lists, hidesParameter leaves parameters out", () => {
    const componentOf = ({ parent, name }: DescField) =>
      ["Book.title", "TagSet.tags"].includes(`${parent.name}.${name}`) ? "Text" : undefined;
    const { Book, BookInput } = build({ componentOf }).components.schemas;
    const reference = { $ref: "#/components/schemas/Text" };
    expect(Book.properties.title).toEqual(reference);
    expect(BookInput.properties.tags.items).toEqual(reference);
    const namesOf = ({ parameters }: Document) => parameters.map(({ name }: Document) => name);
    expect(namesOf(build().paths["/v1/sales:follow"].get)).toContain("after");
    const hidden = build({ hidesParameter: ({ name }) => name === "after" });
    expect(namesOf(hidden.paths["/v1/sales:follow"].get)).not.toContain("after");
  });

  test("enums list their values in lower case, without …_UNSPECIFIED", () => {
    expect(build().components.schemas.Genre).toEqual({ type: "string", enum: ["novel", "poetry", "science_fiction"] });
  });

  test("names, unset fields, list wrappers and enums follow the JSON style", () => {
    const { Book, Genre } = build({ json: protoJson }).components.schemas;
    expect(Object.keys(Book.properties)).toContain("stockByShop");
    expect(Book.required).toBeUndefined();
    expect(Book.properties.subtitle).toEqual({ type: "string" });
    expect(Book.properties.tags).toEqual({ $ref: "#/components/schemas/TagSet" });
    expect(Genre.enum).toEqual(["GENRE_UNSPECIFIED", "GENRE_NOVEL", "GENRE_POETRY", "GENRE_SCIENCE_FICTION"]);
  });
});

describe("rules", () => {
  test.each<[rule: string, value: unknown, keywords: object]>([
    ["const", "yes", { const: "yes" }],
    ["in", ["a", "b"], { enum: ["a", "b"] }],
    ["not_in", [1, 2], { not: { enum: [1, 2] } }],
    ["lt", 5, { exclusiveMaximum: 5 }],
    ["lte", 5, { maximum: 5 }],
    ["gt", 5n, { exclusiveMinimum: 5 }],
    ["gte", 5, { minimum: 5 }],
    ["len", 3n, { minLength: 3, maxLength: 3 }],
    ["min_len", 3n, { minLength: 3 }],
    ["max_len", 3n, { maxLength: 3 }],
    ["pattern", "^a+$", { pattern: "^a+$" }],
    ["prefix", "a.b", { pattern: "^a\\.b" }],
    ["suffix", "(x)", { pattern: "\\(x\\)$" }],
    ["contains", "?", { pattern: "\\?" }],
    ["min_items", 1n, { minItems: 1 }],
    ["max_items", 9n, { maxItems: 9 }],
    ["unique", true, { uniqueItems: true }],
    ["min_pairs", 1n, { minProperties: 1 }],
    ["max_pairs", 9n, { maxProperties: 9 }],
    ["email", true, { format: "email" }],
    ["uuid", true, { format: "uuid" }],
    ["uri", true, { format: "uri" }],
    ["hostname", true, { format: "hostname" }],
    ["ipv4", true, { format: "ipv4" }],
    ["ip", true, {}],
    ["address", true, {}],
    ["example", ["one"], { examples: ["one"] }],
    ["email", false, {}],
    ["min_bytes", 3n, {}],
    ["finite", true, {}],
  ])("buf.validate %s %s becomes %j", (rule, value, keywords) => {
    expect(ruleKeywords(new Map([[rule, value]]))).toEqual(keywords);
  });

  test("apply to fields, list elements, map keys and map values", () => {
    const metadata = rulesOf(fieldOf(StartVerificationRequestSchema, "metadata"));
    expect(ruleKeywords(metadata.own)).toEqual({ maxProperties: 16 });
    expect(ruleKeywords(metadata.keys?.own ?? new Map())).toEqual({ minLength: 1, maxLength: 40 });
    expect(ruleKeywords(metadata.values?.own ?? new Map())).toEqual({ maxLength: 500 });
    const password = rulesOf(fieldOf(SignUpRequestSchema, "password"));
    expect(password.required).toBe(true);
    expect(ruleKeywords(password.own)).toEqual({ minLength: 10, maxLength: 128 });
  });

  test("only rules that are set are listed", () => {
    expect([...rulesOf(fieldOf(SignInRequestSchema, "email")).own.keys()]).toEqual(["max_len"]);
  });

  test("a field with google.api.field_behavior REQUIRED is required", () => {
    const { DeleteAccountRequest } = build({ services: [AuthService], basePath: "/api/v1" }).components.schemas;
    expect(DeleteAccountRequest).toMatchObject({
      required: ["password"],
      properties: { password: { type: "string" } },
    });
  });

  test("being required does not lower a minimum of the rules", () => {
    const { SignUpRequest } = build({ services: [AuthService], basePath: "/api/v1" }).components.schemas;
    expect(SignUpRequest.properties.password).toMatchObject({ minLength: 10, maxLength: 128 });
    expect(SignUpRequest.properties.email).toMatchObject({ minLength: 1, maxLength: 254 });
  });
});

describe("operations", () => {
  test("have what the options title, tagName, operation and examples give", () => {
    const { paths } = build({
      services: [VerifyService],
      basePath: "/api/v1",
      title: ({ name }) => name.toUpperCase(),
      tagName: ({ name }) => `the ${name}`,
      operation: ({ path, bodyExample }) => ({
        successStatus: 202,
        responses: { "418": { description: `not for ${path}` } },
        parameters: [{ in: "header", name: "X-Extra", schema: {} }],
        notes: [],
        members: { "x-body": bodyExample ?? null },
      }),
      examples: { field: ({ name }) => (name === "recipient" ? "ada@example.com" : undefined) },
    });
    expect(paths["/verify/start"].post).toMatchObject({
      summary: "STARTVERIFICATION",
      tags: ["the VerifyService"],
      parameters: [{ name: "X-Extra" }],
      responses: { "202": {}, "418": { description: "not for /verify/start" } },
      "x-body": { channel: "sms", recipient: "ada@example.com" },
    });
  });

  test.each([
    ["One sentence.", "One sentence", ""],
    ["One. Two. Three.", "One", "Two. Three."],
    ["With `a. B` in code. Then more.", "With `a. B` in code", "Then more."],
    ["About e.g. this one. And more.", "About e.g. this one", "And more."],
    ["No stop\n\nA paragraph.", "No stop", "A paragraph."],
    ["", "", ""],
  ])("the comment %j is split into the summary %j", (comment, summary, description) => {
    expect(splitSummary(comment)).toEqual({ summary, description });
  });
});
