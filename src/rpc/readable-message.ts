import {
  createRegistry,
  type DescMethod,
  fromBinary,
  fromJsonString,
  type Message,
  type Registry,
} from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { hasViolations, ViolationCollector } from "@byond/rest/field-violations";
import { GatewayError } from "@byond/rest/gateway-error";
import { JsonReader } from "@byond/rest/json/json-reader";
import { protoJson } from "@byond/rest/json/json-style";
import { parseJson } from "@byond/rest/json/parse-json";
import { isMembers } from "@byond/rest/json/value-type";
import { percentDecode } from "@byond/rest/percent-encoding";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { AppError } from "../errors.ts";
import { type RawBody, rawBodyKey } from "../server/raw-body.ts";
import { compressedFlag } from "./connect-protocols.ts";
import { compressions, encodingOf } from "./encoding.ts";
import { maxRequestBytes } from "./message-size.ts";
import type { CheckRequest } from "./validation.ts";
import { unknownCompression, violationsError } from "./wire-errors.ts";

/** RFC 8259 §8.1: JSON is UTF-8. By default a decoder puts U+FFFD where it is not. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** How the JSON of gRPC's own services is read: as Connect does by default, but for text that is not UTF-8. */
export const lenientJson = { textDecoder: utf8, ignoreUnknownFields: true } as const;

/** How JSON is read over Connect, gRPC and gRPC-Web. By default Connect drops what the schema does not have. */
export const strictJson = { ...lenientJson, ignoreUnknownFields: false } as const;

/** How a call is to be read. */
export interface Reading {
  readonly isJson: boolean;
  /** How JSON is read. */
  readonly json: JsonOptions;
  /** Undefined: messages are read leniently, as standard clients of gRPC's own services expect. */
  readonly checkRequest: CheckRequest | undefined;
}

/** `strictJson` or `lenientJson`, and the types that a `google.protobuf.Any` may hold. */
export type JsonOptions = (typeof strictJson | typeof lenientJson) & { readonly registry?: Registry };

/**
 * Reads the message of a unary call over gRPC, gRPC-Web or Connect. Connect's own handlers would refuse it past our errors, in words
 * that repeat what was sent. Throws `invalid_request` if it cannot be read, `validation_error` if that is because of fields of its
 * JSON, `payload_too_large` if it is too large.
 */
export async function readMessage(context: HandlerContext, reading: Reading): Promise<Message> {
  if (reading.checkRequest !== undefined) {
    requireKnownParameters(context);
  }
  const bytes = await (context.requestMethod === "GET" ? readQuery(context) : readBody(context));
  if (reading.isJson) {
    return readJson(context, decodeText(context, bytes), reading);
  }
  try {
    return fromBinary(context.method.input, bytes);
  } catch {
    throw unreadable(context.method);
  }
}

/** Of a call by GET (Connect, "Unary-Get-Request"). */
const queryParameters = ["connect", "encoding", "message", "base64", "compression"];

/** Only calls by GET have parameters, and each of them once: others would vanish, as an unknown field would. */
function requireKnownParameters({ requestMethod, url }: HandlerContext): void {
  if (url.includes("?")) {
    const violations = new ViolationCollector();
    const names = [...new URL(url).searchParams.keys()];
    for (const name of new Set(names)) {
      if (requestMethod !== "GET" || !queryParameters.includes(name)) {
        violations.add("is not a known parameter", name);
      } else if (names.indexOf(name) !== names.lastIndexOf(name)) {
        violations.add("must be given once", name);
      }
    }
    if (hasViolations(violations)) {
      throw violationsError(violations);
    }
  }
}

function decodeText(context: HandlerContext, bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw isInQuery(context)
      ? unreadable(context.method, ": it is not UTF-8", { cause })
      : badBody("is not valid UTF-8", cause);
  }
}

/** Fields and words of enums that the schema does not have are refused, unless JSON is read leniently. */
function readJson(context: HandlerContext, text: string, { json, checkRequest }: Reading): Message {
  const { method } = context;
  try {
    return fromJsonString(method.input, text, json);
  } catch (error) {
    throw (checkRequest && explainJson(context, text, checkRequest)) ?? unreadable(method, describePlace(error));
  }
}

/** Calls by GET have no body to speak of. */
function isInQuery({ requestMethod }: HandlerContext): boolean {
  return requestMethod === "GET";
}

/** In the words of REST. */
function badBody(problem: string, cause?: unknown): AppError {
  return new AppError("invalid_request", `The request body ${problem}.`, { cause });
}

/** ProtoJSON, whose violations name fields as those of other protocols do. */
const explainer = new JsonReader({
  style: protoJson,
  violationNames: "proto",
  ignoresUnknownFields: false,
  registry: createRegistry(),
});

