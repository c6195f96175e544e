import { create, type Message } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createServiceImplSpec } from "@connectrpc/connect";
import {
  ApiKeyService,
  CreateApiKeyResponseSchema,
  ListApiKeysResponseSchema,
  Mode,
} from "../gen/byond/v1/api_key_pb.ts";
import { LineType, LookupNumberResponseSchema, LookupService, LookupSource } from "../gen/byond/v1/lookup_pb.ts";
import {
  Channel,
  StartVerificationResponse_Status,
  StartVerificationResponseSchema,
  VerifyService,
} from "../gen/byond/v1/verify_pb.ts";
import { compileEndpoints, type Endpoint } from "../src/rest/endpoint.ts";
import { type FieldViolation, ViolationCollector } from "../src/rest/field-violations.ts";
import { restJson } from "../src/rest/json/json-style.ts";
import { parseJson } from "../src/rest/json/parse-json.ts";
import { parseQuery, splitUrl } from "../src/rest/query-string.ts";

/**
 * What turning REST into messages and back costs without the handlers: from the URL and the bytes of the body to the
 * request message, and from the response message to the bytes of the answer. Next to it `JSON.parse` and
 * `JSON.stringify` of the same bodies, from bytes and to bytes; of a query, as if it had been sent as JSON. Last the same
 * work at 2, 4 and 8 times the length.
 */
const services = [VerifyService, ApiKeyService, LookupService].map((service) => createServiceImplSpec(service, {}));
const { routes } = compileEndpoints({
  services,
  interceptors: [],
  json: restJson,
  unmappedMethods: "refuse",
  unknownFields: "refuse",
  registry: undefined,
  successStatus: () => 200,
});

const at = timestampFromMs(Date.parse("2026-06-15T09:42:00Z"));
const key = {
  id: "key_7b2a6e0h8jQx91LmZ4tRc5",
  name: "prod-backend",
  keyPrefix: "pk_live_8fa2b7c91d04",
  scopes: { scopes: ["verify", "lookup"] },
  createdAt: at,
  mode: Mode.LIVE,
};

interface Case {
  readonly name: string;
  readonly method: string;
  readonly url: string;
  readonly body: object | undefined;
  readonly response: Message;
}

const base = "http://localhost:8080/api/v1";
const cases: readonly Case[] = [
  {
    name: "start a verification",
    method: "POST",
    url: `${base}/verify/start`,
    body: { channel: "email", recipient: "ana@example.com", brand: "Acme", code_length: 6, ttl_seconds: 300 },
    response: create(StartVerificationResponseSchema, {
      verificationId: "vrf_3kZ9c1d4f7b21bQx91LmZ4",
      channel: Channel.EMAIL,
      status: StartVerificationResponse_Status.PENDING,
      expiresAt: at,
    }),
  },
  {
    name: "create an API key",
    method: "POST",
    url: `${base}/api-keys`,
    body: { name: "prod-backend", scopes: ["verify", "lookup"], mode: "live" },
    response: create(CreateApiKeyResponseSchema, { ...key, key: `pk_live_8fa2b7c91d04.${"x".repeat(40)}` }),
  },
  {
    name: "look a number up",
    method: "GET",
    url: `${base}/lookup?number=%2B6591234567&country=SG`,
    body: undefined,
    response: create(LookupNumberResponseSchema, {
      input: "+6591234567",
      numberE164: "+6591234567",
      valid: true,
      possible: true,
      countryCode: "SG",
      country: "Singapore",
      nationalFormat: "9123 4567",
      lineType: LineType.MOBILE,
      source: LookupSource.OFFLINE,
      possibleLineTypes: [LineType.MOBILE],
    }),
  },
  {
    name: "list 100 API keys",
    method: "GET",
    url: `${base}/api-keys?page_size=100`,
    body: undefined,
    response: create(ListApiKeysResponseSchema, { keys: Array.from({ length: 100 }, () => key) }),
  },
];

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** How the RPC that a request leads to writes its answers. */
function rendererOf(method: string, url: string): Endpoint["render"] {
  const matched = routes.match(method, splitUrl(url).path);
  if (matched.kind !== "match") {
    throw new Error(`${method} ${url} has no route`);
  }
  return matched.target.render;
}

/** From URL and body to the request message; answers what was wrong with them. */
function bind(method: string, url: string, body: Uint8Array | undefined): readonly FieldViolation[] {
  const { path, query } = splitUrl(url);
  const matched = routes.match(method, path);
  if (matched.kind !== "match") {
    throw new Error(`${method} ${url} has no route`);
  }
  const violations = new ViolationCollector();
  const json = body && parseJson(utf8.decode(body), violations);
  matched.target.bind(
    { variables: matched.variables, query: parseQuery(query), body: body ? { kind: "json", json } : { kind: "empty" } },
    violations,
  );
  return violations.listed;
}

