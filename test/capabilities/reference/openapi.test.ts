import { readFile } from "node:fs/promises";
import type { DescService } from "@bufbuild/protobuf";
import { beforeAll, describe, expect, test } from "vitest";
import { EventDataSchema } from "../../../gen/byond/v1/event_pb.ts";
import { VerifyService } from "../../../gen/byond/v1/verify_pb.ts";
import { WebhookService } from "../../../gen/byond/v1/webhook_pb.ts";
import { presentedKeyLengths } from "../../../src/capabilities/keys/key-format.ts";
import { errorCodes } from "../../../src/capabilities/reference/error-guide.ts";
import { exampleIds, exampleKeys } from "../../../src/capabilities/reference/openapi/example-ids.ts";
import { documentOf } from "../../../src/capabilities/reference/openapi/served-document.ts";
import { DocumentReader, type Schema } from "./openapi-document.ts";
import { isSchemas, resolve, typesOf } from "./schema-arbitrary.ts";

let reader: DocumentReader;

beforeAll(async () => {
  reader = new DocumentReader(JSON.parse(await readFile("gen/openapi.json", "utf8")));
});

const schema = (name: string) => reader.document.components.schemas[name];
const operation = (id: string) => {
  const found = reader.operations().find((candidate) => candidate.operation.operationId === id);
  if (found === undefined) {
    throw new Error(`there is no operation ${id}`);
  }
  return found;
};

