/** How a provider's HTTP interface answered. */
export type HttpAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      /** The JSON of the answer; undefined if it is not JSON. */
      readonly body: unknown;
      /** How long the provider asked to be left alone, a minute at most. */
      readonly retryAfterMs: number | undefined;
    }
  | { readonly kind: "unanswered"; readonly reason: string };

export interface HttpPost {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

const longestAnswerBytes = 64 * 1024;
const longestRetryAfterMs = 60_000;

/** Posts JSON and reads the answer, whatever it is. Never throws. Redirections are answers, they are not followed. */
export async function postJson(post: HttpPost): Promise<HttpAnswer> {
  const timeout = AbortSignal.timeout(post.timeoutMs);
  try {
    const response = await fetch(post.url, {
      method: "POST",
      headers: { ...post.headers, "Content-Type": "application/json", Accept: "application/json" },
      body: post.body,
      redirect: "manual",
      signal: AbortSignal.any([post.signal, timeout]),
    });
    return {
      kind: "answered",
      status: response.status,
      body: parseJson(await readText(response)),
      retryAfterMs: readRetryAfterMs(response.headers.get("retry-after")),
    };
  } catch {
    if (timeout.aborted) {
      return { kind: "unanswered", reason: "the provider did not answer in time" };
    }
    return {
      kind: "unanswered",
      reason: post.signal.aborted ? "the attempt was aborted" : "the provider cannot be reached",
    };
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the rest of the answer.
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

/** `Retry-After` in seconds (RFC 9110 §10.2.3); as a date it is rare, and not read. */
function readRetryAfterMs(value: string | null): number | undefined {
  return value !== null && /^\d{1,9}$/.test(value) ? Math.min(longestRetryAfterMs, Number(value) * 1_000) : undefined;
}
