import { readFile } from "node:fs/promises";
import { createRegistry } from "@bufbuild/protobuf";
import { ViolationCollector } from "@byond/rest/field-violations";
import { JsonReader } from "@byond/rest/json/json-reader";
import { compileRequestBinder } from "@byond/rest/request-binder";
import { routesOf } from "@byond/rest/route";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { standardCapabilities } from "../../../src/app.ts";
import { authFieldChecks } from "../../../src/capabilities/accounts/auth.rpc.ts";
import { guardFieldChecks } from "../../../src/capabilities/guard/guard.rpc.ts";
import { apiKeyFieldChecks } from "../../../src/capabilities/keys/api-key.rpc.ts";
import { lookupFieldChecks } from "../../../src/capabilities/lookup/lookup.rpc.ts";
import { templateFieldChecks } from "../../../src/capabilities/templates/template.rpc.ts";
import { fixedCodeFieldChecks } from "../../../src/capabilities/verify/fixed-codes/fixed-code.rpc.ts";
import { verifyFieldChecks } from "../../../src/capabilities/verify/verify.rpc.ts";
import { webhookFieldChecks } from "../../../src/capabilities/webhooks/webhook.rpc.ts";
import { scopesOf } from "../../../src/process/start-platform.ts";
import { restStyle } from "../../../src/rpc/rest-style.ts";
import { compileRequestChecks } from "../../../src/rpc/validation.ts";
import { type RestAnswer, useTestApp } from "../../support/app.ts";
import { allMethods } from "../../wire/request-messages.ts";
import { freePrices } from "../balance/balance-fixture.ts";
import { DocumentReader, type Operation, type PlacedOperation, type Schema } from "./openapi-document.ts";
import { createWorld, type World } from "./operation-calls.ts";
import { type DrawnRequest, OperationRequests, type Part, parts } from "./request-arbitrary.ts";
import { rulesInWords, rulesInWordsOf } from "./rules-in-words.ts";
import type { Members } from "./schema-arbitrary.ts";
import { type MemberViolation, violationsOfMembers } from "./schema-violations.ts";

/**
 * The document and the server agree about requests: a request that matches the document passes validation, and any other
 * is refused. Rules that JSON Schema cannot express are in `rules-in-words.ts`.
 */
const reader = new DocumentReader(JSON.parse(await readFile("gen/openapi.json", "utf8")));
const { schemas } = reader.document.components;
const rows = reader.operations().map((place) => ({
  id: place.operation.operationId,
  place,
  requests: new OperationRequests(reader, place.operation),
}));

const app = useTestApp({ allowsFixedCodes: true, prices: freePrices });
let world: World;
/** A key and a verification that exist, by the names that members have. */
let existing: Members;
/** May make every call that takes a key. */
let fullKey: string;
beforeAll(async () => {
  world = await createWorld(app);
  const { session, sandboxKey: key } = world;
  const full = { name: "full", mode: "test", scopes: ["*"] };
  fullKey = (await app.rest("POST", "/api-keys", { session, body: full })).body.key;
  const verification = { channel: "email", recipient: "ada@example.com" };
  existing = {
    id: (await app.rest("POST", "/api-keys", { session, body: { name: "exists" } })).body.id,
    verification_id: (await app.rest("POST", "/verify/start", { key, body: verification })).body.verification_id,
  };
});

test("gen/openapi.json is the document that the server serves", async () => {
  const served = JSON.parse(await (await fetch(`${app.url}/openapi.json`)).text());
  expect(served.components.schemas).toEqual(schemas);
  expect(Object.keys(served.paths)).toEqual(Object.keys(reader.document.paths));
});

const textsOf = (members: Members) =>
  Object.fromEntries(Object.entries(members).map(([name, value]) => [name, String(value)]));

/** The parameters of a query: a list is one parameter for each of its items. */
const parametersOf = (members: Members): [string, string][] =>
  Object.entries(members).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((item): [string, string] => [name, String(item)]),
  );

async function send(
  { method, path, operation }: PlacedOperation,
  request: DrawnRequest,
  session = world.session,
): Promise<RestAnswer> {
  const target = path.replace(/\{([^}]+)\}/g, (_, name) => encodeURIComponent(String(request.path[name])));
  const targetAndQuery = `${target}?${new URLSearchParams(parametersOf(request.query))}`;
  if (operation.operationId === "streamEvents") {
    return openAndLeave(targetAndQuery, { authorization: `Bearer ${session}`, ...textsOf(request.header) });
  }
  return app.rest(method, targetAndQuery, {
    ...credentialFor(operation, session),
    headers: textsOf(request.header),
    ...(request.body === undefined ? {} : { body: request.body }),
  });
}

