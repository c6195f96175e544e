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
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      text += decoder.decode(value, { stream: true });
      const blocks = text.split(/\r?\n\r?\n/);
      text = blocks.pop() ?? "";
      yield* blocks.map(parseBlock);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function parseBlock(block: string): ServerSentEvent {
  const fields: Record<string, string> = {};
  for (const line of block.split(/\r?\n/)) {
    const [, name, value] = /^(\w+)(?:: ?(.*))?$/.exec(line) ?? [];
    if (name === "data" && fields.data !== undefined) {
      fields.data += `\n${value ?? ""}`;
    } else if (name === "data" || name === "event" || name === "id") {
      fields[name] = value ?? "";
    }
  }
  return fields;
}
