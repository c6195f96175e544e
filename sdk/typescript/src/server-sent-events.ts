/** An event of a stream (HTML §9.2.6). Without `data` it only sets the id. */
export interface ServerSentEvent {
  readonly event?: string;
  readonly data?: string;
  readonly id?: string;
}

/** Parses server-sent events. A comment is an event without anything: it shows that the connection lives. */
export async function* parseServerSentEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  // Of the line that has not ended, and of the event. Each is looked at once, however long an event is.
  let parts: string[] = [];
  let lines: string[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      const [end = "", ...starts] = decoder.decode(value, { stream: true }).split("\n");
      parts.push(end);
      for (const start of starts) {
        const line = parts.join("").replace(/\r$/, "");
        parts = [start];
        if (line !== "") {
          lines.push(line);
          continue;
        }
        yield parseLines(lines);
        lines = [];
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function parseLines(lines: readonly string[]): ServerSentEvent {
  const fields: Record<string, string> = {};
  for (const line of lines) {
    // With U+2028, which JSON may have in its texts, and which is no line break here.
    const [, name, value] = /^(\w+)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === "data" && fields.data !== undefined) {
      fields.data += `\n${value ?? ""}`;
    } else if (name === "data" || name === "event" || name === "id") {
      fields[name] = value ?? "";
    }
  }
  return fields;
}
