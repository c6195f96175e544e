import { createInterface } from "node:readline";
import { type Readable, Writable } from "node:stream";
import { parseArgs } from "node:util";
import type { Config } from "../config.ts";
import { Database } from "../database/database.ts";
import { providePostgres } from "../database/provide-postgres.ts";
import { AppError } from "../errors.ts";
import { Hasher, passwordCost } from "../hashing.ts";
import type { Logger } from "../log.ts";
import { createAccount } from "./create-account.ts";

/** A problem that the person at the terminal can mend. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

export interface CreateAccountCommand {
  readonly config: Config;
  readonly logger: Logger;
  /** `--email <address> --name <name>` */
  readonly args: readonly string[];
  /** Where the password is read from: asked for at a terminal, the first line otherwise. */
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly write: (text: string) => void;
}

const usage = "Usage: npm run create-account -- --email <address> --name <name>";

/** `npm run create-account`: makes an account where sign-up is closed. Throws `CommandError` for unusable input. */
export async function runCreateAccount(command: CreateAccountCommand): Promise<void> {
  const { email, name } = parseOptions(command.args);
  const password = await readPassword(command);
  await using resources = new AsyncDisposableStack();
  const postgres = await providePostgres(command.config.database, () => {});
  resources.defer(() => postgres.stop());
  const database = await Database.open({ url: postgres.url, logger: command.logger, entities: [] });
  resources.defer(() => database.close());
  const passwordHasher = new Hasher({ cost: passwordCost, concurrency: 1, maxWaiting: 0 });
  const { defaultTier } = command.config.limits;
  try {
    const account = await createAccount({ database, passwordHasher, defaultTier }, { email, password, name });
    command.write(`Created ${account.userId} with workspace ${account.workspaceId}.\n`);
  } catch (error) {
    if (error instanceof AppError) {
      const [problem] = Object.entries(error.details.fields ?? {});
      throw new CommandError(problem === undefined ? error.message : `The ${problem[0]} ${problem[1]}.`);
    }
    throw error;
  }
}

function parseOptions(args: readonly string[]): { readonly email: string; readonly name: string } {
  const options = { email: { type: "string" }, name: { type: "string" } } as const;
  let values: { email?: string; name?: string };
  try {
    ({ values } = parseArgs({ args: [...args], options, allowPositionals: false }));
  } catch (error) {
    throw new CommandError(`${error instanceof Error ? error.message : error}\n${usage}`);
  }
  const { email, name } = values;
  if (email === undefined || name === undefined || name.length < 1 || name.length > 100) {
    throw new CommandError(`--email and --name (1 to 100 characters) are required.\n${usage}`);
  }
  return { email, name };
}

async function readPassword({ input, write }: CreateAccountCommand): Promise<string> {
  const isTerminal = input.isTTY === true;
  if (isTerminal) {
    write("Password (10 to 128 characters, not shown): ");
  }
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: isTerminal });
  for await (const password of lines) {
    lines.close();
    if ([...password].length < 10 || [...password].length > 128) {
      throw new CommandError("The password must be 10 to 128 characters long.");
    }
    return password;
  }
  throw new CommandError("No password was given on standard input.");
}