/** The status of a stream, which does not end by itself, or its refusal. */
async function openAndLeave(target: string, headers: Readonly<Record<string, string>>): Promise<RestAnswer> {
  const leave = new AbortController();
  const response = await fetch(`${app.url}/api/v1${target}`, { headers, signal: leave.signal });
  const body = response.ok ? undefined : await response.json();
  leave.abort();
  return { status: response.status, headers: response.headers, body };
}

function credentialFor({ "x-credentials": credentials }: Operation, session: string) {
  return credentials.includes("session") ? { session } : credentials.includes("key") ? { key: fullKey } : {};
}

/** What validation finds in a request, without the server around it. */
type Validate = (request: DrawnRequest) => unknown;

const methods = await allMethods();
const checkRequest = compileRequestChecks(
  [...new Set(methods.map(({ parent }) => parent))],
  [
    ...verifyFieldChecks,
    ...fixedCodeFieldChecks,
    ...templateFieldChecks,
    ...lookupFieldChecks,
    ...apiKeyFieldChecks(scopesOf(standardCapabilities())),
    ...authFieldChecks,
    ...guardFieldChecks(() => ({ allowedNetworks: [], allowsLoopback: false })),
    ...webhookFieldChecks({ allowedNetworks: [], allowsLoopback: false }),
  ],
);

function validationOf(operationId: string): Validate {
  // An RPC that has several routes is several operations: `deleteAccount_2`.
  const [name = "", place = "1"] = operationId.split("_");
  const method = methods.find((each) => each.name.toLowerCase() === name.toLowerCase());
  const route = method === undefined ? undefined : routesOf(method, "refuse", [])[Number(place) - 1];
  if (method === undefined || route === undefined) {
    throw new TypeError(`there is no RPC for ${operationId}`);
  }
  const json = new JsonReader({ style: restStyle, ignoresUnknownFields: false, registry: createRegistry() });
  const bind = compileRequestBinder(route, json);
  return ({ path, query, body }) => {
    const violations = new ViolationCollector();
    const message = bind(
      {
        variables: Object.entries(textsOf(path)),
        query: parametersOf(query),
        body: body === undefined ? { kind: "empty" } : { kind: "json", json: JSON.parse(JSON.stringify(body)) },
      },
      violations,
    );
    return checkRequest(method, message, violations)?.details.fields;
  };
}

describe("a request that matches the document", () => {
  test.each(rows)("to $id matches its schemas and passes validation", ({ id, requests }) => {
    const validate = validationOf(id);
    fc.assert(
      fc.property(requests.fitting(), (request) => {
        for (const part of parts) {
          const schema = request[part] && requests.schemas[part];
          expect(schema === undefined ? [] : reader.problems(schema, request[part]), part).toEqual([]);
        }
        expect(validate(request)).toBeUndefined();
      }),
      { numRuns: requests.takesNothing ? 1 : 100 },
    );
  });

  test.each(rows)("to $id passes validation over REST", async ({ id, place, requests }) => {
    // Where a code can be resent depends on where it was sent before.
    const isAboutExisting = id !== "resendCode";
    // These could keep the credentials of the others out.
    const { session } = ["logoutAll", "updateWorkspace", "updateGuard"].includes(id) ? await app.signUp() : world;
    await fc.assert(
      fc.asyncProperty(requests.fitting(), fc.boolean(), async (drawn, exists) => {
        const request = refusingNothing(isAboutExisting && exists ? aboutExisting(drawn) : drawn);
        const { status, body } = await send(place, request, session);
        const code = body?.error?.code;
        expect([400, 405, 406, 413, 415, 500], JSON.stringify(body)).not.toContain(status);
        expect(code, JSON.stringify(body)).not.toBe("validation_error");
        // Nor does admission refuse it before validation.
        const isAdmitted = place.operation.security.length === 0 || !admission.includes(code);
        expect(isAdmitted, JSON.stringify(body)).toBe(true);
      }),
      { numRuns: requests.takesNothing || id === "logoutAll" ? 1 : 10 },
    );
  });
});

/** Which addresses `refuse` refuses is the domain name system's to say. */
function refusingNothing(request: DrawnRequest): DrawnRequest {
  return request.body !== undefined && "refuse" in Object(request.body)
    ? { ...request, body: { ...Object(request.body), refuse: [] } }
    : request;
}

/** The codes with which admission refuses a request before its fields are validated. */
const admission = ["invalid_api_key", "insufficient_scope", "ip_not_allowed", "email_not_verified"];

function aboutExisting({ path, query, header, body }: DrawnRequest): DrawnRequest {
  const named = (members: Members) =>
    Object.fromEntries(Object.entries(members).map(([name, value]) => [name, existing[name] ?? value]));
  // The key that exists is secret, and has no origins.
  const { origins: _, ...ofSecretKey } = Object(body);
  return { path: named(path), query, header, body: body && named("id" in path ? ofSecretKey : body) };
}

