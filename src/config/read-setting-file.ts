import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** No secret, list of prices or bundle of certificates is as long. Behind a path there may also be a device, which never ends. */
const maxBytes = 1_000_000;

/** How long a pipe may be without a writer, and how long a writer may take: it may ask for a passphrase. */
const defaultPatience = { openMs: 5_000, writeMs: 60_000 };
const lookAgainMs = 10;

/**
 * The content of a file that a setting names. A FIFO, such as a shell's `<(…)`, is read until its writer closes it. Throws the errors of `node:fs`, and
 * `Error` if nobody writes, the writer does not end, or there is more than 1 MB; no message has the path but those of `node:fs`.
 */
export function readSettingFile(path: string, { openMs, writeMs } = defaultPatience): Buffer {
  const content = Buffer.alloc(maxBytes + 1);
  // To open a FIFO waits for whoever writes to it, and so does reading one, unless it is told not to. Windows has neither.
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const isPipe = fstatSync(file).isFIFO();
    const beganMs = performance.now();
    let hasWriter = false;
    for (let length = 0; ; ) {
      const read = readNow(file, content, length);
      hasWriter ||= read !== 0;
      if (read === 0 && (!isPipe || length > 0)) {
        return content.subarray(0, length);
      }
      length += read ?? 0;
      if (length > maxBytes) {
        throw new Error("it holds more than 1 MB");
      }
      if (performance.now() - beganMs > (hasWriter ? writeMs : openMs)) {
        throw new Error(
          hasWriter
            ? `it is a pipe, and its writer does not end within ${writeMs / 1_000} seconds`
            : `it is a pipe, and nobody writes to it within ${openMs / 1_000} seconds`,
        );
      }
      if (!read) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lookAgainMs);
      }
    }
  } finally {
    closeSync(file);
  }
}

/** The number of bytes; 0 at the end, or while a pipe has no writer. Undefined: the writer has written nothing more yet. */
function readNow(file: number, content: Buffer, length: number): number | undefined {
  try {
    return readSync(file, content, length, content.length - length, null);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") {
      return undefined;
    }
    throw error;
  }
}
