import {
  clone,
  create,
  createFileRegistry,
  type DescService,
  type MessageInitShape,
  setExtension,
} from "@bufbuild/protobuf";
import {
  EnumValueDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  MethodDescriptorProtoSchema,
  MethodOptionsSchema,
  ServiceDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import { createServiceImplSpec } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { SchemaError } from "../../src/rest/endpoint.ts";
import { createGateway, type Gateway, type GatewayOptions } from "../../src/rest/gateway.ts";
import { http } from "../../src/rest/gen/google/api/annotations_pb.ts";
import { type HttpRule, HttpRuleSchema } from "../../src/rest/gen/google/api/http_pb.ts";
import { protoJson, restJson } from "../../src/rest/json/json-style.ts";
import { call, explain, openBookshop } from "./bookshop.ts";
import { file_bookshop_v1_bookshop } from "./gen/bookshop/v1/bookshop_pb.ts";

type Rule = MessageInitShape<typeof HttpRuleSchema>;

interface Rpc {
  readonly rule?: Rule;
  /** The name of a message of the bookshop. */
  readonly input?: string;
  readonly output?: string;
  readonly clientStreaming?: boolean;
  readonly serverStreaming?: boolean;
}

/** A service of RPCs `A`, `B`, … over the messages of the bookshop. `values` are added to the enum `Genre`. */
function serviceOf(rpcs: readonly Rpc[], values: Readonly<Record<string, number>> = {}): DescService {
  const file = clone(FileDescriptorProtoSchema, file_bookshop_v1_bookshop.proto);
  for (const [name, number] of Object.entries(values)) {
    file.enumType[0]?.value.push(create(EnumValueDescriptorProtoSchema, { name, number }));
  }
  const method = rpcs.map(({ input = "ListBooksRequest", output = "Book", rule, ...streaming }, index) => {
    const options = create(MethodOptionsSchema);
    if (rule !== undefined) {
      setExtension(options, http, create(HttpRuleSchema, rule));
    }
    const name = String.fromCharCode(65 + index);
    const [inputType, outputType] = [`.bookshop.v1.${input}`, `.bookshop.v1.${output}`];
    return create(MethodDescriptorProtoSchema, { name, inputType, outputType, options, ...streaming });
  });
  file.service = [create(ServiceDescriptorProtoSchema, { name: "S", method })];
  const registry = createFileRegistry(file, (name) =>
    file_bookshop_v1_bookshop.dependencies.find((dependency) => dependency.proto.name === name),
  );
  const service = registry.getService("bookshop.v1.S");
  if (service === undefined) {
    throw new Error("the service was not built");
  }
  return service;
}

function open(service: DescService, options: Partial<GatewayOptions> = {}): Gateway {
  return createGateway({
    services: [createServiceImplSpec(service, {})],
    interceptors: [],
    json: restJson,
    errorResponse: explain,
    ...options,
  });
}

function problemsOf(service: DescService, options: Partial<GatewayOptions> = {}): readonly string[] {
  try {
    open(service, options);
  } catch (error) {
    expect(error).toBeInstanceOf(SchemaError);
    return error instanceof SchemaError ? error.problems : [];
  }
  return [];
}

const get = (path: string): Rule => ({ pattern: { case: "get", value: path } });
const post = (path: string, body = ""): Rule => ({ pattern: { case: "post", value: path }, body });

const rules = (...inits: Rule[]): HttpRule[] => inits.map((init) => create(HttpRuleSchema, init));

describe("a schema that cannot be served over REST is rejected at start-up", () => {
  test.each<[string, Rpc, string]>([
    ["an RPC that is not mapped", {}, "bookshop.v1.S.A: has no google.api.http option"],
    ["a rule without a path", { rule: {} }, "has a google.api.http option without a path"],
    ["a rule with a body only", { rule: { body: "*" } }, "has a google.api.http option without a path"],
    [
      "a bad template",
      { rule: get("/a/{") },
      'expected a field name, found the end at position 4 of the path template "/a/{"',
    ],
    ["an empty template", { rule: get("") }, 'expected "/", found the end at position 0'],
    [
      "a method that is none",
      { rule: { pattern: { case: "custom", value: { kind: "A B", path: "/a" } } } },
      '"A B" is no HTTP method',
    ],
    ["no method", { rule: { pattern: { case: "custom", value: { kind: "", path: "/a" } } } }, '"" is no HTTP method'],
    [
      "a path field that does not exist",
      { rule: get("/{nope}") },
      'the path binds "nope", which bookshop.v1.ListBooksRequest does not have',
    ],
    [
      "a JSON name in the path",
      { rule: get("/{pageToken}") },
      'the path binds "pageToken", which bookshop.v1.ListBooksRequest does not have',
    ],
    [
      "a field of a scalar",
      { rule: get("/{parent.x}") },
      'the path binds "parent.x", which bookshop.v1.ListBooksRequest does not have',
    ],
    [
      "a nested one that does not exist",
      { rule: get("/{filter.nope}") },
      'the path binds "filter.nope", which bookshop.v1.ListBooksRequest does not have',
    ],
    [
      "a repeated field in the path",
      { rule: get("/{languages}") },
      'the path binds "languages", where languages is repeated',
    ],
    ["a map in the path", { rule: get("/{labels}") }, 'the path binds "labels", where labels is repeated'],
    [
      "a nested repeated field",
      { rule: get("/{filter.genres}") },
      'the path binds "filter.genres", where genres is repeated',
    ],
    ["a message in the path", { rule: get("/{filter}") }, 'the path binds "filter", which is a message'],
    [
      "a timestamp in the path",
      { rule: get("/{published_after}") },
      'the path binds "published_after", which is a message',
    ],
    [
      "inside of a timestamp",
      { rule: get("/{published_after.seconds}") },
      'the path binds "published_after.seconds", which is a message',
    ],
    ["inside of a wrapper", { rule: get("/{signed.value}") }, 'the path binds "signed.value", which is a message'],
    ["two of one oneof", { rule: get("/{filter.title}/{filter.isbn}") }, "the path binds two fields of one oneof"],
    [
      "a body that does not exist",
      { rule: post("/a", "nope") },
      'body names "nope", which bookshop.v1.ListBooksRequest does not have',
    ],
    [
      "a nested body",
      { rule: post("/a", "filter.range") },
      'body names "filter.range", which bookshop.v1.ListBooksRequest does not have',
    ],
    ["a body that the path binds", { rule: post("/{parent}", "parent") }, 'both the path and the body bind "parent"'],
    ["a GET with a body", { rule: { ...get("/a"), body: "*" } }, "GET takes no body"],
    [
      "a response_body that does not exist",
      { rule: { ...get("/a"), responseBody: "nope" } },
      'response_body names "nope", which bookshop.v1.Book does not have',
    ],
    [
      "nested additional bindings",
      { rule: { ...get("/a"), additionalBindings: rules({ ...get("/b"), additionalBindings: rules(get("/c")) }) } },
      "has additional_bindings inside additional_bindings",
    ],
    [
      "an additional binding without a path",
      { rule: { ...get("/a"), additionalBindings: rules({}) } },
      "has a google.api.http option without a path",
    ],
    [
      "the same route twice",
      { rule: { ...get("/a"), additionalBindings: rules(get("/a")) } },
      "GET /a is the same route as GET /a",
    ],
    [
      "a stream of requests",
      { rule: post("/a"), clientStreaming: true },
      "streams requests, which REST cannot express",
    ],
    [
      "a stream of both",
      { rule: post("/a"), clientStreaming: true, serverStreaming: true },
      "streams requests, which REST cannot express",
    ],
  ])("%s", (_, rpc, problem) => {
    const problems = problemsOf(serviceOf([rpc]));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  test("two RPCs that share a route", () => {
    expect(problemsOf(serviceOf([{ rule: get("/a/{parent}") }, { rule: get("/a/{page_token}") }]))).toEqual([
      "GET /a/{page_token} is the same route as GET /a/{parent}",
    ]);
  });

  test("an enum with two values that the style writes as the same word", () => {
    const service = serviceOf([{ rule: get("/a") }], { NOVEL: 7, genre_Poetry: 8 });
    expect(problemsOf(service)).toEqual(['bookshop.v1.Genre: GENRE_NOVEL and NOVEL would both be written "novel"']);
    expect(problemsOf(service, { json: protoJson })).toEqual([]);
  });

  test("all problems are reported in one error", () => {
    const rpcs = [
      {},
      { rule: get("/{x}/{y}") },
      { rule: get("/a") },
      { rule: post("/b", "nope") },
      { rule: get("/a") },
    ];
    const service = serviceOf(rpcs, { NOVEL: 7 });
    expect(problemsOf(service)).toHaveLength(6);
    expect(() => open(service)).toThrow(
      /^the schema cannot be served over REST:\n(bookshop.*\n){4}GET \/a is .*\nbookshop.*$/,
    );
  });
});

test("unmappedMethods: skip leaves out RPCs without google.api.http", async () => {
  const gateway = open(serviceOf([{}, { rule: get("/b") }, { clientStreaming: true }]), { unmappedMethods: "skip" });
  expect(gateway.routes.map(({ method }) => method.name)).toEqual(["B"]);
});

test("gateway.routes lists the routes", () => {
  const routes = openBookshop().routes.map(({ body, httpMethod, method, pathParameters, responseField, template }) =>
    [
      `${method.name}: ${httpMethod} ${template}`,
      ...pathParameters.map(({ fields }) => fields.map(({ name }) => name).join(".")),
      `body ${body.kind === "field" ? body.field.name : body.kind}`,
      ...(responseField === undefined ? [] : [`answers ${responseField.name}`]),
    ].join(", "),
  );
  expect(routes).toEqual([
    "GetBook: GET /v1/{name=shelves/*/books/*}, name, body none",
    "ListBooks: GET /v1/{parent=shelves/*}/books, parent, body none",
    "ListBooks: GET /v1/books, body none",
    "ListBooks: POST /v1/books:search, body message",
    "CreateBook: POST /v1/{parent=shelves/*}/books, parent, body book",
    "UpdateBook: PATCH /v1/{book.name=shelves/*/books/*}, book.name, body book",
    "UpdateBook: PUT /v1/{book.name=shelves/*/books/*}, book.name, body book",
    "DeleteBook: DELETE /v1/{name=shelves/*/books/*}, name, body none",
    "MoveBook: POST /v1/{name=shelves/*/books/*}:move, name, body message",
    "TagBook: PUT /v1/{name=shelves/*/books/*}/tags, name, body tags, answers tags",
    "GetPage: GET /v1/files/{path=**}/pages/{page}/{format}, path, page, format, body none",
    "PurgeShelf: PURGE /v1/shelves/{shelf}, shelf, body none",
    "PutCover: PUT /v1/{name=shelves/*/books/*}/cover, name, body cover",
    "PutCover: GET /v1/{name=shelves/*/books/*}/cover, name, body none",
    "Import: POST /v1/books:import, body message",
    "WatchBooks: GET /v1/{parent=shelves/*}/books:watch, parent, body none",
    "FollowSales: GET /v1/sales:follow, body none, answers sale",
  ]);
});

test("a path may bind a member of a oneof, and the method * takes what has no route of its own", async () => {
  const rule: Rule = {
    pattern: { case: "custom", value: { kind: "*", path: "/{filter.isbn}/{filter.range.min_year}" } },
  };
  const gateway = open(serviceOf([{ rule }, { rule: { ...get("/{page_token}/{parent}") } }]));
  // Not implemented, but bound: what is wrong with the binding would come first.
  expect(await call(gateway, "BREW /7/1900")).toMatchObject({ json: { error: { kind: "Unimplemented" } } });
  expect(await call(gateway, "BREW /7/x")).toMatchObject({
    status: 422,
    json: { error: { fields: { "filter.range.min_year": "must be an integer" } } },
  });
  expect(await call(gateway, "GET /7/x")).toMatchObject({ json: { error: { kind: "Unimplemented" } } });
});
