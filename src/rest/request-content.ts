import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { decompressBrotli, decompressGzip, parseContentCodings } from "./compression.ts";
import { GatewayError } from "./gateway-error.ts";

/** The accepted content codings, one at a time. */
const knownCodings = [
  { name: "gzip", decode: decompressGzip },
  { name: "br", decode: decompressBrotli },
] as const;

type Coding = (typeof knownCodings)[number];

/** A body that can be read as a whole: that takes less than its chunks one by one. */
export interface WholeBody extends AsyncIterable<Uint8Array> {
  /** All of it, or undefined if it is longer than `maxBytes`. Does not end the stream behind it. */
  readWhole(maxBytes: number): Promise<Uint8Array | undefined>;
}

/** The content of a request: its bytes, or JSON that a framework in front of the gateway parsed. */
export type RequestContent =
  | { readonly kind: "empty" }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "parsed"; readonly json: unknown };

/**
 * Reads the content of a request, and decompresses it where `Content-Encoding` is `gzip` or `br`. It takes no more than
 * `maxBytes`, before and after decompression.
 *
 * Throws `payload-too-large`, `unsupported-media-type` (another encoding, or several; with `Accept-Encoding`, as RFC 7694 has it)
 * or `malformed-body` (broken compression).
 */
export async function readRequestContent(request: UniversalServerRequest, maxBytes: number): Promise<RequestContent> {
  if (!isByteStream(request.body)) {
    return { kind: "parsed", json: request.body };
  }
  const coding = requireKnownCoding(request.header);
  if (Number(request.header.get("content-length") ?? 0) > maxBytes) {
    throw tooLarge(maxBytes);
  }
  const received = await readAll(request.body, maxBytes);
  if (received.length === 0) {
    return { kind: "empty" };
  }
  const bytes = coding === undefined ? received : await decompress(received, coding, maxBytes);
  return bytes.length === 0 ? { kind: "empty" } : { kind: "bytes", bytes };
}

/** An empty JSON object. Some clients send it with every request that has no body. */
const emptyObject = /^\ufeff?[ \t\r\n]*\{[ \t\r\n]*\}[ \t\r\n]*$/;

/** Whether a request may have content: nothing has to be read to know that most have none. */
export function mayHaveContent(request: UniversalServerRequest): boolean {
  return (
    isByteStream(request.body) && (Number(request.header.get("content-length") ?? 0) !== 0 || mayHaveMore(request))
  );
}

/** Throws `malformed-body` if a request has content although its route takes none. An empty object counts as none. */
export async function rejectContent(request: UniversalServerRequest, maxBytes: number): Promise<void> {
  const content = await readRequestContent(request, maxBytes).catch((error: unknown) => {
    throw error instanceof GatewayError ? takesNoBody() : error;
  });
  if (content.kind === "bytes" && !emptyObject.test(Buffer.from(content.bytes).toString())) {
    throw takesNoBody();
  }
}

function takesNoBody(): GatewayError {
  return new GatewayError("malformed-body", "This request takes no body.");
}

/** Whether there may be content that no `Content-Length` tells of. Over HTTP/2 that is any, and unusual for `GET` and `HEAD`. */
function mayHaveMore({ header, httpVersion, method }: UniversalServerRequest): boolean {
  const mayHaveLengthless = httpVersion.startsWith("2") && method !== "GET" && method !== "HEAD";
  return header.has("transfer-encoding") || (mayHaveLengthless && !header.has("content-length"));
}

function isByteStream(body: UniversalServerRequest["body"]): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

function isWhole(body: AsyncIterable<Uint8Array>): body is WholeBody {
  return "readWhole" in body;
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError("payload-too-large", `The request body must not be larger than ${maxBytes} bytes.`);
}

/**
 * Reads with `next` alone: leaving a `for await` loop early would destroy the stream, and with it the connection that
 * the refusal has to be sent on.
 */
async function readAll(stream: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  if (isWhole(stream)) {
    const bytes = await stream.readWhole(maxBytes);
    if (bytes === undefined) {
      throw tooLarge(maxBytes);
    }
    return bytes;
  }
  const iterator = stream[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let result = await iterator.next(); result.done !== true; result = await iterator.next()) {
    length += result.value.length;
    if (length > maxBytes) {
      throw tooLarge(maxBytes);
    }
    chunks.push(result.value);
  }
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}

/** The coding of the content; undefined if it has none. */
function requireKnownCoding(header: Headers): Coding | undefined {
  const names = parseContentCodings(header.get("content-encoding") ?? "");
  const [coding] = names.map((name) => knownCodings.find((known) => known.name === name));
  if (names.length > 1 || (names.length === 1 && coding === undefined)) {
    const taken = knownCodings.map(({ name }) => name);
    throw new GatewayError("unsupported-media-type", `The Content-Encoding must be ${taken.join(" or ")}, or none.`, {
      headers: { "accept-encoding": taken.join(", ") },
    });
  }
  return coding;
}

async function decompress(bytes: Uint8Array, { name, decode }: Coding, maxBytes: number): Promise<Uint8Array> {
  try {
    return await decode(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw tooLarge(maxBytes);
    }
    throw new GatewayError("malformed-body", `The request body is not compressed as it says: ${name}.`, { cause });
  }
}
