import { PassThrough, Readable } from "node:stream";
import { expect, test } from "vitest";
import { parseConfig, standardCapabilities } from "../../../src/app.ts";
import type { Prices } from "../../../src/capabilities/balance/prices.ts";
import { commandContext, commandsOf } from "../../../src/process/operator-commands.ts";
import { addressOf } from "../../support/database-address.ts";
import { captureLog } from "../../support/log-capture.ts";
import { openWorkspace, query, usePricedApp } from "./balance-fixture.ts";

const prices: Prices = { currency: "EUR", digits: 4, messages: {}, lookup: 0 };
const app = usePricedApp({ prices });

async function topUp(options: Readonly<Record<string, string>>): Promise<string> {
  let written = "";
  const capabilities = standardCapabilities();
  const database = { kind: "external", address: addressOf(app.databaseUrl) } as const;
  const config = { ...parseConfig({}), database, prices, secrets: undefined };
  const context = commandContext(config, capabilities, {
    logger: captureLog().logger,
    options,
    input: Readable.from([]),
    environment: {},
    write: (text) => {
      written += text;
    },
    output: new PassThrough().resume(),
    terminal: new PassThrough().resume(),
  });
  await commandsOf(capabilities).get("top-up")?.run(context);
  return written;
}

test("top-up adds to a balance, once for each reference, and takes from it", async () => {
  const { workspaceId: workspace, session } = await openWorkspace(app, 0);
  const invoice = { workspace, amount: "50", reference: "invoice 1" };
  expect(await topUp(invoice)).toContain("now has a balance of 50.0000 EUR");
  expect(await topUp(invoice)).toContain("nothing was added");
  expect(await topUp({ workspace, amount: "-0.5" })).toContain("now has a balance of 49.5000 EUR");
  const { body } = await app.rest("GET", "/balance/entries", { session });
  expect(body.entries).toMatchObject([
    { kind: "correction", amount: "-0.5000" },
    { kind: "top_up", amount: "50.0000", reference: "invoice 1" },
  ]);
});

test("top-up says what is wrong, and adds nothing", async () => {
  const { workspaceId: workspace } = await openWorkspace(app, 0);
  const problem = "--amount must be an amount with at most 12 digits before the point and 4 after it, and not 0.";
  await expect(topUp({ workspace, amount: "0.00001" })).rejects.toThrow(problem);
  await expect(topUp({ workspace, amount: "1000000000000" })).rejects.toThrow(problem);
  await expect(topUp({ workspace, amount: "0" })).rejects.toThrow(problem);
  await expect(topUp({ amount: "1", workspace: "ws_none" })).rejects.toThrow("There is no workspace ws_none.");
  expect(await topUp({ workspace, amount: "1" })).toContain("now has a balance of 1.0000 EUR");
});

test("amounts are exact, however many digits they have, and a balance is never larger than can be stored", async () => {
  const { workspaceId: workspace } = await openWorkspace(app, 0);
  expect(await topUp({ workspace, amount: "999999999999.9999" })).toContain("a balance of 999999999999.9999 EUR");
  expect(await topUp({ workspace, amount: "-999999999999.9998" })).toContain("a balance of 0.0001 EUR");
  await query(app.databaseUrl, "UPDATE wallet SET balance = 9223372036854775807 WHERE workspace_id = $1", [workspace]);
  await expect(topUp({ workspace, amount: "0.0001", reference: "too much" })).rejects.toThrow(
    "The balance would have more digits than can be stored. Nothing was changed.",
  );
  const named = "SELECT FROM ledger_entry WHERE workspace_id = $1 AND reference = 'too much'";
  expect(await query(app.databaseUrl, named, [workspace])).toEqual([]);
});
