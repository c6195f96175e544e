import { request } from "node:http";
import { connect } from "node:http2";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { durationProblem } from "@byond/rest/json/duration";
import { isListWrapper } from "@byond/rest/json/json-style";
import pg from "pg";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ApiKeyService, CreateApiKeyRequestSchema, UpdateApiKeyRequestSchema } from "../../gen/byond/v1/api_key_pb.ts";
import { VerifyService } from "../../gen/byond/v1/verify_pb.ts";
import { hasSideEffects } from "../../src/idempotency/idempotency-interceptor.ts";
import { freePrices } from "../capabilities/balance/balance-fixture.ts";
import { useTestApp } from "../support/app.ts";
import {
  allMethods,
  binaryOf,
  binaryProtocols,
  type Client,
  type EnumField,
  enumFields,
  fullJson,
  fullMessage,
  fullRestJson,
  jsonOf,
  jsonProtocols,
  type Place,
  pathOf,
  restNamesOf,
  sendByGet,
  sendByRest,
} from "./request-messages.ts";

/** What a request holds that the server cannot do anything with is refused, by name, before anything happens. */

const app = useTestApp({ prices: freePrices });
let client: Client;
async function newClient(): Promise<Client> {
  const { session } = await app.signUp();
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "data plane", scopes: ["*"] } });
  return { url: app.url, credentials: { key: body.key, session } };
}
beforeAll(async () => {
  client = await newClient();
});
/** For tests that look at what the client has. */
function eachWithNewClient(): void {
  beforeEach(async () => {
    client = await newClient();
  });
}

/** Single calls. Requests of streams are read by Connect's handlers: test/capabilities/events/event-streams.test.ts. */
const methods = (await allMethods())
  .filter(({ methodKind }) => methodKind === "unary")
  .map((method) => ({ rpc: method.name, method }));
const effects = methods.filter(({ method }) => hasSideEffects(method));
const reads = methods.filter(({ method }) => !hasSideEffects(method));
const isUnknown = expect.stringMatching(/^is not a known field/);
const knownOfKeys = `is not a known field; known are: ${CreateApiKeyRequestSchema.fields.map(({ name }) => name).join(", ")}`;

/** A field of a number that no message has, true. */
const unknownField = { no: 5000, wireType: 0, data: new Uint8Array([1]) };

test("the schema has RPCs with and without side effects", () => {
  expect(effects.length).toBeGreaterThan(15);
  expect(reads.length).toBeGreaterThan(5);
});

describe("an unknown field, in the request and in every message that it holds", () => {
  describe.each(binaryProtocols)("$name", ({ send }) => {
    const request = ({ method }: (typeof methods)[number]) => {
      const refused: Record<string, unknown> = {};
      const message = fullMessage(method.input, (part, place) => {
        part.$unknown = [unknownField];
        refused[pathOf(place, "field 5000")] = isUnknown;
      });
      return { bytes: binaryOf(method, message), refused };
    };

    test.each(effects)("is refused by $rpc, which has side effects", async (row) => {
      const { bytes, refused } = request(row);
      const { code, fields } = await send(client, row.method, bytes);
      expect(code).toBe("validation_error");
      expect(fields).toMatchObject(refused);
    });

    test.each(reads)("is ignored by $rpc, which reads", async (row) => {
      const { fields } = await send(client, row.method, request(row).bytes);
      expect(JSON.stringify(fields)).not.toContain("5000");
    });
  });

  const unknownMember =
    (refused: Record<string, unknown>) => (json: Record<string, unknown>, place: { path: string }) => {
      json.bogus = true;
      refused[place.path === "" ? "bogus" : `${place.path}.bogus`] = isUnknown;
    };

  describe.each(jsonProtocols)("$name", ({ send }) => {
    test.each(methods)("is refused by $rpc", async ({ method }) => {
      const refused = {};
      const json = fullJson(method.input, unknownMember(refused));
      const { code, fields } = await send(client, method, jsonOf(json));
      expect(code).toBe("validation_error");
      expect(fields).toMatchObject(refused);
    });
  });

  test.each(reads)("is refused by $rpc over Connect by GET", async ({ method }) => {
    const refused = {};
    const json = fullJson(method.input, unknownMember(refused));
    expect(await sendByGet(client, method, json)).toMatchObject({ code: "validation_error", fields: refused });
  });

  test.each(methods)("is refused by $rpc over REST", async ({ method }) => {
    const refused = {};
    const json = fullRestJson(method.input, unknownMember(refused));
    expect(await sendByRest(client, method, json)).toMatchObject({
      code: "validation_error",
      fields: restNamesOf(method, refused),
    });
  });
});

