import { constants } from "node:fs";
import { lstat, open, readFile, rename } from "node:fs/promises";

const FILE_BYTES_MAX = 1024 * 1024;
const QUOTED_CHARACTERS_MAX = 2_000;
/** `O_NOFOLLOW`: a symbolic link in its place would make us write to another file. */
const TO_APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

export interface PostgresLog {
  /** Inherited by the child as its standard output and error. */
  readonly descriptor: number;
  /** Closes it in this process; the child's stays open. */
  closeDescriptor(): Promise<void>;
  /** The end of what was written since the log was opened. */
  written(): Promise<string>;
}

/** Opens PostgreSQL's log to append to it. A log of more than 1 MiB is first renamed to `<path>.1`, which it replaces. */
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
