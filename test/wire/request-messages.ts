/** Messages for every RPC there is, out of the descriptors, and the ways to send them as the bytes that they are. */
import { readdir } from "node:fs/promises";
import { type ClientHttp2Session, connect } from "node:http2";
import { join } from "node:path";
import {
  create,
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  getOption,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { isListWrapper } from "@byond/rest/json/json-style";
import { routesOf } from "@byond/rest/route";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { access, Credential } from "../../gen/byond/v1/access_pb.ts";
import { ErrorInfoSchema } from "../../gen/byond/v1/error_pb.ts";

const generated = join(import.meta.dirname, "../../gen/byond/v1");

/** The RPCs of all services in the schema. */
export async function allMethods(): Promise<DescMethod[]> {
  const modules: Record<string, unknown>[] = await Promise.all(
    (await readdir(generated)).map((file) => import(join(generated, file))),
  );
  return modules.flatMap((module) => Object.values(module).filter(isService)).flatMap(({ methods }) => methods);
}

function isService(value: unknown): value is DescService {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "service";
}

/** A message within a request, and its path as errors name it. Empty for the request itself. */
export interface Place {
  readonly desc: DescMessage;
  readonly path: string;
}

export const pathOf = (place: Place, name: string) => (place.path === "" ? name : `${place.path}.${name}`);

/** A request with all its messages, however deep, each of which `fill` gets to see. */
export function fullMessage(desc: DescMessage, fill: (message: Message, place: Place) => void, path = ""): Message {
  const inner = messageFields(desc).map((field) => {
    const one = fullMessage(field.message, fill, innerPath(path, field));
    return [field.localName, field.fieldKind === "list" ? [one] : one];
  });
  const message = create(desc, Object.fromEntries(inner));
  fill(message, { desc, path });
  return message;
}

/** The same in JSON, by the names of `json_name`; messages that are no JSON object are left out. */
export function fullJson(desc: DescMessage, fill: (json: Record<string, unknown>, place: Place) => void, path = "") {
  const json: Record<string, unknown> = {};
  for (const field of messageFields(desc)) {
    if (!hasCustomJsonRepresentation(field.message)) {
      const one = fullJson(field.message, fill, innerPath(path, field));
      json[field.jsonName] = field.fieldKind === "list" ? [one] : one;
    }
  }
  fill(json, { desc, path });
  return json;
}

function messageFields(desc: DescMessage) {
  return desc.fields.flatMap((field) => {
    if (field.message === undefined) {
      return [];
    }
    if (field.fieldKind === "map" || field.oneof !== undefined) {
      throw new TypeError(`${field.toString()}: teach this test about maps and oneofs of messages`);
    }
    return [field];
  });
}

/** The path of a message in a field, and of the only one in a list. */
function innerPath(path: string, field: DescField): string {
  const name = field.fieldKind === "list" ? `${field.name}[0]` : field.name;
  return path === "" ? name : `${path}.${name}`;
}

/** What a call came to: `ok` or the error's code, and what was said of fields. */
export interface Outcome {
  readonly code: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface Credentials {
  readonly key: string;
  readonly session: string;
}

function headersFor(method: DescMethod, { key, session }: Credentials): Record<string, string> {
  switch (getOption(method, access).credential) {
    case Credential.NONE:
      return {};
    case Credential.API_KEY:
      return { "x-api-key": key };
    default:
      return { authorization: `Bearer ${session}` };
  }
}

/** A server, as a client that has credentials for everything. */
export interface Client {
  readonly url: string;
  readonly credentials: Credentials;
}

/** A protocol that carries messages as bytes of one of the two formats. */
export interface MessageProtocol {
  readonly name: string;
  readonly send: (client: Client, method: DescMethod, bytes: Uint8Array) => Promise<Outcome>;
}

export const binaryProtocols: readonly MessageProtocol[] = [
  { name: "gRPC", send: framed("application/grpc") },
  { name: "gRPC-Web", send: framed("application/grpc-web+proto") },
  { name: "Connect in binary", send: unframed("application/proto") },
];

export const jsonProtocols: readonly MessageProtocol[] = [
  { name: "Connect in JSON", send: unframed("application/json") },
  { name: "Connect in JSON, in capitals", send: unframed("Application/JSON") },
  { name: "gRPC in JSON", send: framed("application/grpc+json") },
  { name: "gRPC-Web in JSON", send: framed("application/grpc-web+json") },
];

export const binaryOf = (method: DescMethod, message: Message) => toBinary(method.input, message);
export const jsonOf = (json: unknown) => Buffer.from(JSON.stringify(json));

function unframed(type: string): MessageProtocol["send"] {
  return async ({ url, credentials }, method, bytes) => {
    const answer = await fetch(`${url}/${method.parent.typeName}/${method.name}`, {
      method: "POST",
      headers: { "content-type": type, ...headersFor(method, credentials) },
      body: Buffer.from(bytes),
    });
    return connectOutcome(answer);
  };
}

/** Connect's way of reading by GET. */
export async function sendByGet({ url, credentials }: Client, method: DescMethod, json: unknown): Promise<Outcome> {
  const query = new URLSearchParams({ connect: "v1", encoding: "json", message: JSON.stringify(json) });
  const headers = headersFor(method, credentials);
  return connectOutcome(await fetch(`${url}/${method.parent.typeName}/${method.name}?${query}`, { headers }));
}

async function connectOutcome(answer: Response): Promise<Outcome> {
  if (answer.ok) {
    return { code: "ok", fields: {} };
  }
  const { details } = JSON.parse(await answer.text());
  return fromBinary(ErrorInfoSchema, Buffer.from(details[0].value, "base64"));
}

function framed(type: string): MessageProtocol["send"] {
  return async ({ url, credentials }, method, bytes) => {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(bytes.length, 1);
    return exchange(connectionTo(url), Buffer.concat([head, bytes]), {
      ":method": "POST",
      ":path": `/${method.parent.typeName}/${method.name}`,
      "content-type": type,
      te: "trailers",
      ...headersFor(method, credentials),
    });
  };
}

const connections = new Map<string, ClientHttp2Session>();

/** One connection for all calls to a server, which closes it when it stops. */
function connectionTo(url: string): ClientHttp2Session {
  const known = connections.get(url);
  if (known !== undefined && !known.closed && !known.destroyed) {
    return known;
  }
  const connection = connect(url);
  connections.set(url, connection);
  return connection;
}

function exchange(connection: ClientHttp2Session, body: Buffer, headers: Record<string, string>): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const trailer = new Headers();
    const chunks: Buffer[] = [];
    const note = (fields: object) => {
      for (const [name, value] of Object.entries(fields)) {
        if (!name.startsWith(":")) {
          trailer.set(name, String(value));
        }
      }
    };
    const stream = connection.request(headers);
    stream.on("response", note);
    stream.on("trailers", note);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("end", () => {
      note(webTrailers(Buffer.concat(chunks)));
      const error = findTrailerError(trailer);
      const [info] = error?.findDetails(ErrorInfoSchema) ?? [];
      if (error !== undefined && info === undefined) {
        reject(error);
      }
      resolve(info ?? { code: "ok", fields: {} });
    });
    stream.end(body);
  });
}