test("over REST, calls without a body accept an empty object", async () => {
  const { session, key } = (await newClient()).credentials;
  const calls: readonly (readonly [string, string, Readonly<Record<string, string>>, number])[] = [
    ["POST", "/auth/verify-email", { session }, 201],
    ["GET", "/auth/me", { session }, 200],
    ["POST", "/auth/logout-all", { key }, 200],
  ];
  for (const [method, path, credentials, expected] of calls) {
    const headers = { "Content-Type": "application/json", "Content-Length": "2" };
    const answer = await requestWithBody(
      `${app.url}/api/v1${path}`,
      method,
      { ...headers, ...headersOf(credentials) },
      "{}",
    );
    expect([path, answer]).toEqual([path, expected]);
  }
});

test("a byte order mark before JSON is ignored, on every protocol with JSON", async () => {
  const { listApiKeys } = ApiKeyService.method;
  for (const { send } of jsonProtocols) {
    expect(await send(client, listApiKeys, Buffer.from("\ufeff{}"))).toMatchObject({ code: "ok" });
  }
  const { key } = client.credentials;
  const body = '\ufeff{"channel":"email","recipient":"ada@example.com"}';
  const headers = { "Content-Type": "application/json", "Content-Length": String(Buffer.byteLength(body)) };
  const url = `${app.url}/api/v1/verify/start`;
  expect(await requestWithBody(url, "POST", { ...headers, ...headersOf({ key }) }, body)).toBe(201);
});

const headersOf = ({ key, session }: { readonly key?: string; readonly session?: string }) => ({
  ...(key === undefined ? {} : { "X-API-Key": key }),
  ...(session === undefined ? {} : { Authorization: `Bearer ${session}` }),
});

