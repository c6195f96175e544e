import type { Message } from "@bufbuild/protobuf";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { jsonMediaType, ndjsonMediaType, type ResponseContent } from "./http-response.ts";

/** A stream of answers that has begun. */
export interface OpenStream {
  readonly messages: AsyncIterable<Message>;
  readonly render: (message: Message) => ResponseContent;
  /** What the last line says if the stream fails after it has begun. */
  readonly renderError: (error: unknown) => ResponseContent;
  /** Ends the messages when it aborts: the client has gone away, or the time is over. */
  readonly signal: AbortSignal;
  /** Aborts the signal. Called when nothing more is sent. */
  readonly close: () => void;
}

/**
 * Answers with a stream: JSON texts on a line each, or the bytes of `google.api.HttpBody` messages one after another.
 *
 * The status is sent with the first message, so that a stream which fails before it is answered like any other call. If
 * it fails later, its last line is the body of the error; a stream of bytes breaks off. A client that goes away ends
 * the messages.
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
  // Messages that were ended by the signal are not complete.
  stream.signal.throwIfAborted();
  return undefined;
}

/** Messages that fail to end have nobody left to tell. */
async function endQuietly(iterator: AsyncIterator<Message>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {}
}