/** gRPC-Web sends its trailers as the last frame of the body. */
function webTrailers(body: Buffer): Record<string, string> {
  for (let at = 0; at + 5 <= body.length; at += 5 + body.readUInt32BE(at + 1)) {
    if ((body[at] ?? 0) & 0x80) {
      const lines = body
        .subarray(at + 5)
        .toString()
        .split("\r\n");
      return Object.fromEntries(
        lines.filter(Boolean).map((line) => [line.split(":", 1).join(), line.replace(/^[^:]*: ?/, "")]),
      );
    }
  }
  return {};
}

/** Sends the JSON of a request's fields to the route of its RPC over REST: in the body as far as it takes them, else as parameters. */
export async function sendByRest(
  { url, credentials }: Client,
  method: DescMethod,
  json: Readonly<Record<string, unknown>>,
): Promise<Outcome> {
  const [route] = routesOf(method, "refuse", []);
  if (route === undefined) {
    throw new TypeError(`${method.name} has no route`);
  }
  const { body } = route;
  const enums = method.input.fields.filter(({ enum: type, name }) => type !== undefined && name in json);
  const inPath = enums.map(({ name }) => name).filter((name) => route.template.includes(`{${name}}`));
  const path = route.template.replaceAll(/\{([^}]*)\}/g, (_, name) =>
    inPath.includes(name) ? encodeURIComponent(String(json[name])) : "x",
  );
  const inBody = body.kind === "message" ? json : body.kind === "field" ? json[body.field.name] : undefined;
  const bodyName = body.kind === "field" ? body.field.name : undefined;
  const parameters =
    body.kind === "message" ? [] : Object.entries(json).filter(([name]) => name !== bodyName && !inPath.includes(name));
  const query = new URLSearchParams(Object.fromEntries(parameters.map(([name, value]) => [name, String(value)])));
  const answer = await fetch(`${url}${path}?${query}`, {
    method: route.httpMethod,
    headers: {
      ...headersFor(method, credentials),
      ...(body.kind === "none" ? {} : { "content-type": "application/json" }),
    },
    ...(inBody === undefined ? {} : { body: JSON.stringify(inBody) }),
  });
  const { error } = JSON.parse(await answer.text());
  return error === undefined ? { code: "ok", fields: {} } : { code: error.code, fields: error.fields ?? {} };
}

/** Fields by the names that they have over REST: what is the whole body is no step of a path. */
export function restNamesOf<T>(method: DescMethod, fields: Readonly<Record<string, T>>): Record<string, T> {
  const [route] = routesOf(method, "refuse", []);
  const prefix = route?.body.kind === "field" ? `${route.body.field.name}.` : "";
  return Object.fromEntries(
    Object.entries(fields).map(([path, of]) => [path.startsWith(prefix) ? path.slice(prefix.length) : path, of]),
  );
}

/** The JSON that REST takes of a request with all its messages: by proto names, lists in place of what only wraps them. */
export function fullRestJson(
  desc: DescMessage,
  fill: (json: Record<string, unknown>, place: Place) => void,
  path = "",
) {
  const json: Record<string, unknown> = {};
  for (const field of messageFields(desc)) {
    if (!hasCustomJsonRepresentation(field.message) && !isListWrapper(field.message)) {
      const one = fullRestJson(field.message, fill, innerPath(path, field));
      json[field.name] = field.fieldKind === "list" ? [one] : one;
    }
  }
  fill(json, { desc, path });
  return json;
}

/** A field that holds an enum value, or a list of them. */
export type EnumField = DescField & ({ fieldKind: "enum" } | { fieldKind: "list"; listKind: "enum" });

/** The fields of a message that are enums, or lists of them. */
export function enumFields(desc: DescMessage): EnumField[] {
  return desc.fields.flatMap((field) => {
    if (field.fieldKind === "enum" || (field.fieldKind === "list" && field.listKind === "enum")) {
      return [field];
    }
    if (field.enum !== undefined) {
      throw new TypeError(`${field.toString()}: teach this test about maps of enums`);
    }
    return [];
  });
}