/** Unlike `fetch`, sends a body with `GET` too. */
function requestWithBody(url: string, method: string, headers: Record<string, string>, body: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

test("calls without a body refuse one over HTTP/2 too", async () => {
  const { session } = client.credentials;
  const connection = connect(app.url);
  const status = await new Promise((resolve, reject) => {
    const stream = connection.request({
      ":method": "POST",
      ":path": "/api/v1/auth/logout-all",
      authorization: `Bearer ${session}`,
    });
    stream.on("response", (headers) => resolve(headers[":status"]));
    stream.on("error", reject);
    stream.resume();
    stream.end('{"only":"this one"}');
  }).finally(() => connection.close());
  expect(status).toBe(400);
  expect((await app.rest("GET", "/auth/me", { session })).status).toBe(200);
});

const withEnums = methods.filter(({ method }) => {
  let count = 0;
  fullMessage(method.input, (_, { desc }) => {
    count += enumFields(desc).length;
  });
  return count > 0;
});

/** Where a problem of the value is, or of the first one of a list. */
function pathOfValue(place: Place, field: EnumField): string {
  return field.fieldKind === "list" ? `${pathOf(place, field.name)}[0]` : pathOf(place, field.name);
}

/** The same in a message that was read: one that only wraps a list has the list's name. */
function pathOfReadValue(place: Place, field: EnumField): string {
  return isListWrapper(place.desc) ? `${place.path}[0]` : pathOfValue(place, field);
}

describe("an unknown enum value, in every enum field", () => {
  const noValue =
    (refused: Record<string, unknown>) => (json: Record<string, unknown>, place: Parameters<typeof pathOf>[0]) => {
      for (const field of enumFields(place.desc)) {
        json[field.name] = field.fieldKind === "list" ? ["bogus"] : "bogus";
        refused[pathOfValue(place, field)] = expect.stringMatching(/^must be one of: /);
      }
    };

  describe.each(binaryProtocols)("$name", ({ send }) => {
    test.each(withEnums)("is refused by $rpc as a number", async ({ method }) => {
      const refused: Record<string, unknown> = {};
      const message = fullMessage(method.input, (part, place) => {
        for (const field of enumFields(place.desc)) {
          Object.assign(part, { [field.localName]: field.fieldKind === "list" ? [4242] : 4242 });
          refused[pathOfReadValue(place, field)] = expect.stringMatching(/^must be one of: /);
        }
      });
      expect(await send(client, method, binaryOf(method, message))).toMatchObject({
        code: "validation_error",
        fields: refused,
      });
    });
  });

  describe.each(jsonProtocols)("$name", ({ send }) => {
    test.each(withEnums)("is refused by $rpc as a word", async ({ method }) => {
      const refused = {};
      const json = fullJson(method.input, noValue(refused));
      expect(await send(client, method, jsonOf(json))).toMatchObject({ code: "validation_error", fields: refused });
    });
  });

  // Lists of them are in messages that REST writes as the list.
  const overRest = withEnums.filter(({ method }) => {
    let count = 0;
    fullRestJson(method.input, (_, { desc }) => {
      count += enumFields(desc).length;
    });
    return count > 0;
  });

  test.each(overRest)("is refused by $rpc over REST", async ({ method }) => {
    const refused = {};
    const json = fullRestJson(method.input, noValue(refused));
    expect(await sendByRest(client, method, json)).toMatchObject({
      code: "validation_error",
      fields: restNamesOf(method, refused),
    });
  });
});

const impossibleTimes: Readonly<Record<string, MessageInitShape<typeof TimestampSchema>>> = {
  "the year 10000": { seconds: 253402300800n },
  "the year 0": { seconds: -62135596801n },
  "the end of 64 bits": { seconds: 2n ** 63n - 1n },
  "the beginning of 64 bits": { seconds: -(2n ** 63n) },
  "a second of nanoseconds": { seconds: 4102444800n, nanos: 1_000_000_000 },
  "nanoseconds before zero": { seconds: 4102444800n, nanos: -1 },
};

const withTimes = methods.filter(({ method }) => {
  let count = 0;
  fullMessage(method.input, (_, { desc }) => {
    count += desc.typeName === TimestampSchema.typeName ? 1 : 0;
  });
  return count > 0;
});

describe("a time that JSON cannot represent, in every timestamp field", () => {
  const rows = withTimes.flatMap((row) =>
    Object.entries(impossibleTimes).map(([time, timestamp]) => ({ ...row, time, timestamp })),
  );
  describe.each(binaryProtocols)("$name", ({ send }) => {
    test.each(rows)("is refused by $rpc: $time", async ({ method, timestamp }) => {
      const refused: Record<string, unknown> = {};
      const message = fullMessage(method.input, (part, { desc, path }) => {
        if (desc.typeName === TimestampSchema.typeName) {
          Object.assign(part, timestamp);
          refused[path] = expect.stringMatching(/^must (be between 0001-01-01T00:00:00Z|have 0 to 999999999 nano)/);
        }
      });
      expect(await send(client, method, binaryOf(method, message))).toMatchObject({
        code: "validation_error",
        fields: refused,
      });
    });
  });
});

test("a duration that JSON cannot represent is refused for its range, its nanoseconds or mixed signs", () => {
  const problems = (init: MessageInitShape<typeof DurationSchema>) => {
    const { seconds, nanos } = create(DurationSchema, init);
    return durationProblem(seconds, nanos);
  };
  expect(problems({ seconds: 315_576_000_001n })).toMatch(/^must be between/);
  expect(problems({ seconds: -315_576_000_001n })).toMatch(/^must be between/);
  expect(problems({ seconds: 0n, nanos: -1_000_000_000 })).toMatch(/nanoseconds$/);
  expect(problems({ seconds: 1n, nanos: -1 })).toMatch(/same sign$/);
  expect(problems({ seconds: -1n, nanos: 1 })).toMatch(/same sign$/);
  expect(problems({ seconds: -1n, nanos: -1 })).toBeUndefined();
});

describe("a misspelled restriction creates no key without the restriction", () => {
  eachWithNewClient();
  const { createApiKey } = ApiKeyService.method;
  const scopesOfKeys = async () => {
    const { status, body } = await app.rest("GET", "/api-keys", { session: client.credentials.session });
    expect(status).toBe(200);
    return body.keys.map(({ name }: { readonly name: string }) => name);
  };

  test.each([
    [{ name: "x", scope: ["verify"] }, { scope: isUnknown }],
    [{ name: "x", mode: "test" }, { mode: "must be one of: MODE_LIVE, MODE_TEST" }],
    [{ name: "x", mode: "MODE_TETS" }, { mode: "must be one of: MODE_LIVE, MODE_TEST" }],
    [
      { name: "x", ipAllowlist: { ranges: ["10.0.0.0/8"], range: ["10.0.0.0/8"] } },
      { "ip_allowlist.range": isUnknown },
    ],
    [{ name: "x", requestsPerMinute: 1, requests_per_minute: 1000 }, { requests_per_minute: "must be given once" }],
    [
      { nmae: "x", scope: ["verify"], mode: "test", ipAllowlist: { range: [] } },
      {
        nmae: knownOfKeys,
        scope: "is not a known field",
        mode: "must be one of: MODE_LIVE, MODE_TEST",
        "ip_allowlist.range": "is not a known field; known are: ranges",
        name: "is required",
      },
    ],
  ])("over Connect in JSON: %j", async (json, fields) => {
    for (const { send } of jsonProtocols) {
      expect(await send(client, createApiKey, jsonOf(json))).toMatchObject({ code: "validation_error", fields });
    }
    expect(await scopesOfKeys()).toEqual(["data plane"]);
  });

  test("over Connect: a restriction in the query of a POST", async () => {
    const response = await fetch(`${app.url}/byond.v1.ApiKeyService/CreateApiKey?scopes=verify`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${client.credentials.session}` },
      body: JSON.stringify({ name: "in the query" }),
    });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("validation_error");
    expect(await scopesOfKeys()).toEqual(["data plane"]);
  });

  test("over binary protocols: a field of a newer schema, at any depth", async () => {
    const request = create(CreateApiKeyRequestSchema, {
      name: "x",
      scopes: { scopes: ["verify"] },
    });
    Object.assign(request, { $unknown: [{ ...unknownField, no: 17 }] });
    Object.assign(request.scopes ?? {}, { $unknown: [unknownField] });
    for (const { send } of binaryProtocols) {
      const { code, fields } = await send(client, createApiKey, binaryOf(createApiKey, request));
      expect(code).toBe("validation_error");
      expect(fields).toEqual({
        "field 17": knownOfKeys,
        "scopes.field 5000": "is not a known field; known are: scopes",
      });
    }
    expect(await scopesOfKeys()).toEqual(["data plane"]);
  });

  test("a mask that names nothing does not leave a key unrestricted", async () => {
    const { session } = client.credentials;
    const { body: key } = await app.rest("POST", "/api-keys", { session, body: { name: "open" } });
    const request = create(UpdateApiKeyRequestSchema, {
      id: key.id,
      apiKey: { scopes: { scopes: ["verify"] } },
      updateMask: { paths: [] },
    });
    const { updateApiKey } = ApiKeyService.method;
    for (const { send } of binaryProtocols) {
      expect(await send(client, updateApiKey, binaryOf(updateApiKey, request))).toMatchObject({
        code: "validation_error",
        fields: { update_mask: "must name what is to change, or be left out" },
      });
    }
    const answer = await app.rest("PATCH", `/api-keys/${key.id}?update_mask=`, {
      session,
      body: { scopes: ["verify"] },
    });
    expect(answer.status).toBe(422);
  });
});

test("a misspelled filter does not list everything", async () => {
  const { listVerifications } = VerifyService.method;
  const filters = [
    { status: "locked" },
    { state: "VERIFICATION_STATUS_LOCKED" },
    { status: "VERIFICATION_STATUS_LOKED" },
  ];
  for (const filter of filters) {
    for (const { send } of jsonProtocols) {
      expect(await send(client, listVerifications, jsonOf(filter))).toMatchObject({ code: "validation_error" });
    }
    expect(await sendByGet(client, listVerifications, filter)).toMatchObject({ code: "validation_error" });
  }
  const right = {
    status: "VERIFICATION_STATUS_LOCKED",
    channel: 4,
    created_after: "2026-01-01T00:00:00Z",
    pageSize: 5,
  };
  expect(await sendByGet(client, listVerifications, right)).toEqual({ code: "ok", fields: {} });
});

describe("a time that no answer can represent creates nothing", () => {
  eachWithNewClient();
  const names = async () => {
    const { status, body } = await app.rest("GET", "/api-keys", { session: client.credentials.session });
    return { status, keys: body.keys?.map(({ name, expires_at }: Record<string, unknown>) => [name, expires_at]) };
  };

  test.each(Object.entries(impossibleTimes))("no key that expires at %s", async (_name, expiresAt) => {
    const { createApiKey } = ApiKeyService.method;
    const request = create(CreateApiKeyRequestSchema, { name: "x", expiresAt });
    for (const { send } of binaryProtocols) {
      const { code } = await send(client, createApiKey, binaryOf(createApiKey, request));
      expect(code).toBe("validation_error");
    }
    expect(await names()).toEqual({ status: 200, keys: [["data plane", null]] });
  });

  test("an update of a key with such a time changes nothing", async () => {
    const { updateApiKey } = ApiKeyService.method;
    const { session } = client.credentials;
    const { body: key } = await app.rest("POST", "/api-keys", { session, body: { name: "mine" } });
    for (const expiresAt of Object.values(impossibleTimes)) {
      const request = create(UpdateApiKeyRequestSchema, { id: key.id, apiKey: { expiresAt } });
      for (const { send } of binaryProtocols) {
        const { code, fields } = await send(client, updateApiKey, binaryOf(updateApiKey, request));
        expect([code, Object.keys(fields)]).toEqual(["validation_error", ["api_key.expires_at"]]);
      }
    }
    const rotated = await app.rest("POST", `/api-keys/${key.id}/rotate`, { session, body: {} });
    expect(rotated).toMatchObject({ status: 200, body: { key: expect.stringMatching(/^pk_live_/), expires_at: null } });
  });

  test("the last second of the year 9999 is accepted", async () => {
    const { createApiKey } = ApiKeyService.method;
    const request = create(CreateApiKeyRequestSchema, {
      name: "late",
      expiresAt: { seconds: 253402300799n, nanos: 999_999_999 },
    });
    for (const { send } of binaryProtocols) {
      expect(await send(client, createApiKey, binaryOf(createApiKey, request))).toMatchObject({ code: "ok" });
    }
    const body = { name: "late", expires_at: "9999-12-31T23:59:59.999999999Z" };
    const { session } = client.credentials;
    expect(await app.rest("POST", "/api-keys", { session, body })).toMatchObject({ status: 201 });
    const late = ["late", "9999-12-31T23:59:59Z"];
    expect(await names()).toEqual({ status: 200, keys: [late, late, late, late, ["data plane", null]] });
  });
});

test.each([
  ["/api-keys", "key_"],
  ["/verifications", "vrf_"],
  ["/events", "evt_"],
])("a page token of %s that was forged to an impossible time is refused as the client's", async (path, prefix) => {
  const { key, session } = client.credentials;
  const credential = path === "/api-keys" ? { session } : { key };
  for (const time of ["999999999999999", "253402300800000", "8640000000000001", "-1", "1e3", ""]) {
    for (const id of [`${prefix}${"0".repeat(22)}`, `${prefix}x`, `usr_${"0".repeat(22)}`]) {
      const token = Buffer.from(`${time} ${id}`).toString("base64url");
      const { status, body } = await app.rest("GET", `${path}?page_size=1&page_token=${token}`, credential);
      expect([time, id, status, body.error.fields]).toEqual([
        time,
        id,
        422,
        { page_token: "must be the next_page_token of the page before" },
      ]);
    }
  }
  const last = Buffer.from(`253402300799999 ${prefix}${"0".repeat(22)}`).toString("base64url");
  expect((await app.rest("GET", `${path}?page_size=1&page_token=${last}`, credential)).status).toBe(200);
});

describe("gRPC's own services accept unknown fields, for standard clients", () => {
  test.each([
    ["application/json", Buffer.from('{"service":"","later":true}')],
    ["application/proto", Buffer.from([0x98, 0x75, 0x01])],
  ])("health, with an unknown field: %s", async (type, body) => {
    const answer = await fetch(`${app.url}/grpc.health.v1.Health/Check`, {
      method: "POST",
      headers: { "content-type": type },
      body,
    });
    expect(answer.status).toBe(200);
  });
});

test("the database refuses a key with a time that no answer can represent, whoever writes it", async () => {
  const database = new pg.Client({ connectionString: app.databaseUrl });
  await database.connect();
  try {
    for (const time of ["10000-01-01 00:00:00+00", "infinity", "-infinity", "0001-12-31 00:00:00+00 BC"]) {
      await expect(database.query("UPDATE api_key SET expires_at = $1::timestamptz", [time])).rejects.toThrow(
        /violates check constraint/,
      );
    }
  } finally {
    await database.end();
  }
});
