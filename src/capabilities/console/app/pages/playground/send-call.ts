import { fromJson } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { AuthService } from "#gen/byond/v1/auth_pb.ts";
import { ErrorInfoSchema } from "#gen/byond/v1/error_pb.ts";
import { forgetPlaygroundKey, playgroundKey } from "../../api/playground-key.ts";
import { serverUrl } from "../../api/server-address.ts";
import { transports } from "../../api/transport.ts";
import type { ApiCall } from "./api-call.ts";

/** What the server answered. */
export interface Answer {
  readonly status: number;
  /** From the request to the end of the answer; of a stream, to its headers. */
  readonly ms: number;
  /** Those that say something about the call. */
  readonly headers: Readonly<Partial<Record<ShownHeader, string>>>;
  /** JSON over several lines; of a stream, the lines until now. */
  readonly text: string;
  /** Whether it is a stream that has not ended. */
  readonly isOpen: boolean;
}

const shownHeaders = [
  "x-request-id",
  "idempotent-replayed",
  "x-ratelimit-limit",
  "x-ratelimit-remaining",
  "retry-after",
] as const;

type ShownHeader = (typeof shownHeaders)[number];

/** Of a stream, so many characters of the latest lines are kept. */
const keptCharacters = 100_000;

/**
 * Makes the call over REST, and tells the answer; of a stream, whenever something arrives. Throws if there is no answer, and the refusal if it is one, after
 * the answer was told.
 */
export async function sendCall(call: ApiCall, signal: AbortSignal, onAnswer: (answer: Answer) => void): Promise<void> {
  const { response, startedMs } = await request(call, signal);
  const answer = (text: string, isOpen: boolean): Answer => ({
    status: response.status,
    ms: receivedMs,
    headers: Object.fromEntries(
      shownHeaders.flatMap((name) => {
        const value = response.headers.get(name);
        return value === null ? [] : [[name, value]];
      }),
    ),
    text,
    isOpen,
  });
  let receivedMs = Math.round(performance.now() - startedMs);
  if (call.operation.isStream && response.ok && response.body !== null) {
    await readStream(response.body, signal, (text, isOpen) => onAnswer(answer(text, isOpen)));
    return;
  }
  const text = await response.text();
  receivedMs = Math.round(performance.now() - startedMs);
  const json = parseJson(text);
  onAnswer(answer(json === undefined ? text : JSON.stringify(json, null, 2), false));
  if (!response.ok) {
    throw refusalOf(json);
  }
}

async function request(call: ApiCall, signal: AbortSignal) {
  if (call.credential !== "key") {
    return fetchCall(call, undefined, signal);
  }
  const { key, made } = await playgroundKey();
  const first = await fetchCall(call, key, signal);
  if (made === undefined || first.response.status !== 401) {
    return first;
  }
  // Somebody has revoked the key that was made: it is made again once.
  forgetPlaygroundKey();
  return fetchCall(call, (await playgroundKey()).key, signal);
}

async function fetchCall(call: ApiCall, key: string | undefined, signal: AbortSignal) {
  if (call.credential === "session") {
    // This call renews the session if that is needed.
    await createClient(AuthService, transports.live).getMe({}, { signal });
  }
  const { httpMethod, target, body } = call;
  const startedMs = performance.now();
  const response = await fetch(serverUrl + target, {
    method: httpMethod,
    headers: [
      ...call.headers.map(([name, value]): [string, string] => [name, value]),
      ...(key === undefined ? [] : [["X-API-Key", key] satisfies [string, string]]),
      ...(call.credential === "session" ? [["Byond-Session", "cookie"] satisfies [string, string]] : []),
      ...(body === undefined ? [] : [["Content-Type", "application/json"] satisfies [string, string]]),
    ],
    ...(body !== undefined && { body: JSON.stringify(body) }),
    credentials: call.credential === "session" ? "same-origin" : "omit",
    cache: "no-store",
    signal,
  });
  return { response, startedMs };
}

async function readStream(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
  onText: (text: string, isOpen: boolean) => void,
): Promise<void> {
  let text = "";
  onText(text, true);
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      // Heartbeats are blanks in front of the next line.
      const lines = text + read.value.replace(/^ +/gm, "");
      text =
        lines.length > keptCharacters ? lines.slice(lines.indexOf("\n", lines.length - keptCharacters) + 1) : lines;
      onText(text, true);
    }
  } catch (error) {
    if (!signal.aborted) {
      throw error;
    }
  } finally {
    onText(text, false);
  }
}

function parseJson(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The error of an answer, in the form that calls over gRPC-Web throw. */
function refusalOf(json: unknown): ConnectError {
  const described = typeof json === "object" && json !== null && "error" in json ? json.error : undefined;
  if (described === undefined) {
    return new ConnectError("The answer is not an error of this server: a proxy may have sent it.", Code.Internal);
  }
  const info = fromJson(ErrorInfoSchema, JSON.parse(JSON.stringify(described)), { ignoreUnknownFields: true });
  return new ConnectError(info.message, Code.Unknown, undefined, [{ desc: ErrorInfoSchema, value: info }]);
}

/** What the page says itself, in the server's form, of fields without which there is nothing to call. */
export function missingFields(names: readonly string[]): ConnectError {
  const message = "The address of the call is not complete.";
  const fields = Object.fromEntries(names.map((name) => [name, "is required"]));
  const documentationUrl = `${serverUrl}/docs/errors#validation_error`;
  return new ConnectError(message, Code.InvalidArgument, undefined, [
    { desc: ErrorInfoSchema, value: { code: "validation_error", message, fields, documentationUrl } },
  ]);
}
