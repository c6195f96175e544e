import type { Message } from "@bufbuild/protobuf";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { jsonMediaType, ndjsonMediaType, type ResponseContent } from "./http-response.ts";

/** The responses of a server-streaming call. */
export interface OpenStream {
  readonly messages: AsyncIterable<Message>;
  readonly render: (message: Message) => ResponseContent;
  /** The last line of a stream that fails after its first message. */
  readonly renderError: (error: unknown) => ResponseContent;
  /** Ends the messages when it aborts: the client has disconnected, or the timeout has passed. */
  readonly signal: AbortSignal;
  /** Aborts the signal. Called when nothing more is sent. */
  readonly close: () => void;
}

/**
 * Builds a streaming response: one JSON text on each line, or the bytes of `google.api.HttpBody` messages one after another.
 *
 * The status is sent with the first message, so a stream that fails before it is answered like a unary call. If it fails
 * later, its last line is the body of the error, and a stream of bytes is cut off. The messages end when the client disconnects.
 */
export async function streamResponse(
  request: UniversalServerRequest,
  status: number,
  header: Headers,
  stream: OpenStream,
): Promise<UniversalServerResponse> {
  const iterator = stream.messages[Symbol.asyncIterator]();
  const end = () => void endQuietly(iterator);
  stream.signal.addEventListener("abort", end, { once: true });
  const first = await iterator.next();
  if (stream.signal.aborted) {
    end();
    throw stream.signal.reason;
  }
  const content = first.done === true ? undefined : stream.render(first.value);
  header.set("content-type", content === undefined || content.type === jsonMediaType ? ndjsonMediaType : content.type);
  return request.method === "HEAD" ? { status, header } : { status, header, body: send(iterator, content, stream) };
}

async function* send(
  iterator: AsyncIterator<Message>,
  first: ResponseContent | undefined,
  stream: OpenStream,
): AsyncIterable<Uint8Array> {
  try {
    for (let content = first; content !== undefined; content = await nextContent(iterator, stream)) {
      yield content.type === jsonMediaType ? Buffer.concat([content.bytes, newline]) : content.bytes;
    }
  } catch (error) {
    if (first?.type !== jsonMediaType) {
      throw error;
    }
    yield Buffer.concat([stream.renderError(error).bytes, newline]);
  } finally {
    stream.close();
  }
}

const newline = Buffer.from("\n");

async function nextContent(iterator: AsyncIterator<Message>, stream: OpenStream): Promise<ResponseContent | undefined> {
  const next = await iterator.next();
  if (next.done !== true) {
    return stream.render(next.value);
  }
  // If the signal ended the messages, the stream is not complete.
  stream.signal.throwIfAborted();
  return undefined;
}

/** Ends the messages; an error of that has no reader any more. */
async function endQuietly(iterator: AsyncIterator<Message>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {}
}
