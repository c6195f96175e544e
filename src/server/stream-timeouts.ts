import { constants, type ServerHttp2Stream } from "node:http2";
import type { Timeouts } from "./timeouts.ts";

/** A stream that is looked at now and then. The links are those of the list of all. */
class OpenStream {
  readonly stream: ServerHttp2Stream;
  /** By `performance.now()`. */
  readonly openedAtMs: number;
  /** Whether the rest of its request need not be waited for any more, or has been given up. */
  isJudged: boolean;
  isWatchedForStalls = false;
  previous: OpenStream | undefined;
  next: OpenStream | undefined;

  constructor(stream: ServerHttp2Stream, openedAtMs: number, previous: OpenStream | undefined) {
    this.stream = stream;
    this.openedAtMs = openedAtMs;
    this.isJudged = stream.endAfterHeaders;
    this.previous = previous;
  }
}

/** How exact the time-outs of streams are, at most. */
const periodMsMax = 1_000;

/**
 * Cancels requests that do not arrive in time, or whose answer the client does not read. One timer looks at all of the open streams: two for each
 * stream cost as much as its headers.
 */
export class StreamTimeouts {
  readonly #timeouts: Timeouts;
  readonly #periodMs: number;
  #first: OpenStream | undefined;
  #last: OpenStream | undefined;
  /** Undefined: no stream is open, or none was when they were last looked at. */
  #timer: NodeJS.Timeout | undefined;

  constructor(timeouts: Timeouts) {
    this.#timeouts = timeouts;
    this.#periodMs = Math.min(periodMsMax, Math.ceil(Math.min(timeouts.requestMs, timeouts.stalledMs) / 4));
  }

  /** Watches a stream until the returned function is called. */
  watch(stream: ServerHttp2Stream): () => void {
    const open = new OpenStream(stream, performance.now(), this.#last);
    if (open.previous === undefined) this.#first = open;
    else open.previous.next = open;
    this.#last = open;
    this.#timer ??= setInterval(() => this.#look(), this.#periodMs).unref();
    return () => this.#forget(open);
  }

  #forget(open: OpenStream): void {
    const { previous, next } = open;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    // What lives longer than a call holds no link to it.
    open.previous = undefined;
    open.next = undefined;
  }

  #look(): void {
    if (this.#first === undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const latestMs = performance.now() - this.#timeouts.requestMs;
    for (let open: OpenStream | undefined = this.#first; open !== undefined; ) {
      // Before the stream may be closed, which takes it out of the list.
      const { next }: OpenStream = open;
      if (!open.isJudged && open.openedAtMs <= latestMs) {
        open.isJudged = true;
        if (isLate(open.stream)) open.stream.close(constants.NGHTTP2_CANCEL);
      }
      if (!open.isWatchedForStalls && open.stream.writableLength > 0) {
        open.isWatchedForStalls = true;
        cancelIfStalled(open.stream, this.#timeouts.stalledMs);
      }
      open = next;
    }
  }
}

/** Whether the request should have arrived by now. A bidirectional stream may last as long as its client likes. */
function isLate(stream: ServerHttp2Stream): boolean {
  const hasArrived = stream.state.state === constants.NGHTTP2_STREAM_STATE_HALF_CLOSED_REMOTE;
  const isBeingAnswered = stream.headersSent && !stream.writableEnded;
  return !hasArrived && !isBeingAnswered;
}

/**
 * If data is waiting to be sent, the client has stalled. Otherwise the handler is still working, and the client may stall later: a listener
 * that is given to `setTimeout` is called once.
 */
function cancelIfStalled(stream: ServerHttp2Stream, stalledMs: number): void {
  stream.on("timeout", () => {
    if (stream.writableLength > 0) stream.close(constants.NGHTTP2_CANCEL);
  });
  stream.setTimeout(stalledMs);
}
