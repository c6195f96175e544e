/** Every member of every request, one after the other, has values that no client sends: none of them is answered with a fault of the server. */
import { readFile } from "node:fs/promises";
import { getOption } from "@bufbuild/protobuf";
import { beforeAll, expect, test } from "vitest";
import { access, Credential } from "../../gen/byond/v1/access_pb.ts";
import { freePrices } from "../capabilities/balance/balance-fixture.ts";
import { DocumentReader } from "../capabilities/reference/openapi-document.ts";
import { type DrawnRequest, OperationRequests } from "../capabilities/reference/request-arbitrary.ts";
import { useTestApp } from "../support/app.ts";
import { limitsOf } from "../support/limit-settings.ts";
import { verifyEmailOf } from "../support/verified-email.ts";
import { allMethods } from "../wire/request-messages.ts";

const app = useTestApp({ allowsFixedCodes: true, prices: freePrices, ...limitsOf({ DEFAULT_TIER: "unlimited" }) });
const reader = new DocumentReader(JSON.parse(await readFile("gen/openapi.json", "utf8")));
const credentials = new Map(
  (await allMethods()).map((method) => [method.localName, getOption(method, access).credential]),
);

let key: string;
let session: string;
beforeAll(async () => {
  const account = await app.signUp();
  await verifyEmailOf(app.databaseUrl, account.workspaceId);
  session = account.session;
  key = (await app.rest("POST", "/api-keys", { session, body: { name: "a key", scopes: ["*"] } })).body.key;
});

const texts = [
  "",
  "a\0b",
  "\ud800",
  "\u202e\u2066x",
  "'; DROP TABLE event; --",
  "__proto__",
  "../../x",
  "\r\nX: y",
  "9".repeat(40),
  "+659123456\uff17",
  "x@xn--a.example",
  "e\u0301".repeat(300),
  "0000-00-00T00:00:00Z",
  "2026-06-15T00:00:60Z",
];
const numbers = [0, -1, 1e308, 2 ** 31, 2 ** 53 + 2];
const others: readonly unknown[] = [true, null, [], {}, [null], [[]], [{ constructor: {} }], "a".repeat(70_000)];

/** The end of all sessions would end that of the test. */
const operations = reader
  .operations()
  .filter(
    ({ operation, path }) =>
      !/^(logoutAll|deleteAccount|changePassword)(_\d)?$/.test(operation.operationId) && !/stream/.test(path),
  )
  .map((place) => ({
    name: place.operation.operationId,
    ...place,
    requests: new OperationRequests(reader, place.operation),
  }));

test("there are operations of every credential", () => {
  expect(new Set(operations.map(({ name }) => credentials.get(name.replace(/_\d$/, ""))))).toEqual(
    new Set([Credential.NONE, Credential.API_KEY, Credential.SESSION, Credential.API_KEY_OR_SESSION]),
  );
});

/** A member with such values, in place of itself and of each member of what it holds. */
function variantsOf(member: unknown, values: readonly unknown[]): unknown[] {
  const inner: unknown = Array.isArray(member) ? member[0] : member;
  const within = Object.keys(typeof inner === "object" && inner !== null ? inner : {}).flatMap((name) =>
    values.map((value) => ({ ...Object(inner), [name]: value })),
  );
  return [...values, ...(Array.isArray(member) ? within.map((one) => [one]) : within)];
}

/** Requests of which one member has such a value. */
function requestsWith({ schemas, example }: OperationRequests): DrawnRequest[] {
  return (["path", "query", "body"] as const).flatMap((part) => {
    const given = example[part] ?? {};
    const values = [...texts, ...numbers, ...(part === "body" ? others : [])];
    return Object.keys(schemas[part]?.properties ?? {}).flatMap((name) =>
      variantsOf(part === "body" ? given[name] : undefined, values).map((value) => ({
        ...example,
        [part]: { ...given, [name]: value },
      })),
    );
  });
}

test.each(operations)("$name", async ({ name, method, path, requests }) => {
  const credential = credentials.get(name.replace(/_\d$/, ""));
  const headers = {
    ...(credential === Credential.NONE
      ? {}
      : credential === Credential.SESSION
        ? { authorization: `Bearer ${session}` }
        : { "x-api-key": key }),
    "content-type": "application/json",
  };
  const faults: unknown[] = [];
  const queue = requestsWith(requests);
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let drawn = queue.shift(); drawn !== undefined; drawn = queue.shift()) {
        const { path: inPath, query, body } = drawn;
        const target = path.replaceAll(/\{([^}]*)\}/g, (_, member) =>
          encodeURIComponent(String(inPath[member]).toWellFormed()),
        );
        const search = new URLSearchParams(Object.entries(query).map(([member, value]) => [member, String(value)]));
        const answer = await fetch(`${app.url}/api/v1${target}?${search}`, {
          method,
          headers,
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        const text = await answer.text();
        // Then the request did not get as far as its members.
        if (answer.status >= 500 || (credential !== Credential.NONE && text.includes("#invalid_api_key"))) {
          faults.push([answer.status, target, drawn, text]);
        }
      }
    }),
  );
  expect(faults).toEqual([]);
});
