import { create, createRegistry, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createServiceImplSpec } from "@connectrpc/connect";
import {
  ApiKeyService,
  CreateApiKeyRequestSchema,
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
import { createGateway } from "../src/rest/gateway.ts";
import { JsonReader } from "../src/rest/json-reader.ts";
import { houseJson } from "../src/rest/json-style.ts";
import { parseJson } from "../src/rest/json-text.ts";
import { parseQuery, splitUrl } from "../src/rest/query-string.ts";
import { buildRoutes } from "../src/rest/routes.ts";
import { ViolationCollector } from "../src/rest/violations.ts";

/**
 * What turning REST into messages and back costs without the handlers: from the URL and the bytes of the body to the
 * request message, and from the response message to the bytes of the answer. Next to it `JSON.parse` and
 * `JSON.stringify` of the same bodies, from bytes and to bytes. Last the same work at 2, 4 and 8 times the length.
 */
const services = [VerifyService, ApiKeyService, LookupService].map((service) => createServiceImplSpec(service, {}));
const { routes } = compileEndpoints({
  services,
  interceptors: [],
  json: houseJson,
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
  readonly response: ReturnType<typeof create>;
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

function transcode(method: string, url: string, body: Uint8Array | undefined, { response }: Case): number {
  const { path, query } = splitUrl(url);
  const matched = routes.match(method, path);
  if (matched.kind !== "match") {
    throw new Error(`${method} ${url} has no route`);
  }
  const endpoint: Endpoint = matched.target;
  const violations = new ViolationCollector();
  const json = body && { kind: "json" as const, json: parseJson(utf8.decode(body), violations) };
  endpoint.bind({ variables: matched.variables, query: parseQuery(query), body: json ?? { kind: "empty" } }, violations);
  if (violations.violations().length > 0) {
    throw new Error(JSON.stringify(violations.violations()));
  }
  return endpoint.render(response).bytes.length;
}

function plainJson(body: Uint8Array | undefined, response: unknown): number {
  if (body !== undefined) {
    JSON.parse(utf8.decode(body));
  }
  return Buffer.from(JSON.stringify(response)).length;
}

/** The median of several runs, in microseconds a call; each run takes about a twentieth of a second. */
function microseconds(work: () => unknown): number {
  let calls = 1;
  while (elapsedMs(work, calls) < 25) {
    calls *= 2;
  }
  const runs = Array.from({ length: 9 }, () => (elapsedMs(work, calls) * 1000) / calls).sort((a, b) => a - b);
  return runs[4] ?? Number.NaN;
}

function elapsedMs(work: () => unknown, calls: number): number {
  const start = performance.now();
  for (let call = 0; call < calls; call += 1) {
    work();
  }
  return performance.now() - start;
}

console.log("transcoding, µs a call".padEnd(32), "REST".padStart(8), "JSON".padStart(8), "ratio".padStart(8));
for (const one of cases) {
  const body = one.body && Buffer.from(JSON.stringify(one.body));
  const text = Buffer.from(JSON.parse(JSON.stringify("")));
  const endpoint = routes.match(one.method, splitUrl(one.url).path);
  const answer =
    endpoint.kind === "match" ? JSON.parse(Buffer.from(endpoint.target.render(one.response).bytes).toString()) : text;
  const rest = microseconds(() => transcode(one.method, one.url, body, one));
  const plain = microseconds(() => plainJson(body, answer));
  const cells = [rest.toFixed(2), plain.toFixed(2), (rest / plain).toFixed(2)];
  console.log(one.name.padEnd(32), ...cells.map((cell) => cell.padStart(8)));
}
