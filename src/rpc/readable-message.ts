import { fromBinary, fromJsonString } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import { AppError } from "../errors.ts";
import { rawBodyKey } from "./access/raw-body.ts";
import { maxMessageBytes } from "./message-size.ts";

/** The encodings of messages that are known here. */
export const compressions: readonly Compression[] = [compressionGzip, compressionBrotli];

/** A message as it was sent over one of Connect's protocols. */
interface EncodedMessage {
  readonly bytes: Uint8Array;
  readonly isJson: boolean;
}

/**
 * Reads the message of a unary call over gRPC, gRPC-Web or Connect before Connect does: that would refuse it past our
 * errors, in words that repeat what was sent. Throws `invalid_request` if it cannot be read, `payload_too_large` if it is too
 * large. What is wrong with its framing is left to Connect, and what comes over REST to the gateway.
 */
export async function requireReadableMessage(context: HandlerContext): Promise<void> {
  if (context.method.methodKind !== "unary" || context.protocolName === "rest") {
    return;
  }
  const message = await readMessage(context);
  if (message === undefined) {
    return;
  }
  const { input } = context.method;
  try {
    if (message.isJson) {
      fromJsonString(input, new TextDecoder().decode(message.bytes), { ignoreUnknownFields: true });
    } else {
      fromBinary(input, message.bytes);
    }
  } catch (error) {
    const where = message.isJson ? describePlace(error) : "";
    throw new AppError("invalid_request", `The message cannot be read as ${input.typeName}${where}.`);
  }
}

async function readMessage(context: HandlerContext): Promise<EncodedMessage | undefined> {
  if (context.requestMethod === "GET") {
    return readQuery(new URL(context.url).searchParams);
  }
  const { requestHeader: header, protocolName, values } = context;
  const body = await values.get(rawBodyKey)?.read(maxMessageBytes);
  const isJson = /^application\/([\w-]+\+)?json\b/.test(header.get("content-type") ?? "");
  if (body === undefined) {
    return undefined;
  }
  if (protocolName === "connect") {
    return decompress({ bytes: body, isJson }, header.get("content-encoding"));
  }
  // One byte of flags, four of length (gRPC over HTTP/2, "Length-Prefixed-Message").
  const prefixBytes = 5;
  if (body.length < prefixBytes || body.length !== prefixBytes + Buffer.from(body).readUInt32BE(1)) {
    return undefined;
  }
  const isCompressed = body[0] === 1;
  const encoding = isCompressed ? header.get("grpc-encoding") : null;
  return decompress({ bytes: body.subarray(prefixBytes), isJson }, encoding);
}

/** Connect's calls by GET. */
async function readQuery(query: URLSearchParams): Promise<EncodedMessage | undefined> {
  const text = query.get("message") ?? "";
  const isJson = query.get("encoding") === "json";
  const bytes = query.get("base64") === "1" ? tryBase64(text) : new TextEncoder().encode(text);
  return bytes === undefined ? undefined : decompress({ bytes, isJson }, query.get("compression"));
}

function tryBase64(text: string): Uint8Array | undefined {
  try {
    return base64Decode(text);
  } catch {
    return undefined;
  }
}

/** Undefined for an encoding that is not known here. Throws `invalid_request` for what is not in it. */
async function decompress(message: EncodedMessage, encoding: string | null): Promise<EncodedMessage | undefined> {
  if (encoding === null || encoding === "identity" || message.bytes.length === 0) {
    return message;
  }
  const compression = compressions.find(({ name }) => name === encoding);
  if (compression === undefined) {
    return undefined;
  }
  try {
    return { ...message, bytes: await compression.decompress(message.bytes, maxMessageBytes) };
  } catch (error) {
    // What becomes too large has Connect's error already.
    if (error instanceof ConnectError && error.code === Code.ResourceExhausted) {
      throw error;
    }
    throw new AppError("invalid_request", `The message is not compressed as it says: ${encoding}.`, { cause: error });
  }
}

/** The field that could not be read, as far as the library tells; never what it held. */
function describePlace(error: unknown): string {
  const [, field] = /^cannot decode field ([\w.]+) from JSON/.exec(error instanceof Error ? error.message : "") ?? [];
  return field === undefined ? "" : `: field ${field}`;
}
