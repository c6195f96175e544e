import { createRegistry, type DescMethod, fromBinary, fromJsonString, type Message } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { hasViolations, ViolationCollector } from "@byond/rest/field-violations";
import { GatewayError } from "@byond/rest/gateway-error";
import { JsonReader } from "@byond/rest/json/json-reader";
import { protoJson } from "@byond/rest/json/json-style";
import { parseJson } from "@byond/rest/json/parse-json";
import { isMembers } from "@byond/rest/json/value-type";
import { percentDecode } from "@byond/rest/percent-encoding";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { compressedFlag } from "@connectrpc/connect/protocol";
import { AppError } from "../errors.ts";
import { rawBodyKey } from "../server/raw-body.ts";
import { compressions, encodingOf } from "./encoding.ts";
import { maxMessageBytes } from "./message-size.ts";
import type { CheckRequest } from "./validation.ts";
import { unknownCompression, violationsError } from "./wire-errors.ts";

/** A message as it was sent over one of Connect's protocols. */
interface EncodedMessage {
  readonly bytes: Uint8Array;
  readonly isJson: boolean;
}

/** RFC 8259 §8.1: JSON is UTF-8. By default a decoder puts U+FFFD where it is not. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** How the JSON of gRPC's own services is read: as Connect does by default, but for text that is not UTF-8. */
export const lenientJson = { textDecoder: utf8, ignoreUnknownFields: true } as const;

/** How JSON is read over Connect, gRPC and gRPC-Web. By default Connect drops what the schema does not have. */
export const strictJson = { ...lenientJson, ignoreUnknownFields: false } as const;

/**
 * Reads the message of a unary call over gRPC, gRPC-Web or Connect before Connect does: that would refuse it past our
 * errors, in words that repeat what was sent. Throws `invalid_request` if it cannot be read, `validation_error` if that is
 * because of fields of its JSON, `payload_too_large` if it is too large. Without `checkRequest`, JSON is read leniently.
 */
export async function requireReadableMessage(context: HandlerContext, checkRequest?: CheckRequest): Promise<void> {
  if (context.method.methodKind !== "unary") {
    return;
  }
  if (checkRequest !== undefined) {
    requireKnownParameters(context);
  }
  const message = await readMessage(context);
  if (message?.isJson === true) {
    requireReadableJson(context, decodeText(context, message.bytes), checkRequest);
  } else if (message !== undefined) {
    try {
      fromBinary(context.method.input, message.bytes);
    } catch {
      throw unreadable(context.method);
    }
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

/** What Connect reads as this reads it is what passes: without fields and words of enums that the schema does not have. */
function requireReadableJson(context: HandlerContext, text: string, checkRequest: CheckRequest | undefined): void {
  const { method } = context;
  try {
    fromJsonString(method.input, text, checkRequest === undefined ? lenientJson : strictJson);
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

async function readMessage(context: HandlerContext): Promise<EncodedMessage | undefined> {
  if (context.requestMethod === "GET") {
    return readQuery(context);
  }
  const { requestHeader: header, protocolName, values } = context;
  const body = await values.get(rawBodyKey)?.read(maxMessageBytes);
  const isJson = /^application\/([\w-]+\+)?json\b/i.test(header.get("content-type") ?? "");
  if (body === undefined) {
    return undefined;
  }
  if (protocolName === "connect") {
    return decompress({ bytes: body, isJson }, encodingOf(context));
  }
  const { flags, bytes } = onlyFrame(body);
  const isCompressed = (flags & compressedFlag) !== 0;
  const encoding = isCompressed ? encodingOf(context) : undefined;
  if (isCompressed && encoding === undefined) {
    throw unknownCompression("The message");
  }
  return decompress({ bytes, isJson }, encoding);
}

/** One byte of flags, four of length (gRPC over HTTP/2, "Length-Prefixed-Message"). */
const framePrefixBytes = 5;

/**
 * The one frame that a unary call over gRPC or gRPC-Web has. That there are more, or none, is "unimplemented" (gRPC, "Status codes
 * and their use").
 */
function onlyFrame(body: Uint8Array): { readonly flags: number; readonly bytes: Uint8Array } {
  if (body.length === 0) {
    throw new AppError("invalid_request", "The call has no message.", { rpcCode: Code.Unimplemented });
  }
  const [flags = 0] = body;
  const length = body.length < framePrefixBytes ? undefined : Buffer.from(body.buffer, body.byteOffset).readUInt32BE(1);
  if (length !== undefined && length > maxMessageBytes) {
    throw tooLarge();
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

function tooLarge(cause?: unknown): AppError {
  return new AppError("payload_too_large", `The message must not be larger than ${maxMessageBytes} bytes.`, { cause });
}

/** Connect's calls by GET. Throws `invalid_request` where Connect would repair the query or fail on it. */
function readQuery(context: HandlerContext): Promise<EncodedMessage | undefined> {
  const { method, url } = context;
  const { search, searchParams: query } = new URL(url);
  if (percentDecode(search) === undefined) {
    throw new AppError("invalid_request", "The query of the request is not percent-encoded UTF-8.");
  }
  const text = query.get("message") ?? "";
  const isJson = query.get("encoding") === "json";
  const bytes = query.get("base64") === "1" ? decodeBase64(method, text) : new TextEncoder().encode(text);
  return decompress({ bytes, isJson }, encodingOf(context));
}

function decodeBase64(method: DescMethod, text: string): Uint8Array {
  try {
    return base64Decode(text);
  } catch (cause) {
    throw unreadable(method, ": it is not base64", { cause });
  }
}

/** Undefined for an encoding that is not known here. Throws `invalid_request` for what is not in it. */
async function decompress(message: EncodedMessage, encoding: string | undefined): Promise<EncodedMessage | undefined> {
  if (encoding === undefined || message.bytes.length === 0) {
    return message;
  }
  const compression = compressions.find(({ name }) => name === encoding);
  if (compression === undefined) {
    return undefined;
  }
  try {
    return { ...message, bytes: await compression.decompress(message.bytes, maxMessageBytes) };
  } catch (error) {
    if (error instanceof ConnectError && error.code === Code.ResourceExhausted) {
      throw tooLarge(error);
    }
    throw new AppError("invalid_request", `The message is not compressed as it says: ${encoding}.`, { cause: error });
  }
}

/** The field that could not be read, as far as the library tells; never what it held. */
function describePlace(error: unknown): string {
  const [, field] = /^cannot decode field ([\w.]+) from JSON/.exec(error instanceof Error ? error.message : "") ?? [];
  return field === undefined ? "" : `: field ${field}`;
}
