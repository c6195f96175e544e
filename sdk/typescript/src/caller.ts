import { isObject, type Json, type JsonObject } from "./converters.ts";
import { EventStream } from "./event-stream.ts";
import { apiVersion, version } from "./generated/types.ts";
import type { Attempt, Operation, Transport } from "./operation.ts";
import { type CallOptions, isBrowser } from "./options.ts";
import { Page, PagePromise } from "./page.ts";
import { Deadline, withRetries } from "./retry.ts";

export type { CallOptions };

/** What a client was made with, without anything left to default. */
export interface CallerOptions {
  readonly transport: Transport;
  readonly apiKey: string | undefined;
  readonly accessToken: string | undefined;
  readonly mode: "live" | "test" | undefined;
  readonly maxRetries: number;
  readonly timeoutMs: number;
  readonly headers: Readonly<Record<string, string>>;
}

type Parameters = Readonly<Record<string, unknown>>;

/** Makes the calls of the services: the parameters' JSON, headers, retries, and the results. */
export class Caller {
  readonly #options: CallerOptions;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  async call<Result>(operation: Operation, parameters: object, options: CallOptions): Promise<Result> {
    const { transport, maxRetries, timeoutMs } = this.#options;
    const deadline = new Deadline(options.timeoutMs ?? timeoutMs, options.signal);
    // Made once: a repetition must be known as one.
    const request = { ...requestOf(operation, parameters), headers: this.#headers(operation, options) };
    try {
      const json = await withRetries(operation, options.maxRetries ?? maxRetries, deadline, () =>
        transport.call({ ...request, signal: deadline.signal }),
      );
      return readResult(operation, json);
    } finally {
      deadline.clear();
    }
  }

  list<Item>(operation: Operation, parameters: object, options: CallOptions): PagePromise<Item> {
    const load = async (more: Parameters): Promise<Page<Item>> => {
      const result: Parameters = await this.call(operation, { ...parameters, ...more }, options);
      const items = result[operation.itemsField ?? ""];
      const { nextPageToken } = result;
      return new Page<Item>(
        Array.isArray(items) ? items : [],
        typeof nextPageToken === "string" ? nextPageToken : null,
        (pageToken) => load({ pageToken }),
      );
    };
    return new PagePromise(() => load({}));
  }

  stream<Result>(operation: Operation, parameters: object, options: CallOptions): EventStream<Result> {
    const { transport, timeoutMs, maxRetries } = this.#options;
    const request = { ...requestOf(operation, parameters), headers: this.#headers(operation, options) };
    return new EventStream<Result>({
      signal: options.signal,
      maxRetries: options.maxRetries ?? maxRetries,
      read: (result) => readResult(operation, result ?? null),
      open: (resumeAfter, signal) =>
        untilOpen(options.timeoutMs ?? timeoutMs, signal, (connection) =>
          transport.stream({ ...resume(request, resumeAfter), signal: connection }),
        ),
    });
  }

  #headers(operation: Operation, { idempotencyKey, headers }: CallOptions): Record<string, string> {
    const { apiKey, accessToken, mode } = this.#options;
    const credential: Record<string, string> = !operation.takesCredential
      ? {}
      : accessToken !== undefined
        ? { Authorization: `Bearer ${accessToken}`, ...(mode === undefined ? {} : { "Byond-Mode": mode }) }
        : apiKey !== undefined
          ? { "X-API-Key": apiKey }
          : {};
    return mergeHeaders(
      {
        "Byond-Version": apiVersion,
        // Browsers send their own.
        ...(isBrowser() ? {} : { "User-Agent": `byond-typescript/${version}` }),
        ...credential,
        ...(operation.hasSideEffects ? { "Idempotency-Key": idempotencyKey ?? crypto.randomUUID() } : {}),
      },
      this.#options.headers,
      headers,
    );
  }
}

/** Later headers take the place of earlier ones, in whatever case their names are. What cannot be sent is told without its value, which may be a secret. */
function mergeHeaders(...all: readonly (CallOptions["headers"] | undefined)[]): Record<string, string> {
  const merged: Record<string, string> = {};
  for (const [name, value] of all.flatMap((headers) => Object.entries(headers ?? {}))) {
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw new TypeError(`The header ${name} has a line break, or another character that no header can have.`);
    }
    merged[name.toLowerCase()] = value;
  }
  return merged;
}

/** Path parameters, and the JSON of the others. */
function requestOf(operation: Operation, parameters: object): Omit<Attempt, "headers" | "signal"> {
  const json = operation.parameters.write(parameters);
  const { pathParameters } = operation;
  const entries = Object.entries(isObject(json) ? json : {}).filter(([, value]) => value !== undefined);
  const isInPath = ([name]: readonly [string, unknown]) => pathParameters.includes(name);
  const path = Object.fromEntries(entries.filter(isInPath).map(([name, value]) => [name, String(value)]));
  for (const name of pathParameters) {
    // It would be another call: that of the list which the element is in, or of what is above it.
    if (["", ".", ".."].includes(path[name] ?? "")) {
      throw new TypeError(`${name} is ${path[name] ? "not an id" : "empty"}.`);
    }
  }
  return {
    operation,
    path,
    parameters: Object.fromEntries(entries.filter((entry) => !isInPath(entry))),
  };
}

function readResult<Result>(operation: Operation, json: Json): Result {
  return operation.result.read(json, isObject(json) ? json : {}) as Result;
}

/** The same request, to go on after a position. */
function resume<Request extends Omit<Attempt, "signal">>(request: Request, resumeAfter: string | undefined): Request {
  const { resumeParameter } = request.operation;
  if (resumeAfter === undefined || resumeParameter === undefined) {
    return request;
  }
  const parameters: JsonObject = { ...request.parameters, [resumeParameter]: resumeAfter };
  return { ...request, parameters, headers: { ...request.headers, "last-event-id": resumeAfter } };
}

/** Opens something that lives as long as the signal says, but must be open before a time is over. */
async function untilOpen<T>(
  timeoutMs: number,
  signal: AbortSignal,
  open: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const opening = new Deadline(timeoutMs, signal);
  const connection = new AbortController();
  opening.signal.addEventListener("abort", () => connection.abort(opening.signal.reason), { once: true });
  const opened = await open(connection.signal).finally(() => opening.clear());
  signal.addEventListener("abort", () => connection.abort(signal.reason), { once: true });
  return opened;
}
