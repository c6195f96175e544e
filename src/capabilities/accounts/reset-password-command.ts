import { CommandError, type OperatorCommand } from "../../capability.ts";
import { demoAddress, parseAccountAddress } from "../../text/mail-address.ts";
import { type AccountCommand, readPassword, runOnDatabase } from "./account-command.ts";
import type { AccountSettings } from "./account-settings.ts";
import { setPasswordOf } from "./change-password.ts";
import { findStoredAddress } from "./find-account.ts";
import { proveAddress } from "./prove-address.ts";
import { emailProblem } from "./sign-up.ts";

/**
 * `byond reset-password`: sets the password of an account, as a code to its address does, on the operator's word. Throws
 * `CommandError` for unusable input.
 */
export const resetPasswordCommand: OperatorCommand<AccountSettings> = {
  summary: "Asks for a new password, sets it for an account, and ends the account's sessions.",
  options: { email: { value: "address", meaning: "The mail address of the account.", isRequired: true } },
  run: runResetPassword,
};

async function runResetPassword(command: AccountCommand): Promise<void> {
  const address = parseAddress(command.options.email ?? "");
  const password = await readPassword(command, address);
  const { provenBy, isNew } = await runOnDatabase(command, async (deps) => {
    const email = (await findStoredAddress(deps, address)) ?? address;
    return proveAddress(deps, { email }, async (transaction, accounts) => {
      const account = await setPasswordOf(deps, transaction, { email, password, accounts });
      return { provenBy: account, isNew: accounts.every(({ userId }) => userId !== account?.userId) };
    });
  });
  if (provenBy === undefined) {
    throw new CommandError("There is no account with this email.");
  }
  const { userId, workspaceId } = provenBy;
  command.write(
    isNew
      ? `No account with this email was verified, so all of them were deleted. Created ${userId} with workspace ${workspaceId}.\n`
      : `Set the password of ${userId} and ended its sessions.\n`,
  );
}

function parseAddress(email: string): string {
  const address = email === demoAddress ? email : parseAccountAddress(email);
  if (address === undefined) {
    throw new CommandError(`The email ${emailProblem}.`);
  }
  return address;
}
