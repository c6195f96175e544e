import type { Message } from "@bufbuild/protobuf";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { ResponseContent } from "./http-response.ts";
import { MessageReader, type Turn } from "./message-reader.ts";
import type { StreamFormat } from "./stream-format.ts";
import type { StreamOpening } from "./stream-opening.ts";

/** The responses of a server-streaming call. */
export interface OpenStream {
  readonly messages: AsyncIterable<Message>;
  /** How the messages are written. Undefined: each is bytes of its own media type (`google.api.HttpBody`). */
  readonly format: StreamFormat | undefined;
  /** What there is to show of a message. Undefined: nothing. */
  readonly render: (message: Message) => ResponseContent | undefined;
  /** The body of the error of a stream that fails after it was opened. */
  readonly renderError: (error: unknown) => ResponseContent;
  readonly opening: StreamOpening;
  /** After which time without a message a heartbeat is sent. */
  readonly heartbeatMs: number;
  /** Ends the messages when it aborts: the client has disconnected, or the timeout has passed. */
  readonly signal: AbortSignal;
  /** Aborts the signal. Called when nothing more is sent. */
  readonly close: () => void;
}

/**
 * Builds a streaming response: messages in the stream's format, or the bytes of `google.api.HttpBody` messages one after another.
 *
 * The status is sent when the stream is open: when the handler says so (`openStream`), with the first message, or when the first
 * heartbeat is due. A stream that fails before is answered like a unary call. If it fails later, the body of the error is the last
 * that is sent, and a stream of bytes is cut off. The next message is asked for when the one before was taken: a client that does not
 * read pauses the handler. The messages end when the client disconnects.
 */
export async function streamResponse(
  request: UniversalServerRequest,
  status: number,
  header: Headers,
  stream: OpenStream,
): Promise<UniversalServerResponse> {
  const { format, opening } = stream;
  const reader = new MessageReader(stream.messages, stream.signal);
  // A stream of bytes has the type of its first message.
  if (format !== undefined) {
    opening.onOpen(() => reader.stopWaiting());
  }
  const turn = await reader.next(format === undefined ? undefined : stream.heartbeatMs);
  if (turn.kind === "failed") {
    throw turn.error;
  }
  if (format === undefined) {
    const first = turn.kind === "message" ? stream.render(turn.message) : undefined;
    header.set("content-type", first?.type ?? "application/octet-stream");
    return request.method === "HEAD" ? { status, header } : { status, header, body: sendBytes(reader, first, stream) };
  }
  // A message that cannot be written is answered as an error, too.
  const first =
    turn.kind === "message" ? write(turn.message, format, stream) : turn.kind === "idle" ? format.opening : undefined;
  header.set("content-type", format.mediaType);
  keepUnbuffered(header);
  return request.method === "HEAD"
    ? { status, header }
    : { status, header, body: send(reader, first, { ...stream, format }) };
}

/** Caches and proxies must pass on every message at once: nginx would collect them, others compress them. */
function keepUnbuffered(header: Headers): void {
  if (!header.has("cache-control")) {
    header.set("cache-control", "private, no-cache, no-transform");
  }
  header.set("x-accel-buffering", "no");
  header.append("vary", "accept");
}

async function* send(
  reader: MessageReader,
  first: Uint8Array | undefined,
  stream: OpenStream & { readonly format: StreamFormat },
): AsyncIterable<Uint8Array> {
  const { format, heartbeatMs } = stream;
  try {
    for (let chunk = first; chunk !== undefined; chunk = chunkOf(await reader.next(heartbeatMs), stream)) {
      yield chunk;
    }
  } catch (error) {
    yield format.error(stream.renderError(error).bytes);
  } finally {
    stream.close();
  }
}

/** What is sent next. Undefined: nothing more. */
function chunkOf(turn: Turn, stream: OpenStream & { readonly format: StreamFormat }): Uint8Array | undefined {
  switch (turn.kind) {
    case "message":
      return write(turn.message, stream.format, stream);
    case "idle":
      return stream.format.heartbeat;
    case "end":
      return undefined;
    case "failed":
      throw turn.error;
  }
}

function write(message: Message, format: StreamFormat, { render }: OpenStream): Uint8Array {
  return format.message(message, render(message)?.bytes);
}

async function* sendBytes(
  reader: MessageReader,
  first: ResponseContent | undefined,
  stream: OpenStream,
): AsyncIterable<Uint8Array> {
  try {
    for (let content = first; content !== undefined; ) {
      yield content.bytes;
      const turn = await reader.next();
      if (turn.kind === "failed") {
        throw turn.error;
      }
      content = turn.kind === "message" ? stream.render(turn.message) : undefined;
    }
  } finally {
    stream.close();
  }
}