describe("a rule that JSON Schema cannot express is in the description", () => {
  test.each(rulesInWords.map((rule) => ({ names: rule.fields.join(", "), rule })))("of $names", ({ rule }) => {
    const descriptions = rows.flatMap(({ id, requests }) =>
      [requests.schemas.query, requests.schemas.body].flatMap((schema) =>
        Object.entries(schema?.properties ?? {}).flatMap(([name, { description }]) =>
          rulesInWordsOf(id, name).includes(rule) ? [`${id} ${name}: ${description}`] : [],
        ),
      ),
    );
    expect(descriptions.length).toBeGreaterThan(0);
    expect(descriptions.filter((text) => !rule.said.test(text))).toEqual([]);
  });
});

describe("a request that violates one keyword of the document", () => {
  test.each(rows)("to $id is refused", async ({ id, place, requests: { schemas: byPart, example } }) => {
    const validate = validationOf(id);
    for (const part of parts) {
      const schema = byPart[part];
      for (const violation of schema === undefined ? [] : violationsOfMembers(schema, example[part] ?? {}, schemas)) {
        if (part === "body" || canBeSent(part, violation, schema?.properties[violation.name])) {
          const members = membersWith(violation, example[part]);
          const about = `${part} ${violation.name}: ${violation.keyword} ${JSON.stringify(violation.value)?.slice(0, 80)}`;
          expect(reader.problems(schema ?? {}, members), about).not.toEqual([]);
          if (isLeftOutByNull(place, part, violation, schema?.required ?? []) || isOfBatchItem(id, violation)) {
            expect(validate({ ...example, [part]: members }), about).toBeUndefined();
          } else {
            await expectRefused(place, { ...example, [part]: members }, refusalOf(id, part, violation), about);
          }
        }
      }
    }
  });
});

function membersWith({ name, value }: MemberViolation, { [name]: _, ...others }: Members = {}): Members {
  return value === undefined ? others : { ...others, [name]: value };
}

async function expectRefused(place: PlacedOperation, request: DrawnRequest, expected: object, about: string) {
  const { status, body } = await send(place, request);
  const fields = Object.keys(body?.error?.fields ?? {}).map((path) => path.split(/[.[]/)[0]);
  const refusal = { status, code: body?.error?.code, fields };
  expect.soft(refusal, `${about}: ${JSON.stringify(body)}`).toMatchObject(expected);
}

/** In a body that is not a `PATCH`, `null` is taken for an optional member that is not given. The document does not offer that. */
function isLeftOutByNull(
  { method }: PlacedOperation,
  part: Part,
  { name, keyword, value }: MemberViolation,
  required: readonly string[],
): boolean {
  return method !== "PATCH" && part === "body" && keyword === "type" && value === null && !required.includes(name);
}

/** What is wrong with an item of a batch is said in its result. */
function isOfBatchItem(id: string, { keyword, value }: MemberViolation): boolean {
  const hasNull = (item: unknown) => Object.values(Object(item)).includes(null);
  return id === "batchLookup" && keyword.startsWith("items.") && Array.isArray(value) && value.some(hasNull);
}

/** Whether any text fits a schema. */
const isText = (schema: unknown) =>
  JSON.stringify(Object(schema).type) === '"string"' && Object(schema).pattern === "^[^\\x00]*$";

/** Whether a parameter, which is text, can have the value. */
function canBeSent(part: Part, { name, keyword, value }: MemberViolation, schema: Schema | undefined): boolean {
  if (schema === undefined || keyword === "required") {
    return part === "query" && name !== "";
  }
  if (keyword === "type") {
    // One text is a list with one item, where any text can be an item.
    return typeof value === "string" && !(schema.type === "array" && isText(schema.items));
  }
  if (keyword === "items.type") {
    return Array.isArray(value) && typeof value[0] === "string";
  }
  return part === "header" ? /^[\x20-\x7e]+$/.test(String(value).trim()) : part === "query" || value !== "";
}

/** The expected refusal: a `validation_error` that names the member, unless another check comes first. */
function refusalOf(id: string, part: Part, { name, keyword, value }: MemberViolation): object {
  if (part === "header" && name === "Last-Event-ID") {
    return { status: 422, code: "validation_error", fields: ["after"] };
  }
  if (part === "header") {
    return { status: 400, code: "invalid_request" };
  }
  if (part === "path" && /\p{Cc}/u.test(String(value))) {
    return { status: 400, code: "invalid_request" };
  }
  // An id of another form is not found. One of the texts also has U+0000, which is refused before.
  if (keyword === "pattern" && /^(id|.*_id)$/.test(name)) {
    return String(value).includes("\0") ? { status: 422 } : { status: 404, code: "not_found" };
  }
  if (id.startsWith("deleteAccount") && (value === undefined || value === null)) {
    return { status: 400, code: "invalid_request" };
  }
  return { status: 422, code: "validation_error", fields: expect.arrayContaining([name]) };
}
