import { setTimeout as pause } from "node:timers/promises";
import { CommandError } from "../../capability.ts";

/** What following a stream brings. `lost` is followed by another attempt to connect. */
export type Followed =
  | { readonly kind: "connected" }
  | { readonly kind: "lost"; readonly reason: string }
  | { readonly kind: "event"; readonly id: string; readonly json: string };

export interface FollowOptions {
  /** Base URL of the server. */
  readonly server: URL;
  readonly apiKey: string;
  /** Only events of these types. Empty: all. */
  readonly types: readonly string[];
}

/** The server sends a heartbeat every ten seconds. */
const silenceMs = 45_000;
const pauseMs = { first: 500, longest: 10_000 } as const;

/** Statuses that another attempt may mend. */
const isPassing = (status: number) => status === 408 || status === 429 || status >= 500;

/**
 * Follows `GET /events/stream` from now on, for as long as it is iterated. When the connection ends, it connects again, and goes on after
 * the last event. Throws `CommandError` if the server refuses the call for a reason that waiting does not mend.
 */
export async function* followEvents(options: FollowOptions): AsyncGenerator<Followed, never> {
  let resumeAfter: string | undefined;
  let failures = 0;
  for (;;) {
    let reason = "the server ended the stream";
    try {
      for await (const message of readStream(options, resumeAfter)) {
        if (message.kind === "opened") {
          yield { kind: "connected" };
          continue;
        }
        failures = 0;
        if (message.json !== "") {
          yield { kind: "event", id: message.id, json: message.json };
        }
        resumeAfter = message.id;
      }
    } catch (error) {
      if (error instanceof CommandError) {
        throw error;
      }
      reason = reasonOf(error);
    }
    yield { kind: "lost", reason };
    const longestMs = Math.min(pauseMs.first * 2 ** failures, pauseMs.longest);
    failures += 1;
    // A part of it at random: everybody connects again when a server has restarted.
    await pause(longestMs * (0.5 + Math.random() / 2));
  }
}

type StreamMessage =
  | { readonly kind: "opened" }
  /** An event; or a heartbeat, whose `json` is empty. `id` is where to resume. */
  | { readonly kind: "message"; readonly id: string; readonly json: string };

/** Reads one connection to its end. Throws an `Error` if it fails. */
async function* readStream(options: FollowOptions, resumeAfter: string | undefined): AsyncGenerator<StreamMessage> {
  const { server, apiKey, types } = options;
  const url = new URL("api/v1/events/stream", server.href.endsWith("/") ? server : `${server.href}/`);
  types.forEach((type) => void url.searchParams.append("types", type));
  const silence = new AbortController();
  const orSilence = async <T>(wait: Promise<T>): Promise<T> => {
    const timer = setTimeout(() => silence.abort(new Error(`nothing came for ${silenceMs / 1_000} s`)), silenceMs);
    return wait.finally(() => clearTimeout(timer));
  };
  const response = await orSilence(
    fetch(url, {
      headers: {
        Accept: "text/event-stream",
        "X-API-Key": apiKey,
        ...(resumeAfter === undefined ? {} : { "Last-Event-ID": resumeAfter }),
      },
      // The key is for this server only.
      redirect: "manual",
      signal: silence.signal,
    }),
  );
  if (response.status !== 200) {
    const said = problemIn(await orSilence(response.text()));
    const problem = `the server answered ${response.status}${said === "" ? "" : `: ${said}`}`;
    throw isPassing(response.status) ? new Error(problem) : new CommandError(sentence(problem));
  }
  if (response.body === null || !response.headers.get("content-type")?.startsWith("text/event-stream")) {
    throw new CommandError(`There is no stream of events at ${url.origin}${url.pathname}.`);
  }
  const chunks = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const parser = new EventStreamParser();
  try {
    yield { kind: "opened" };
    for (;;) {
      const { done, value } = await orSilence(chunks.read());
      if (done) {
        return;
      }
      yield* parser.read(value);
    }
  } finally {
    await chunks.cancel().catch(() => undefined);
  }
}

/** Server-sent events (HTML §9.2.6), as this server writes them: lines end with a line feed. */
class EventStreamParser {
  #unread = "";
  #id = "";
  #name = "";
  #lines: string[] = [];

  /** The messages that end in this part of the stream. Throws an `Error` for the message with which the server ends it. */
  *read(text: string): Generator<StreamMessage> {
    const lines = (this.#unread + text).split("\n");
    this.#unread = lines.pop() ?? "";
    for (const line of lines) {
      if (line !== "") {
        this.#readField(line);
      } else if (this.#name === "error") {
        throw new Error(problemIn(this.#lines.join("\n")));
      } else {
        if (this.#id !== "") {
          yield { kind: "message", id: this.#id, json: this.#lines.join("\n") };
        }
        this.#lines = [];
        this.#name = "";
      }
    }
  }

  #readField(line: string): void {
    const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === "data") {
      this.#lines.push(value);
    } else if (field === "id") {
      this.#id = value;
    } else if (field === "event") {
      this.#name = value;
    }
  }
}

/** What a body says went wrong: the message of an error of this API and its fields, or the beginning of any other text. */
function problemIn(body: string): string {
  try {
    const { error } = JSON.parse(body);
    const fields = Object.entries(error.fields ?? {}).map(([name, problem]) => `${name} ${problem}`);
    return [`${error.message}`, ...fields].join(" ");
  } catch {
    return body.slice(0, 200);
  }
}

/** Why a request failed. The message of `fetch` only says that it did. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  const { cause } = error;
  if (cause instanceof Error) {
    return "code" in cause && /^E[A-Z]+$/.test(`${cause.code}`) ? `${cause.code}` : cause.message;
  }
  return error.message;
}

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