describe("the document of the API", () => {
  test("has the documented paths below the base URL", () => {
    const places = reader.operations().map(({ method, path }) => `${method} ${path}`);
    expect(reader.document.servers[0]?.url).toMatch(/\/api\/v1$/);
    expect(places).toEqual(
      expect.arrayContaining([
        "POST /verify/start",
        "POST /verify/check",
        "GET /lookup",
        "POST /api-keys",
        "GET /api-keys",
        "DELETE /api-keys/{id}",
      ]),
    );
  });

  test("gives every operation a title, a description, one successful response and the common errors", () => {
    for (const { operation: each } of reader.operations()) {
      expect(each.summary, each.operationId).toMatch(/^[A-Z].{2,40}$/);
      expect(each.description, each.operationId).not.toBe("");
      const statuses = Object.keys(each.responses);
      expect(
        statuses.filter((status) => status.startsWith("2")),
        each.operationId,
      ).toHaveLength(1);
      expect(statuses, each.operationId).toEqual(expect.arrayContaining(["400", "406", "422", "429", "500", "503"]));
    }
  });

  /** Those with a body that are no `GET`. */
  const withoutSideEffects = ["batchLookup"];

  test("operations with side effects take an Idempotency-Key; those that store no answer describe what a repetition does", () => {
    for (const { method, operation: each } of reader.operations()) {
      const isOpen = each.security.length === 0;
      const references = (each.parameters ?? [])
        .flatMap((parameter) => ("$ref" in parameter ? [parameter.$ref] : []))
        .filter((reference) => reference.endsWith("IdempotencyKeyHeader"));
      const hasSideEffects = method !== "GET" && !withoutSideEffects.includes(each.operationId);
      const expected = !hasSideEffects
        ? []
        : [`#/components/parameters/${isOpen ? "AcceptedIdempotencyKeyHeader" : "IdempotencyKeyHeader"}`];
      expect(references, each.operationId).toEqual(expected);
      if (hasSideEffects && isOpen) {
        expect(each.description, each.operationId).toMatch(/\bretry\b/i);
      }
      expect(JSON.stringify(each.responses).includes("Idempotent-Replayed"), each.operationId).toBe(
        hasSideEffects && !isOpen,
      );
    }
  });

  test("operations require one credential, and say which they take, with which scope", () => {
    const takes = (id: string) => {
      const { security, "x-credentials": credentials, "x-required-scope": scope } = operation(id).operation;
      return { security, credentials, scope };
    };
    const key = [{ ApiKeyAuth: [] }];
    const session = [{ SessionAuth: [] }];
    expect(takes("startVerification")).toEqual({ security: key, credentials: ["key"], scope: "verify" });
    expect(takes("getVerification")).toEqual({ security: key, credentials: ["key", "session"], scope: "verify" });
    expect(takes("createApiKey")).toEqual({ security: session, credentials: ["session"] });
    expect(takes("createWebhook")).toEqual({ security: session, credentials: ["session", "key"], scope: "webhooks" });
    expect(takes("signIn")).toEqual({ security: [], credentials: [] });
    for (const { operation: each } of reader.operations()) {
      const { description, "x-credentials": credentials } = each;
      expect(/X-API-Key: <key>. or .Authorization: Bearer <key>/.test(description)).toBe(credentials.includes("key"));
      expect(/Authorization: Bearer <token>/.test(description)).toBe(credentials.includes("session"));
    }
    expect(operation("startVerification").operation.responses).toHaveProperty("403");
    // Any call may come from a network that the server does not take requests from.
    expect(operation("signIn").operation.responses["403"]).toEqual({
      $ref: "#/components/responses/IpNotAllowedError",
    });
  });

  test("rules of the schema are keywords, and comments are descriptions", () => {
    expect(schema("StartVerificationRequest")).toMatchObject({
      type: "object",
      required: ["channel", "recipient"],
      additionalProperties: false,
      properties: {
        channel: { $ref: "#/components/schemas/Channel" },
        recipient: { type: "string", minLength: 1, maxLength: 254 },
        brand: { type: "string", minLength: 1, maxLength: 40 },
        code_length: { type: "integer", minimum: 4, maximum: 10, description: expect.stringMatching(/Default:? 6\./) },
        ttl_seconds: { type: "integer", minimum: 30, maximum: 3600 },
        metadata: {
          maxProperties: 16,
          propertyNames: { minLength: 1, maxLength: 40 },
          additionalProperties: { type: "string", maxLength: 500 },
        },
      },
    });
    expect(schema("Channel")).toMatchObject({
      enum: ["sms", "voice", "whatsapp", "email"],
      description: "How a code reaches its recipient.",
      "x-enum-descriptions": [
        ...Array(2).fill(expect.any(String)),
        expect.stringMatching("WhatsApp"),
        expect.any(String),
      ],
    });
  });

  test("a message that only wraps a list is a list", () => {
    expect(schema("CreateApiKeyRequest")).toMatchObject({
      properties: {
        scopes: { type: "array", minItems: 1, uniqueItems: true, items: { $ref: "#/components/schemas/Scope" } },
        mode: { $ref: "#/components/schemas/Mode" },
      },
    });
    expect(schema("CreateApiKeyReply")).toMatchObject({
      required: expect.arrayContaining(["scopes", "key", "mode"]),
    });
  });

  test("a choice is a component or null, or exactly one of components, so that client generators make types that compile", () => {
    const choices: unknown[] = [];
    JSON.stringify(reader.document, (key, value) => {
      if (["anyOf", "oneOf", "allOf", "not"].includes(key)) {
        choices.push({ [key]: value });
      }
      return value;
    });
    const component = expect.objectContaining({ $ref: expect.stringMatching(/^#\/components\/schemas\//) });
    expect(choices.length).toBeGreaterThan(0);
    for (const choice of choices) {
      const eventData = { oneOf: EventDataSchema.fields.map(() => component) };
      expect([{ anyOf: [component, { type: "null" }] }, eventData]).toContainEqual(choice);
    }
  });

  test("what may grow is a text in responses, so that clients take values that they do not know", () => {
    const known = Object(schema("ErrorCode"));
    expect(known).toMatchObject({ type: "string", "x-extensible-enum": errorCodes });
    expect(known).not.toHaveProperty("enum");
    expect(Object(schema("Event")?.properties).type).toMatchObject({
      type: "string",
      "x-extensible-enum": schema("EventType")?.enum,
    });
    expect(Object(schema("ApiKey")?.properties).scopes.items).not.toHaveProperty("enum");
  });

  test("a field bound by the path is a parameter, and not in the body", () => {
    const { parameters = [], requestBody } = operation("resendCode").operation;
    expect(parameters[0]).toMatchObject({ in: "path", name: "verification_id", required: true });
    const [content] = Object.values(requestBody?.content ?? {});
    expect(content?.schema).toEqual({ $ref: "#/components/schemas/ResendCodeRequest" });
    expect(Object.keys(schema("ResendCodeRequest")?.properties ?? {})).toEqual(["channel", "recipient"]);
  });

  test("an answer with response_body has the schema of that field", () => {
    const { method, path, operation: get } = operation("getVerification");
    expect(`${method} ${path}`).toBe("GET /verify/{verification_id}");
    const content = reader.response(get, 200)?.content["application/json"];
    expect(content?.schema.$ref).toBe("#/components/schemas/Verification");
  });

  test("query parameters have types and constraints", () => {
    const parameters = reader.parameters(operation("lookupNumber").operation);
    expect(parameters.map(({ name, required = false }) => [name, required])).toEqual([
      ["number", true],
      ["country", false],
      ["fields", false],
    ]);
    expect(parameters[0]).toMatchObject({ in: "query", schema: { type: "string", minLength: 1, maxLength: 250 } });
  });

  test("a comment that names an RPC names its REST path", () => {
    expect(JSON.stringify(schema("CheckVerificationRequest"))).toContain("`POST /verify/start`");
    expect(JSON.stringify(reader.document)).not.toContain("`StartVerification` answered");
  });

  test("every type of event has a webhook, with a description and an example", () => {
    expect(Object.keys(reader.document["x-webhooks"])).toEqual(schema("EventType")?.enum);
    for (const [type, { post }] of Object.entries(reader.document["x-webhooks"])) {
      expect(post.description, type).toMatch(/^[A-Z].+\.$/s);
      const content = post.requestBody?.content["application/json"];
      expect(content?.example, type).toMatchObject({ type });
      expect(reader.problems(content?.schema ?? {}, content?.example), type).toEqual([]);
      const names = reader.parameters(post).map(({ name }) => name);
      expect(names).toEqual(["webhook-id", "webhook-timestamp", "webhook-signature", "Byond-Signature"]);
      for (const { name, schema: parameterSchema, example } of reader.parameters(post)) {
        expect(reader.problems(parameterSchema, example), name).toEqual([]);
      }
    }
  });

  test("a server without webhooks documents none, and one with them all", () => {
    const documented = (services: readonly DescService[]) =>
      documentOf({ services, scopes: ["*"] }, JSON.parse(JSON.stringify(reader.document)));
    const without = documented([VerifyService]);
    expect(without).not.toHaveProperty("x-webhooks");
    expect(Object.keys(Object(without.components).schemas)).not.toContain("Event");
    expect(documented([VerifyService, WebhookService])["x-webhooks"]).toEqual(reader.document["x-webhooks"]);
    expect(Object.keys(Object(documented([WebhookService]).components).schemas)).toContain("Event");
  });

  test("every code that an operation can answer is explained, with an example", () => {
    const documented = Object.values(reader.document.components.responses).flatMap(({ content }) =>
      Object.keys(content["application/json"]?.examples ?? {}),
    );
    // The 405 belongs to a path, not to one of its operations.
    expect(new Set(documented)).toEqual(new Set(errorCodes.filter((code) => code !== "method_not_allowed")));
  });
});

describe("texts of requests", () => {
  /** Every schema of a text in a request, by where it is. */
  const texts = () => {
    const found = reader
      .operations()
      .flatMap(({ operation: each }) => [
        ...reader
          .parameters(each)
          .flatMap((parameter) => textsOf(parameter.schema, `${each.operationId} ${parameter.name}`)),
        ...textsOf(each.requestBody?.content["application/json"]?.schema, each.operationId),
      ]);
    expect(found.length).toBeGreaterThan(50);
    return found;
  };

  function textsOf(given: unknown, path: string): { path: string; text: Schema }[] {
    if (!isSchemas(given)) {
      return [];
    }
    const { properties, items, propertyNames, additionalProperties, ...own } = resolve(
      given,
      reader.document.components.schemas,
    );
    const isText = propertyNames === undefined && typesOf(own).includes("string") && !("enum" in own);
    return [
      ...(isText ? [{ path, text: own }] : []),
      ...Object.entries(isSchemas(properties) ? properties : {}).flatMap(([name, member]) =>
        textsOf(member, `${path}.${name}`),
      ),
      ...(isSchemas(propertyNames) ? [{ path: `${path} names`, text: propertyNames }] : []),
      ...[items, additionalProperties].flatMap((held) => textsOf(held, `${path} held`)),
    ];
  }

  /** A text of an item that is too long is the problem of that item, and of no other. */
  const isOfItem = (path: string) => path.startsWith("batchLookup.numbers held.");

  /** Such as `^[A-Z]{2}$`. */
  const isOfOneLength = (pattern: unknown) => typeof pattern === "string" && /^\^\[[^\]]+\]\{\d+\}\$$/.test(pattern);

  test("have a maxLength, or a pattern of one length, except timestamps and those of a batch's items", () => {
    const unbounded = texts().filter(
      ({ path, text }) =>
        text.maxLength === undefined && text.format !== "date-time" && !isOfOneLength(text.pattern) && !isOfItem(path),
    );
    expect(unbounded.map(({ path }) => path)).toEqual([]);
  });

  test("exclude U+0000, which PostgreSQL cannot store", () => {
    const open = texts().filter(({ text }) =>
      ["\0", "a\0b"].some((nul) => reader.problems(lengthless(text), nul).length === 0),
    );
    expect(open.map(({ path }) => path)).toEqual([]);
  });

  test("have patterns that ECMA-262 with the flag u, RE2 and Python read alike", () => {
    const patterns = texts().flatMap(({ text }) => (typeof text.pattern === "string" ? [text.pattern] : []));
    for (const pattern of new Set(patterns)) {
      expect(() => new RegExp(pattern, "u")).not.toThrow();
      expect(pattern).toMatch(/^\^.*\$$/);
      // No look-around, no references, and no class whose members are a matter of the language.
      expect(pattern).not.toMatch(/\(\?|\\[1-9bBdDkpPsSuwW]/);
    }
  });
});

/** A schema that minds content only. */
function lengthless({ minLength, maxLength, ...others }: Schema): Schema {
  return others;
}

describe("examples", () => {
  test("of bodies and parameters match their schemas", () => {
    for (const { operation: each } of reader.operations()) {
      const bodies = [
        each.requestBody,
        ...Object.keys(each.responses).map((status) => reader.response(each, Number(status))),
      ];
      for (const { schema: bodySchema, example, examples = {} } of bodies.flatMap((body) =>
        Object.values(body?.content ?? {}),
      )) {
        const all = [...(example === undefined ? [] : [example]), ...Object.values(examples).map(({ value }) => value)];
        expect(all.length, each.operationId).toBeGreaterThan(0);
        for (const value of all) {
          expect(reader.problems(bodySchema, value), `${each.operationId}: ${JSON.stringify(value)}`).toEqual([]);
        }
      }
      for (const { name, schema: parameterSchema, example } of reader.parameters(each)) {
        const problems = example === undefined ? [] : reader.problems(parameterSchema, example);
        expect(problems, `${each.operationId} ${name}`).toEqual([]);
      }
    }
  });

  test("are written by hand: none is a placeholder of its type", () => {
    const fillers: string[] = [];
    const look = (value: unknown, path: string): void => {
      if (value === "string") {
        fillers.push(path);
      } else if (typeof value === "object" && value !== null) {
        Object.entries(value).forEach(([key, member]) => void look(member, `${path}.${key}`));
      }
    };
    for (const { operation: each } of reader.operations()) {
      for (const { name, example } of reader.parameters(each)) {
        look(example, `${each.operationId} ${name}`);
      }
      for (const content of [
        each.requestBody?.content,
        reader.response(each, 200)?.content,
        reader.response(each, 201)?.content,
      ]) {
        look(content?.["application/json"]?.example, each.operationId);
      }
    }
    expect(fillers, "fields without an example in src/capabilities/reference/openapi/field-examples.ts").toEqual([]);
  });

  test("have ids as long as real ones", () => {
    const ids = Object.values(exampleIds).map((id) => id.split("_", 1)[0] ?? "");
    const text = JSON.stringify(reader.document);
    const used = [...text.matchAll(new RegExp(`\\b(${[...new Set(ids)].join("|")})_(\\w+)`, "g"))];
    expect(used.length).toBeGreaterThan(50);
    expect(used.filter(([text, , digits = ""]) => digits.length !== 22 && text !== "key_prefix")).toEqual([]);
    for (const key of [exampleKeys.key, exampleKeys.rotatedKey]) {
      expect(presentedKeyLengths).toContain(key.length);
    }
  });

  test("happen in the order of their times", () => {
    const disorder: unknown[] = [];
    JSON.stringify(reader.document, (_, value) => {
      const { created_at, sent_at, approved_at, expires_at, last_used_at, revoked_at } = Object(value);
      const after = [sent_at, approved_at, expires_at, last_used_at, revoked_at];
      if (typeof created_at === "string" && after.some((time) => typeof time === "string" && time < created_at)) {
        disorder.push(value);
      }
      return value;
    });
    expect(disorder).toEqual([]);
  });

  test("of errors are what the operation answers: its scope, its resource, its fields", () => {
    const exampleOf = (id: string, status: number, code: string) =>
      Object(reader.response(operation(id).operation, status)?.content["application/json"]?.examples?.[code]?.value)
        .error;
    expect(exampleOf("lookupNumber", 403, "insufficient_scope").required_scope).toBe("lookup");
    expect(exampleOf("getVerification", 404, "not_found").message).toContain("verification");
    expect(exampleOf("getApiKey", 404, "not_found").message).toContain("API key");
    expect(exampleOf("createWebhook", 422, "validation_error").fields).toEqual({ url: "is required" });
    expect(exampleOf("listEvents", 422, "validation_error").fields).toHaveProperty("page_size");
    expect(exampleOf("signIn", 401, "invalid_api_key").message).toContain("password");
    for (const { operation: each } of reader.operations()) {
      const refusal =
        Object.keys(each.responses).includes("403") && exampleOf(each.operationId, 403, "insufficient_scope");
      if (refusal) {
        expect(refusal.required_scope, each.operationId).toBe(each["x-required-scope"] ?? "*");
      }
    }
  });

  test("are not given for optional headers and tokens of pages, which tools would send", () => {
    for (const { operation: each } of reader.operations()) {
      for (const { in: place, name, required, example } of reader.parameters(each)) {
        if ((place === "header" && required !== true) || name === "page_token") {
          expect(example, `${each.operationId} ${name}`).toBeUndefined();
        }
      }
    }
  });

  test("are the documented bodies", () => {
    const bodyOf = (id: string) => operation(id).operation.requestBody?.content["application/json"]?.example;
    const answerOf = (id: string, status: number) =>
      reader.response(operation(id).operation, status)?.content["application/json"]?.example;
    expect(bodyOf("startVerification")).toEqual({
      channel: "email",
      recipient: "ada@example.com",
      brand: "Acme",
      code_length: 6,
      ttl_seconds: 300,
    });
    expect(answerOf("startVerification", 201)).toEqual({
      verification_id: exampleIds.verification,
      channel: "email",
      status: "pending",
      expires_at: "2026-06-15T09:42:00Z",
    });
    expect(bodyOf("checkVerification")).toEqual({ verification_id: exampleIds.verification, code: "084213" });
    expect(answerOf("checkVerification", 200)).toEqual({
      verification_id: exampleIds.verification,
      status: "approved",
    });
    expect(answerOf("lookupNumber", 200)).toMatchObject({
      input: "+6591234567",
      number_e164: "+6591234567",
      valid: true,
      possible: true,
      country_code: "SG",
      country: "Singapore",
      national_format: "9123 4567",
      line_type: "mobile",
      source: "offline",
    });
    expect(bodyOf("createApiKey")).toEqual({ name: "prod-backend", scopes: ["verify", "lookup"] });
    expect(answerOf("createApiKey", 201)).toMatchObject({
      id: exampleIds.key,
      name: "prod-backend",
      key_prefix: exampleKeys.prefix,
      scopes: ["verify", "lookup"],
      created_at: "2026-06-15T09:30:00Z",
      key: exampleKeys.key,
    });
    expect(answerOf("listApiKeys", 200)).toMatchObject({
      keys: [
        { id: exampleIds.key, name: "prod-backend", last_used_at: "2026-06-15T11:02:14Z" },
        { id: exampleIds.otherKey, name: "marketing-lookup", scopes: ["lookup"], last_used_at: null },
      ],
    });
    expect(answerOf("revokeApiKey", 200)).toEqual({ id: exampleIds.key, revoked: true });
  });
});
