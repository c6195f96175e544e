import { CommandError, type OperatorCommand } from "../../capability.ts";
import { createId } from "../../crypto/ids.ts";
import type { QueryableTables } from "../../database/database.ts";
import { senderNameProblem } from "../../text/display-name-rules.ts";
import { parseAccountAddress } from "../../text/mail-address.ts";
import { type AccountCommand, readPassword, runOnDatabase } from "./account-command.ts";
import type { AccountSettings } from "./account-settings.ts";
import type { StoredAccount } from "./find-account.ts";
import { proveAddress } from "./prove-address.ts";
import { alreadyExists, emailProblem, insertAccount } from "./sign-up.ts";

/**
 * `byond create-account`: makes an account where sign-up is closed. Its address counts as verified: the operator says so, and
 * accounts that wait for its proof end. Throws `CommandError` for unusable input.
 */
export const createAccountCommand: OperatorCommand<AccountSettings> = {
  summary: "Creates an account, even if sign-up is closed, and asks for its password. The address counts as verified.",
  options: {
    email: { value: "address", meaning: "The mail address that it signs in with.", isRequired: true },
    name: { value: "name", meaning: "The name of its workspace, 1 to 100 characters.", isRequired: true },
  },
  run: runCreateAccount,
};

async function runCreateAccount(command: AccountCommand): Promise<void> {
  const { email, name } = parseOptions(command.options);
  const password = await readPassword(command, email);
  const account = await runOnDatabase(command, async (deps) => {
    const made = { userId: createId("usr"), workspaceId: createId("ws") };
    const passwordHash = await deps.passwordHasher.hashPassword(password);
    const create = async (transaction: QueryableTables, accounts: readonly StoredAccount[]) => {
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

function parseOptions({ email = "", name = "" }: AccountCommand["options"]): {
  readonly email: string;
  readonly name: string;
} {
  if (name.length > 100) {
    throw new CommandError("The name must be 1 to 100 characters long.");
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
