import { randomUUID } from "node:crypto";
import { type Command, CommandError, type OperatorCommand } from "../../capability.ts";
import { change, type Database } from "../../database/database.ts";
import { isOutOfRange } from "../../database/database-errors.ts";
import { statement, text } from "../../database/statement.ts";
import type { BalanceSettings } from "./balance-settings.ts";
import { readBalance } from "./get-balance.ts";
import { claimCurrency } from "./ledger-currency.ts";
import { formatAmount, maxWholeDigits, parseAmount } from "./prices.ts";

/** `byond top-up`: adds to the balance of a workspace. Throws `CommandError` for unusable input. */
export const topUpCommand: OperatorCommand<BalanceSettings> = {
  summary:
    "Adds to the balance of a workspace, or takes from it. Needs PRICES. With a reference, it does so only once. With the embedded PostgreSQL, stop the server first.",
  options: {
    workspace: { value: "id", meaning: "The id of the workspace: ws_…", isRequired: true },
    amount: {
      value: "amount",
      meaning: "In the currency of the prices, such as 50.00. With a minus sign to take from the balance.",
      isRequired: true,
    },
    reference: {
      value: "text",
      meaning: "Your name of the payment, 1 to 64 ASCII characters. Each is used once for a workspace.",
    },
  },
  run: runTopUp,
};

const hasWorkspace = statement<{ name: string }>("find_workspace_to_top_up")(
  { id: text },
  (p) => `SELECT name FROM workspace WHERE id = ${p.id} AND deactivated_at IS NULL`,
);

const topUp = statement<{ isNew: boolean }>("top_up_balance")(
  { workspaceId: text, reference: text, amount: text },
  // The amount is text: with the digits of some currencies it is no safe integer.
  (p) => `SELECT balance_top_up(${p.workspaceId}, ${p.reference}, ${p.amount}::bigint) AS is_new`,
);

async function runTopUp(command: Command<BalanceSettings>): Promise<void> {
  const { workspace: workspaceId = "", amount: named = "", reference = randomUUID() } = command.options;
  const { prices } = command.settings;
  if (prices === undefined) {
    throw new CommandError("Set PRICES first: without prices, workspaces have no balance.");
  }
  const amount = parseAmount(prices, named);
  if (amount === undefined || amount === 0n) {
    throw new CommandError(
      `--amount must be an amount with at most ${maxWholeDigits} digits before the point and ${prices.digits} after it, and not 0.`,
    );
  }
  if (!/^[\x20-\x7e]{1,64}$/.test(reference)) {
    throw new CommandError("--reference must have 1 to 64 ASCII characters.");
  }
  const { isNew, balance } = await command.onDatabase(async ({ database }) => {
    await claimCurrency(database, prices);
    const [workspace] = await database.run(hasWorkspace, { id: workspaceId });
    if (workspace === undefined) {
      throw new CommandError(`There is no workspace ${workspaceId}.`);
    }
    const isNew = await addToBalance(database, { workspaceId, reference, amount });
    return { isNew, balance: await readBalance({ database }, workspaceId) };
  });
  const balanceText = `${formatAmount(prices, balance.total)} ${prices.currency}`;
  command.write(
    isNew
      ? `The workspace ${workspaceId} now has a balance of ${balanceText}.\n`
      : `The reference was used before: nothing was added. The workspace ${workspaceId} has a balance of ${balanceText}.\n`,
  );
}

/** Adds an amount, once for each reference. Answers whether this was the first time. */
async function addToBalance(
  database: Pick<Database, "transaction">,
  {
    workspaceId,
    reference,
    amount,
  }: { readonly workspaceId: string; readonly reference: string; readonly amount: bigint },
): Promise<boolean> {
  try {
    const [row] = await change(database, topUp, { workspaceId, reference, amount: String(amount) });
    return row?.isNew === true;
  } catch (error) {
    if (isOutOfRange(error)) {
      throw new CommandError("The balance would have more digits than can be stored. Nothing was changed.");
    }
    throw error;
  }
}
