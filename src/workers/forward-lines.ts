import { once } from "node:events";
import type { Readable } from "node:stream";

/**
 * Passes on what a worker writes, whole lines only, so that lines of several workers do not mix. What a killed worker left of a line of the
 * log is dropped. Resolves when the stream has ended.
 */
export async function forwardLines(stream: Readable, write: (lines: string) => void): Promise<void> {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("error", () => undefined);
  stream.on("data", (chunk: string) => {
    const end = chunk.lastIndexOf("\n") + 1;
    if (end === 0) {
      rest += chunk;
    } else {
      write(rest + chunk.slice(0, end));
      rest = chunk.slice(end);
    }
  });
  await once(stream, "close");
  if (rest !== "" && !rest.startsWith("{")) {
    write(`${rest}\n`);
  }
}
