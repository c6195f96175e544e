/** Calls any RPC over each protocol with a request that is given as REST's JSON, and returns the bytes of the answer. */
import { type ClientHttp2Session, connect } from "node:http2";
import { create, createRegistry, type DescMethod, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { ViolationCollector } from "@byond/rest/field-violations";
import { JsonReader } from "@byond/rest/json/json-reader";
import { routesOf } from "@byond/rest/route";
import { restStyle } from "../../src/rpc/rest-style.ts";

export type HeaderFields = Readonly<Record<string, string>>;

/** An answer as it came: its status, headers, trailers and body, in one text. */
export interface RawAnswer {
  /** HTTP's, or gRPC's. */
  readonly status: string;
  readonly text: string;
}

export interface RawProtocol {
  readonly name: string;
  call(url: string, method: DescMethod, request: JsonObject, headers: HeaderFields): Promise<RawAnswer>;
}

const reader = new JsonReader({ style: restStyle, ignoresUnknownFields: false, registry: createRegistry() });

function bytesOf(method: DescMethod, request: JsonObject): Uint8Array {
  const violations = new ViolationCollector();
  const message = reader.message(method.input)(request, violations);
  if (violations.listed.length > 0) {
    throw new TypeError(`${method.name}: not a request: ${JSON.stringify(violations.listed)}`);
  }
  return toBinary(method.input, message ?? create(method.input));
}

const pathOf = (method: DescMethod) => `/${method.parent.typeName}/${method.name}`;

/** Headers that differ from one answer to the next, whatever it says. */
const changing = /^(date|x-request-id|x-ratelimit-.*|ratelimit|ratelimit-policy|connection|keep-alive|:status)$/;

/**
 * An answer with the same text for whatever differs by chance only: ids of requests, those inside the base64 of error details too, and
 * the value that was sent.
 */
function rawAnswer(status: string, headers: Iterable<readonly [string, string]>, body: Buffer): RawAnswer {
  const lines = [...headers].filter(([name]) => !changing.test(name)).map(([name, value]) => `${name}: ${value}`);
  const text = `${lines.toSorted().join("\n")}\n\n${body.toString("latin1")}`
    .replace(/(details-bin: ?|"value":")([A-Za-z0-9+/=]+)/g, (_, before: string, value: string) => {
      return before + Buffer.from(value, "base64").toString("latin1");
    })
    .replace(/req_[0-9A-Za-z]{22}/g, "req_");
  return { status, text };
}

async function exchange(url: string, init: RequestInit, isStream: boolean): Promise<RawAnswer> {
  const leave = new AbortController();
  const answer = await fetch(url, { ...init, signal: leave.signal });
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body ?? []) {
    chunks.push(chunk);
    if (isStream && answer.ok) {
      break;
    }
  }
  leave.abort();
  return rawAnswer(String(answer.status), answer.headers, Buffer.concat(chunks));
}

const isStream = (method: DescMethod) => method.methodKind === "server_streaming";

const enveloped = (bytes: Uint8Array) => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
};

function viaRest(accept?: string): RawProtocol["call"] {
  return (url, method, request, headers) => {
    const [route] = routesOf(method, "refuse", []);
    if (route === undefined) {
      throw new TypeError(`${method.name} has no route`);
    }
    const inPath = new Set(route.pathParameters.map(({ fieldPath }) => fieldPath));
    const path = route.template.replaceAll(/\{([^}]*)\}/g, (_, name) => encodeURIComponent(String(request[name])));
    const rest = Object.entries(request).filter(([name]) => !inPath.has(name));
    const bodyName = route.body.kind === "field" ? route.body.field.name : undefined;
    const body = bodyName === undefined ? Object.fromEntries(rest) : request[bodyName];
    const query = new URLSearchParams(
      route.body.kind === "message"
        ? []
        : rest
            .filter(([name]) => name !== bodyName)
            .flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, String(one)])),
    );
    return exchange(
      `${url}${path}?${query}`,
      {
        method: route.httpMethod,
        headers: {
          ...(route.body.kind === "none" ? {} : { "content-type": "application/json" }),
          ...(accept === undefined ? {} : { accept }),
          ...headers,
        },
        ...(route.body.kind === "none" ? {} : { body: JSON.stringify(body ?? {}) }),
      },
      isStream(method),
    );
  };
}

const unenveloped: RawProtocol["call"] = (url, method, request, headers) => {
  const streams = isStream(method);
  const bytes = bytesOf(method, request);
  return exchange(
    url + pathOf(method),
    {
      method: "POST",
      headers: { "content-type": streams ? "application/connect+proto" : "application/proto", ...headers },
      body: Buffer.from(streams ? enveloped(bytes) : bytes),
    },
    streams,
  );
};

const web: RawProtocol["call"] = (url, method, request, headers) =>
  exchange(
    url + pathOf(method),
    {
      method: "POST",
      headers: { "content-type": "application/grpc-web+proto", ...headers },
      body: enveloped(bytesOf(method, request)),
    },
    isStream(method),
  );

const sessions = new Map<string, ClientHttp2Session>();

const grpc: RawProtocol["call"] = (url, method, request, headers) =>
  new Promise((resolve, reject) => {
    const known = sessions.get(url);
    const session = known === undefined || known.closed || known.destroyed ? connect(url) : known;
    sessions.set(url, session);
    const fields: [string, string][] = [];
    const chunks: Buffer[] = [];
    const note = (headers: object) => {
      fields.push(...Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]));
    };
    const stream = session.request({
      ":method": "POST",
      ":path": pathOf(method),
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    const finish = () => {
      const status = fields.find(([name]) => name === "grpc-status")?.[1] ?? "0";
      resolve(rawAnswer(status, fields, Buffer.concat(chunks)));
    };
    stream.on("response", note);
    stream.on("trailers", note);
    stream.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (isStream(method)) {
        stream.close(8);
        finish();
      }
    });
    stream.on("error", reject);
    stream.on("end", finish);
    stream.end(enveloped(bytesOf(method, request)));
  });

export const rest: RawProtocol = { name: "REST", call: viaRest() };

export const rawProtocols: readonly RawProtocol[] = [
  rest,
  { name: "Connect", call: unenveloped },
  { name: "gRPC-Web", call: web },
  { name: "gRPC", call: grpc },
];
