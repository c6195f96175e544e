import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import type { Tier } from "../../access/tiers.ts";
import { type Command, CommandError } from "../../capability.ts";
import { systemClock } from "../../clock.ts";
import { Hasher, passwordCost } from "../../crypto/argon2-hasher.ts";
import { createId } from "../../crypto/ids.ts";
import type { Database } from "../../database/database.ts";
import { AppError } from "../../errors.ts";
import { type RevocationService, startRevocation } from "../../revocation/revocation-service.ts";
import type { AccountSettings } from "./account-settings.ts";
import { passwordLength } from "./accounts.policy.ts";
import { newPasswordProblem } from "./password-rules.ts";

/** A command on accounts. */
export type AccountCommand = Command<AccountSettings>;

/** Reads a new password for an address from standard input. Throws `CommandError` for one that sign-up would refuse. */
export async function readPassword({ input, write }: Pick<Command, "input" | "write">, email: string): Promise<string> {
  const isTerminal = input.isTTY === true;
  if (isTerminal) {
    write(`Password (${passwordLength.min} to ${passwordLength.max} characters, not shown): `);
  }
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: isTerminal });
  for await (const password of lines) {
    lines.close();
    const { length } = [...password];
    if (length < passwordLength.min || length > passwordLength.max) {
      throw new CommandError(`The password must be ${passwordLength.min} to ${passwordLength.max} characters long.`);
    }
    const problem = newPasswordProblem(password, email);
    if (problem !== undefined) {
      throw new CommandError(`The password ${problem}.`);
    }
    return password;
  }
  throw new CommandError("No password was given on standard input.");
}

/** The dependencies of commands on accounts. */
export interface CommandDependencies {
  readonly database: Database;
  readonly revocation: Pick<RevocationService, "revoke">;
  readonly passwordHasher: Hasher;
  readonly defaultTier: Tier;
}

/**
 * Runs a command on the database as one more server beside those that may be running, so that its revocations hold on all of
 * them when it returns. An error for clients becomes a `CommandError`.
 */
export async function runOnDatabase<T>(
  { settings, logger, onDatabase }: AccountCommand,
  work: (deps: CommandDependencies) => Promise<T>,
): Promise<T> {
  return onDatabase(async ({ database, connection }) => {
    await using resources = new AsyncDisposableStack();
    const serverId = createId("srv");
    const revocation = await startRevocation({ database, connection, clock: systemClock, logger, serverId });
    resources.defer(() => revocation.stop());
    const passwordHasher = new Hasher({ cost: passwordCost, concurrency: 1, maxWaiting: 0 });
    try {
      return await work({ database, revocation, passwordHasher, defaultTier: settings.defaultTier });
    } catch (error) {
      if (error instanceof AppError) {
        const [problem] = Object.entries(error.details.fields ?? {});
        throw new CommandError(problem === undefined ? error.message : `The ${problem[0]} ${problem[1]}.`);
      }
      throw error;
    }
  });
}