function transcode(
  { method, render, response, url }: Case & Pick<Endpoint, "render">,
  body: Uint8Array | undefined,
): number {
  return bind(method, url, body).length + render(response).bytes.length;
}

function plainJson(body: Uint8Array, response: unknown): number {
  JSON.parse(utf8.decode(body));
  return Buffer.from(JSON.stringify(response)).length;
}

/**
 * Microseconds of CPU time a call of each work takes: the best of several runs of about 20 ms, taken in turns, so that
 * whatever else the machine does disturbs all of them alike, and little.
 */
function microseconds(works: readonly (() => unknown)[]): number[] {
  const entrants = works.map((work) => ({ work, calls: callsIn(work, 20), bestMs: Number.POSITIVE_INFINITY }));
  for (let round = 0; round < 15; round += 1) {
    for (const entrant of entrants) {
      entrant.bestMs = Math.min(entrant.bestMs, elapsedMs(entrant.work, entrant.calls));
    }
  }
  return entrants.map(({ bestMs, calls }) => (bestMs * 1000) / calls);
}

function callsIn(work: () => unknown, ms: number): number {
  let calls = 1;
  while (elapsedMs(work, calls) < ms) {
    calls *= 2;
  }
  return calls;
}

function elapsedMs(work: () => unknown, calls: number): number {
  const before = process.threadCpuUsage();
  for (let call = 0; call < calls; call += 1) {
    work();
  }
  const { system, user } = process.threadCpuUsage(before);
  return (system + user) / 1000;
}

function row(name: string, cells: readonly string[]): void {
  console.log(name.padEnd(36), ...cells.map((cell) => cell.padStart(9)));
}

row("µs a call", ["REST", "JSON", "ratio"]);
for (const declared of cases) {
  const one = { ...declared, render: rendererOf(declared.method, declared.url) };
  const body = one.body && Buffer.from(JSON.stringify(one.body));
  const plainBody = body ?? Buffer.from(JSON.stringify(Object.fromEntries(parseQuery(splitUrl(one.url).query))));
  const answer: unknown = JSON.parse(Buffer.from(one.render(one.response).bytes).toString());
  const [rest = Number.NaN, plain = Number.NaN] = microseconds([
    () => transcode(one, body),
    () => plainJson(plainBody, answer),
  ]);
  row(one.name, [rest.toFixed(2), plain.toFixed(2), (rest / plain).toFixed(2)]);
}

/** Work whose size is given, in the corners where parsers grow faster than their input. */
const growing: readonly [name: string, work: (size: number) => () => unknown][] = [
  ["path: segments", (size) => match("/a".repeat(size))],
  ["path: percent-encoding", (size) => match(`/${"%2F".repeat(size)}`)],
  ["path: colons", (size) => match(`/${":a".repeat(size)}`)],
  ["query: one long value", (size) => query(`country=${"%41+".repeat(size)}`)],
  ["query: unknown parameters", (size) => query(Array.from({ length: size }, (_, index) => `x${index}=1`).join("&"))],
  ["query: one parameter repeated", (size) => query("country=x&".repeat(size))],
  ["query: a name of many steps", (size) => query(`country${".a".repeat(size)}=1`)],
  ["body: one long string", (size) => body(`{"brand":"${"x".repeat(size)}"}`)],
  ["body: escapes", (size) => body(`{"brand":"${'\\\\\\"'.repeat(size)}"}`)],
  ["body: unknown fields", (size) => body(unknownFields(size))],
  ["body: JSON.parse alone of the same", (size) => parseAlone(size)],
  ["body: one field repeated", (size) => body(`{${'"brand":"x",'.repeat(size)}"brand":"y"}`)],
  ["body: a list", (size) => body(`{"brand":[${"1,".repeat(size)}1]}`)],
  ["body: digits", (size) => body(`{"code_length":${"9".repeat(size)}}`)],
];

function unknownFields(count: number): string {
  return `{${Array.from({ length: count }, (_, index) => `"x${index}":1`).join()}}`;
}

/** Objects of thousands of members cost the engine more than their length; nobody else can do better. */
function parseAlone(count: number): () => unknown {
  const text = unknownFields(count);
  return () => JSON.parse(text);
}

function match(path: string): () => unknown {
  return () => routes.match("GET", `/api/v1/api-keys${path}`);
}

function query(text: string): () => unknown {
  return () => bind("GET", `${base}/lookup?${text}`, undefined);
}

function body(text: string): () => unknown {
  const bytes = Buffer.from(text);
  return () => bind("POST", `${base}/verify/start`, bytes);
}

console.log();
row("µs at 1, 2, 4, 8 times the length", ["×1", "×2", "×4", "×8", "growth"]);
for (const [name, work] of growing) {
  const times = microseconds([1, 2, 4, 8].map((factor) => work(1000 * factor)));
  const [first = Number.NaN, , , last = Number.NaN] = times;
  row(name, [...times.map((time) => time.toFixed(1)), `${(last / first).toFixed(1)}×`]);
}
