import type { Readable } from "node:stream";
import type { Logger } from "../observe/log.ts";
import type { Config } from "./config.ts";

/** A problem that the person at the terminal can mend. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** A command of the operator, such as `npm run create-account`. */
export interface Command {
  readonly config: Config;
  readonly logger: Logger;
  /** Such as `--email <address>`. */
  readonly args: readonly string[];
  /** Where a password is read from: asked for at a terminal, the first line otherwise. */
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly write: (text: string) => void;
}
