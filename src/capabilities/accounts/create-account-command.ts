import { CommandError } from "../../capability.ts";
import { createId } from "../../crypto/ids.ts";
import type { Queryable } from "../../database/database.ts";
import { senderNameProblem } from "../../text/display-name-rules.ts";
import { parseAccountAddress } from "../../text/mail-address.ts";
import { type AccountCommand, readOptions, readPassword, runOnDatabase } from "./account-command.ts";
import type { StoredAccount } from "./find-account.ts";
import { alreadyExists, emailProblem, insertAccount } from "./sign-up.ts";
import { proveAddress } from "./unverified-accounts.ts";

const usage = "Usage: npm run create-account -- --email <address> --name <name>";

/**
 * `npm run create-account`: makes an account where sign-up is closed. Its address counts as verified: the operator says so, and
 * accounts that wait for its proof end. Throws `CommandError` for unusable input.
 */
export async function runCreateAccount(command: AccountCommand): Promise<void> {
  const { email, name } = parseOptions(command.args);
  const password = await readPassword(command, email);
  const account = await runOnDatabase(command, async (deps) => {
    const made = { userId: createId("usr"), workspaceId: createId("ws") };
    const passwordHash = await deps.passwordHasher.hashPassword(password);
    const create = async (transaction: Queryable, accounts: readonly StoredAccount[]) => {
      if (accounts.some(({ isVerified }) => isVerified)) {
        throw alreadyExists();
      }
      await insertAccount(transaction, {
        ...made,
        email,
        passwordHash,
        name,
        tier: deps.defaultTier,
        isVerified: true,
      });
      return { provenBy: made };
    };
    await proveAddress(deps, { email }, create);
    return made;
  });
  command.write(`Created ${account.userId} with workspace ${account.workspaceId}.\n`);
}

function parseOptions(args: readonly string[]): { readonly email: string; readonly name: string } {
  const { email, name } = readOptions(args, usage);
  if (email === undefined || name === undefined || name.length < 1 || name.length > 100) {
    throw new CommandError(`--email and --name (1 to 100 characters) are required.\n${usage}`);
  }
  const nameFault = senderNameProblem(name);
  if (nameFault !== undefined) {
    throw new CommandError(`The name ${nameFault}.`);
  }
  const address = parseAccountAddress(email);
  if (address === undefined) {
    throw new CommandError(`The email ${emailProblem}.`);
  }
  return { email: address, name };
}
