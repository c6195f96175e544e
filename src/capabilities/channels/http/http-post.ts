import type { SendResult } from "../../../outbox/send-result.ts";

/** The response of a provider. */
export type HttpAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      /** The body; empty if it is too large. */
      readonly text: string;
      /** The JSON body; undefined if it is not JSON. */
      readonly body: unknown;
      /** The provider's `Retry-After`, a minute at most. */
      readonly retryAfterMs: number | undefined;
    }
  /** `mayBeSent`: the request may have reached the provider. */
  | { readonly kind: "unanswered"; readonly reason: string; readonly mayBeSent?: true };

export interface HttpPost {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

const longestAnswerBytes = 64 * 1024;
const longestRetryAfterMs = 60_000;

/** Posts JSON and reads the response, whatever its status. Never throws. Redirections are not followed. */
export function postJson(request: HttpPost): Promise<HttpAnswer> {
  const headers = { ...request.headers, "Content-Type": "application/json", Accept: "application/json" };
  return post({ ...request, headers });
}

/** As `postJson`, of a form. */
export function postForm({
  form,
  ...request
}: Omit<HttpPost, "body"> & { readonly form: Readonly<Record<string, string>> }): Promise<HttpAnswer> {
  const headers = { ...request.headers, "Content-Type": "application/x-www-form-urlencoded" };
  return post({ ...request, headers, body: new URLSearchParams(form).toString() });
}

/** Gets JSON, as `postJson` posts it. */
export function getJson({
  url,
  headers,
  timeoutMs,
}: Pick<HttpPost, "url" | "headers" | "timeoutMs">): Promise<HttpAnswer> {
  const signal = new AbortController().signal;
  return exchange("GET", { url, headers: { ...headers, Accept: "application/json" }, signal, timeoutMs });
}

/** As `postJson`, of a body whose type is in the headers. */
export function post(request: HttpPost): Promise<HttpAnswer> {
  return exchange("POST", request);
}

async function exchange(
  method: "GET" | "POST",
  request: Omit<HttpPost, "body"> & { readonly body?: string },
): Promise<HttpAnswer> {
  const timeout = AbortSignal.timeout(request.timeoutMs);
  if (request.signal.aborted) {
    return { kind: "unanswered", reason: "the attempt was aborted" };
  }
  try {
    const response = await fetch(request.url, {
      method,
      headers: request.headers,
      ...(request.body === undefined ? {} : { body: request.body }),
      redirect: "manual",
      signal: AbortSignal.any([request.signal, timeout]),
    });
    const text = await readText(response);
    return {
      kind: "answered",
      status: response.status,
      text,
      body: parseJson(text),
      retryAfterMs: readRetryAfterMs(response.headers.get("retry-after")),
    };
  } catch (error) {
    const written = isWithoutConnection(error) ? {} : ({ mayBeSent: true } as const);
    if (timeout.aborted) {
      return { kind: "unanswered", reason: "the provider did not answer in time", ...written };
    }
    const reason = request.signal.aborted ? "the attempt was aborted" : "the provider cannot be reached";
    return { kind: "unanswered", reason, ...written };
  }
}

/** The result of an attempt that was not answered. */
export function unansweredResult({ reason, mayBeSent }: Extract<HttpAnswer, { kind: "unanswered" }>): SendResult {
  return { kind: "retry", reason, provider: "fails", ...(mayBeSent && { mayBeSent }) };
}

/** Whether a failure of `fetch` came before there was a connection that the request could be written to. */
function isWithoutConnection(error: unknown): boolean {
  const cause = field(error, "cause");
  const [code, syscall] = [field(cause, "code"), field(cause, "syscall")];
  return (
    // Of several addresses of a host, none could be connected to.
    cause instanceof AggregateError ||
    syscall === "connect" ||
    syscall === "getaddrinfo" ||
    (typeof code === "string" && /^(?:UND_ERR_CONNECT_TIMEOUT$|ERR_TLS_|ERR_SSL_)|CERT|SIGNATURE/.test(code))
  );
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the rest of the body.
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > longestAnswerBytes) {
      return "";
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `Retry-After` in seconds (RFC 9110 §10.2.3). The form with a date is rare and ignored. */
function readRetryAfterMs(value: string | null): number | undefined {
  return value !== null && /^\d{1,9}$/.test(value) ? Math.min(longestRetryAfterMs, Number(value) * 1_000) : undefined;
}

/** The field `name` of untrusted JSON; undefined if it is not an object or has no such field. */
export function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

/** The items of a list in untrusted JSON; none if it is not a list. */
export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A provider's message id; undefined unless it is printable ASCII of at most 256 characters. */
export function messageIdOf(value: unknown): string | undefined {
  return typeof value === "string" && /^[\x21-\x7e]{1,256}$/.test(value) ? value : undefined;
}
