import { beforeAll, describe, expect, test } from "vitest";
import { type RestAnswer, type RestCall, useTestApp } from "../../support/app.ts";
import { freePrices } from "../balance/balance-fixture.ts";
import { DocumentReader, type Operation, type PlacedOperation } from "./openapi-document.ts";
import { createWorld, operationCalls, type World } from "./operation-calls.ts";

const app = useTestApp({ allowsFixedCodes: true, prices: freePrices });
let world: World;
let reader: DocumentReader;
beforeAll(async () => {
  world = await createWorld(app);
  reader = new DocumentReader(JSON.parse(await (await fetch(`${app.url}/openapi.json`)).text()));
});

/** Expects an answer that matches the document of the operation: status, media type, schema. */
function expectDocumented(operation: Operation, answer: RestAnswer, expected: number): void {
  const about = `${operation.operationId} ${expected}: ${JSON.stringify(answer.body)}`;
  expect(answer.status, about).toBe(expected);
  const response = reader.response(operation, expected);
  expect(response, `${about} is not documented`).toBeDefined();
  const [mediaType, content] = Object.entries(response?.content ?? {})[0] ?? [];
  expect(answer.headers.get("content-type"), about).toBe(mediaType);
  expect(content === undefined ? [] : reader.problems(content.schema, answer.body), about).toEqual([]);
  if (expected >= 400) {
    expect(Object.keys(content?.examples ?? {}), about).toContain(answer.body.error.code);
  }
  expect(answer.headers.get("x-request-id"), about).toMatch(/^req_/);
}

test("every operation has a call here", () => {
  const ids = reader.operations().map(({ operation }) => operation.operationId);
  const missing = ids.filter((id) => operationCalls[id] === undefined);
  expect(missing, "operations without a call in test/capabilities/reference/operation-calls.ts").toEqual([]);
  expect(Object.keys(operationCalls).filter((id) => !ids.includes(id))).toEqual([]);
});

test("every operation answers as documented", async () => {
  for (const { operation } of reader.operations()) {
    const calls = operationCalls[operation.operationId] ?? [];
    expect(calls.length, operation.operationId).toBeGreaterThan(0);
    for (const call of calls) {
      const [answer, expected] = await call(world);
      expectDocumented(operation, answer, expected);
    }
  }
});

/** A credential that opens the operation. */
function credentialFor({ "x-credentials": credentials }: Operation): RestCall {
  return credentials.includes("session")
    ? { session: world.session }
    : credentials.includes("key")
      ? { key: fullKey }
      : {};
}

function samplePath({ path, operation }: PlacedOperation): string {
  const parameters = reader.parameters(operation);
  return path.replace(/\{([^}]+)\}/g, (_, name) => String(parameters.find((each) => each.name === name)?.example));
}

/** Refusals before the operation is carried out, and the calls that provoke them. */
const refusals: readonly {
  readonly name: string;
  readonly status: number;
  readonly applies: (operation: Operation) => boolean;
  readonly provoke: (operation: Operation) => RestCall;
  readonly query?: string;
}[] = [
  {
    name: "no credential",
    status: 401,
    applies: ({ security }) => security.length > 0,
    provoke: () => ({}),
  },
  {
    name: "a key without the scope",
    status: 403,
    applies: (operation) => operation["x-required-scope"] !== undefined,
    provoke: () => ({ key: narrowKey }),
  },
  {
    name: "an unknown query parameter",
    status: 422,
    applies: () => true,
    provoke: (operation) => ({
      ...credentialFor(operation),
      ...(operation.requestBody === undefined ? {} : { body: {} }),
    }),
    query: "?nonsense=1",
  },
  {
    name: "Accept without JSON",
    status: 406,
    applies: () => true,
    provoke: (operation) => ({ ...credentialFor(operation), headers: { Accept: "image/png" } }),
  },
  {
    name: "a body that is no object",
    status: 400,
    applies: ({ requestBody }) => requestBody !== undefined,
    provoke: (operation) => ({ ...credentialFor(operation), body: [] }),
  },
  {
    name: "a body that is not JSON",
    status: 415,
    applies: ({ requestBody }) => requestBody !== undefined,
    provoke: (operation) => ({ ...credentialFor(operation), body: {}, headers: { "Content-Type": "text/plain" } }),
  },
  {
    name: "a body that is too large",
    status: 413,
    applies: ({ requestBody }) => requestBody !== undefined,
    // More than any operation takes: a batch of numbers may have 256 KiB.
    provoke: (operation) => ({ ...credentialFor(operation), body: { filler: "x".repeat(270_000) } }),
  },
];

let narrowKey: string;
/** May make every call that takes a key. */
let fullKey: string;

describe("refusals that operations share are documented for each of them", () => {
  beforeAll(async () => {
    // No operation takes a key with this scope alone but those that take any.
    const scopes = ["lookup"];
    const { body } = await app.rest("POST", "/api-keys", { session: world.session, body: { name: "narrow", scopes } });
    narrowKey = body.key;
    const full = { name: "full", mode: "test", scopes: ["*"] };
    fullKey = (await app.rest("POST", "/api-keys", { session: world.session, body: full })).body.key;
  });

  test.each(refusals)("$name: $status", async ({ status, applies, provoke, query = "" }) => {
    for (const place of reader.operations()) {
      const needsOther = status !== 403 || place.operation["x-required-scope"] !== "lookup";
      if (applies(place.operation) && needsOther) {
        const answer = await app.rest(place.method, samplePath(place) + query, provoke(place.operation));
        expectDocumented(place.operation, answer, status);
      }
    }
  });
});
