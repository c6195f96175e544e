import { constants } from "node:fs";
import { lstat, open, readFile, rename } from "node:fs/promises";

const FILE_BYTES_MAX = 1024 * 1024;
const QUOTED_CHARACTERS_MAX = 2_000;
/** A link in its place would have another file written to. */
const TO_APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

export interface PostgresLog {
  /** For the child to inherit as its standard output and error. */
  readonly descriptor: number;
  /** Closes our end; what the child inherited stays open. */
  closeDescriptor(): Promise<void>;
  /** The end of what was written since the log was opened. */
  written(): Promise<string>;
}

/** Opens PostgreSQL's log to append to it; a long one is first put aside as `<path>.1`, in place of the last one there. */
export async function openPostgresLog(path: string): Promise<PostgresLog> {
  let offset = await byteLength(path);
  if (offset > FILE_BYTES_MAX) {
    await rename(path, `${path}.1`);
    offset = 0;
  }
  const file = await open(path, TO_APPEND, 0o600);
  return {
    descriptor: file.fd,
    closeDescriptor: () => file.close(),
    async written() {
      const content = await readFile(path).catch(() => Buffer.alloc(0));
      return content.subarray(offset).toString().trim().slice(-QUOTED_CHARACTERS_MAX);
    },
  };
}

async function byteLength(path: string): Promise<number> {
  return lstat(path).then(
    (status) => status.size,
    () => 0,
  );
}