/** Says what REST says of the same JSON: that it is none, or all that is wrong with its fields. `undefined` if it finds nothing. */
function explainJson(context: HandlerContext, text: string, checkRequest: CheckRequest): AppError | undefined {
  const { method } = context;
  const violations = new ViolationCollector();
  let message: Message | undefined;
  try {
    const json = parseJson(text, violations);
    if (!isMembers(json)) {
      return isInQuery(context) ? undefined : badBody("must be a JSON object");
    }
    message = explainer.message(method.input)(json, violations);
  } catch (error) {
    if (error instanceof GatewayError) {
      return isInQuery(context) ? undefined : new AppError("invalid_request", error.message, { cause: error });
    }
    throw error;
  }
  return message === undefined || !hasViolations(violations) ? undefined : checkRequest(method, message, violations);
}

function unreadable({ input }: DescMethod, why = "", details: { readonly cause?: unknown } = {}): AppError {
  return new AppError("invalid_request", `The message cannot be read as ${input.typeName}${why}.`, details);
}

async function readBody(context: HandlerContext): Promise<Uint8Array> {
  const { method } = context;
  const body = await bodyOf(context).read(maxRequestBytes(method));
  if (context.protocolName === "connect") {
    return decompress(method, body, encodingOf(context));
  }
  const { flags, bytes } = onlyFrame(method, body);
  const isCompressed = (flags & compressedFlag) !== 0;
  const encoding = isCompressed ? encodingOf(context) : undefined;
  if (isCompressed && encoding === undefined) {
    throw unknownCompression("The message");
  }
  return decompress(method, bytes, encoding);
}

function bodyOf({ values }: HandlerContext): RawBody {
  const body = values.get(rawBodyKey);
  if (body === undefined) {
    throw new TypeError("the body of the call is not among its values");
  }
  return body;
}

/** One byte of flags, four of length (gRPC over HTTP/2, "Length-Prefixed-Message"). */
const framePrefixBytes = 5;

/**
 * The one frame that a unary call over gRPC or gRPC-Web has. That there are more, or none, is "unimplemented" (gRPC, "Status codes
 * and their use").
 */
function onlyFrame(method: DescMethod, body: Uint8Array): { readonly flags: number; readonly bytes: Uint8Array } {
  if (body.length === 0) {
    throw new AppError("invalid_request", "The call has no message.", { rpcCode: Code.Unimplemented });
  }
  const [flags = 0] = body;
  const length = body.length < framePrefixBytes ? undefined : Buffer.from(body.buffer, body.byteOffset).readUInt32BE(1);
  if (length !== undefined && length > maxRequestBytes(method)) {
    throw tooLarge(method);
  }
  const end = framePrefixBytes + (length ?? 0);
  if (length === undefined || body.length < end) {
    throw new AppError("invalid_request", "The message ends before the length that its frame gives.");
  }
  if (body.length > end) {
    throw new AppError("invalid_request", "The call has more than one message.", { rpcCode: Code.Unimplemented });
  }
  if ((flags & ~compressedFlag) !== 0) {
    throw new AppError("invalid_request", "The frame of the message has flags that are not known.");
  }
  return { flags, bytes: body.subarray(framePrefixBytes) };
}

function tooLarge(method: DescMethod, cause?: unknown): AppError {
  return new AppError("payload_too_large", `The message must not be larger than ${maxRequestBytes(method)} bytes.`, {
    cause,
  });
}

/** Connect's calls by GET. Throws `invalid_request` where Connect would repair the query or fail on it. */
async function readQuery(context: HandlerContext): Promise<Uint8Array> {
  const { method, url } = context;
  const { search, searchParams: query } = new URL(url);
  if (percentDecode(search) === undefined) {
    throw new AppError("invalid_request", "The query of the request is not percent-encoded UTF-8.");
  }
  const text = query.get("message") ?? "";
  const bytes = query.get("base64") === "1" ? decodeBase64(method, text) : new TextEncoder().encode(text);
  return decompress(method, bytes, encodingOf(context));
}

function decodeBase64(method: DescMethod, text: string): Uint8Array {
  try {
    return base64Decode(text);
  } catch (cause) {
    throw unreadable(method, ": it is not base64", { cause });
  }
}

/** Throws `invalid_request` for what is not in the encoding. */
async function decompress(method: DescMethod, bytes: Uint8Array, encoding: string | undefined): Promise<Uint8Array> {
  const compression = compressions.find(({ name }) => name === encoding);
  if (compression === undefined || bytes.length === 0) {
    return bytes;
  }
  try {
    return await compression.decompress(bytes, maxRequestBytes(method));
  } catch (error) {
    if (error instanceof ConnectError && error.code === Code.ResourceExhausted) {
      throw tooLarge(method, error);
    }
    throw new AppError("invalid_request", `The message is not compressed as it says: ${encoding}.`, { cause: error });
  }
}

/** The field that could not be read, as far as the library tells; never what it held. */
function describePlace(error: unknown): string {
  const [, field] = /^cannot decode field ([\w.]+) from JSON/.exec(error instanceof Error ? error.message : "") ?? [];
  return field === undefined ? "" : `: field ${field}`;
}
