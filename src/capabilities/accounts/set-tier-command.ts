import { type Tier, tiers } from "../../access/tiers.ts";
import { CommandError, type OperatorCommand } from "../../capability.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { workspaceSubject } from "../../revocation/revocation-subjects.ts";
import { type AccountCommand, type CommandDependencies, runOnDatabase } from "./account-command.ts";
import type { AccountSettings } from "./account-settings.ts";
import type { AccountTables } from "./account-tables.ts";
import { findAccountsByEmail, findStoredAddress } from "./find-account.ts";

/** `byond set-tier`: changes how many requests a workspace may send. Throws `CommandError` for unusable input. */
export const setTierCommand: OperatorCommand<AccountSettings> = {
  summary: "Changes the tier of a workspace. When the command returns, every server applies it.",
  options: {
    email: { value: "address", meaning: "The mail address of the account of the workspace." },
    workspace: { value: "id", meaning: "The id of the workspace, instead of --email: ws_…" },
    tier: { value: "tier", meaning: `One of: ${tiers.join(", ")}.`, isRequired: true },
  },
  run: runSetTier,
};

async function runSetTier(command: AccountCommand): Promise<void> {
  const { email, workspace, tier: named } = command.options;
  const tier = tiers.find((candidate) => candidate === named);
  if (tier === undefined) {
    throw new CommandError(`--tier must be one of: ${tiers.join(", ")}.`);
  }
  if ((email === undefined) === (workspace === undefined)) {
    throw new CommandError("Give either --email or --workspace.");
  }
  const { id, name } = await runOnDatabase(command, async (deps) => {
    const id = email === undefined ? (workspace ?? "") : await workspaceOf(deps, email);
    const changed = await setTier(deps, id, tier);
    if (changed === undefined) {
      throw new CommandError(`There is no workspace ${id}.`);
    }
    return { id, name: changed.name };
  });
  command.write(`The workspace ${id}, ${JSON.stringify(name)}, now has the tier ${tier} on every server.\n`);
}

/** What servers know of the workspace's keys and sessions has its tier: they read it again. */
function setTier(
  { revocation }: { readonly revocation: Pick<RevocationService, "revoke"> },
  id: string,
  tier: Tier,
): Promise<{ readonly name: string } | undefined> {
  return revocation.revoke([workspaceSubject(id)], async (transaction) => {
    const [workspace] = await transaction.query((tables: AccountTables) =>
      tables
        .updateTable("workspace")
        .set({ tier })
        .where("id", "=", id)
        .where("deactivatedAt", "is", null)
        .returning("name"),
    );
    return workspace;
  });
}

async function workspaceOf(deps: Pick<CommandDependencies, "database">, email: string): Promise<string> {
  const address = await findStoredAddress(deps, email);
  const accounts = address === undefined ? [] : await findAccountsByEmail(deps, address);
  const [account, ...others] = accounts;
  if (account === undefined) {
    throw new CommandError("There is no account with this email.");
  }
  if (others.length > 0) {
    const ids = accounts.map(({ workspaceId }) => workspaceId).join(", ");
    throw new CommandError(`Several unverified accounts have this email. Choose one with --workspace: ${ids}.`);
  }
  return account.workspaceId;
}
