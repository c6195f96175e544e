import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, type ContextValues, type HandlerContext } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { HeaderFields } from "./header-fields.ts";

export interface CallContextInit {
  readonly method: DescMethod;
  /** `rest`, `grpc`, … */
  readonly protocolName: string;
  /** Its `signal` and its `url` are asked for when somebody asks for those of the context. */
  readonly request: UniversalServerRequest;
  readonly values: ContextValues;
  /** How long the client is going to wait, from now. */
  readonly timeoutMs?: number | undefined;
  readonly shutdownSignal?: AbortSignal | undefined;
}

/** The reason with which the signal of a call ends that is over; made once, since an error takes a stack trace. */
const callIsOver = new Error("the call is over");

/**
 * The context of one call, as `createHandlerContext` of Connect makes it, but for what most calls never ask for: the signal, with its
 * listeners and its timer, is made when somebody does.
 */
export class CallContext implements HandlerContext {
  readonly service: DescService;
  readonly method: DescMethod;
  readonly protocolName: string;
  readonly requestMethod: string;
  readonly requestHeader: Headers;
  readonly responseHeader: Headers = new HeaderFields();
  readonly responseTrailer: Headers = new HeaderFields();
  readonly values: ContextValues;
  readonly #request: UniversalServerRequest;
  readonly #shutdownSignal: AbortSignal | undefined;
  /** By `performance.now()`. */
  readonly #deadlineMs: number | undefined;
  #signal: CallSignal | undefined;
  #isOver = false;

  constructor({ method, protocolName, request, values, timeoutMs, shutdownSignal }: CallContextInit) {
    this.service = method.parent;
    this.method = method;
    this.protocolName = protocolName;
    this.requestMethod = request.method;
    this.requestHeader = request.header;
    this.values = values;
    this.#request = request;
    this.#shutdownSignal = shutdownSignal;
    this.#deadlineMs = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
  }

  get url(): string {
    return this.#request.url;
  }

  /** Aborts when the client goes away or waits no longer, when the server shuts down, and when the call is over. */
  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      const sources = [this.#request.signal, this.#shutdownSignal].filter((signal) => signal !== undefined);
      this.#signal = new CallSignal(sources, this.timeoutMs());
      if (this.#isOver) {
        this.#signal.end();
      }
    }
    return this.#signal.signal;
  }

  /** Whole milliseconds, as Connect's contexts have them. */
  readonly timeoutMs = (): number | undefined =>
    this.#deadlineMs === undefined ? undefined : Math.round(this.#deadlineMs - performance.now());

  /** To be called when the call is over: what hangs on its signal ends. */
  end(): void {
    this.#isOver = true;
    this.#signal?.end();
  }
}

/** Aborts when one of its sources does, or after a time. */
class CallSignal {
  readonly #controller = new AbortController();
  readonly #sources: readonly AbortSignal[];
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(sources: readonly AbortSignal[], timeoutMs: number | undefined) {
    this.#sources = sources;
    for (const source of sources) {
      source.addEventListener("abort", this.#follow);
    }
    if (timeoutMs !== undefined) {
      const abort = () => this.#abort(new ConnectError("the operation timed out", Code.DeadlineExceeded));
      this.#timer = setTimeout(abort, Math.max(0, timeoutMs));
    }
    if (sources.some(({ aborted }) => aborted)) {
      this.#follow();
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  end(): void {
    this.#abort(callIsOver);
  }

  readonly #follow = () => {
    this.#abort(this.#sources.find(({ aborted }) => aborted)?.reason);
  };

  #abort(reason: unknown): void {
    clearTimeout(this.#timer);
    for (const source of this.#sources) {
      source.removeEventListener("abort", this.#follow);
    }
    if (!this.#controller.signal.aborted) {
      this.#controller.abort(reason);
    }
  }
}
