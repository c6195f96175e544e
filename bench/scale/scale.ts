/** `npm run bench -- scale`: what a verification costs PostgreSQL, and what follows for many of them. How to read it: docs/scale.md. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Postgres } from "../databases.ts";
import { runFolder } from "../processes.ts";
import type { Simulation } from "../row.ts";
import { callApi } from "../verify-workspace.ts";
import { openWebhookReceiver } from "../webhook-receiver.ts";
import { costTables, statementRows, statementTable, totalOf, variantTable } from "./cost-tables.ts";
import { type FullTablesCost, fullCount, measureFullTables } from "./full-tables.ts";
import { meterSettings } from "./postgres-meter.ts";
import { assumptions, type Costs, loadTable, machineTable, pagesWritten } from "./simulate-loads.ts";
import { measureVerifications, type Variant, type VerificationCost } from "./verification-cost.ts";

export const scale: Simulation = {
  name: "scale",
  title: "What one PostgreSQL bears",
  async run(_, note) {
    await using postgres = await Postgres.start("scale", meterSettings);
    await using receiver = await openWebhookReceiver();
    const plain = await measureVerifications(postgres, { name: "text messages" }, note);
    const others: VerificationCost[] = [];
    for (const variant of [priced(), followed(receiver.url, receiver.environment)]) {
      others.push(await measureVerifications(postgres, variant, note));
    }
    const full = await measureFullTables(postgres, note);
    const costs = costsOf(plain, full);
    return [
      costTables(plain),
      variantTable([plain, ...others]),
      ...others.map((cost) => `${cost.variant}:\n\n${statementTable(cost)}`),
      fullTable(full),
      `Assumed: ${JSON.stringify(assumptions)}`,
      loadTable(costs),
      machineTable(costs),
    ].join("\n\n");
  },
};

function priced(): Variant {
  const path = join(runFolder, "prices.json");
  writeFileSync(path, JSON.stringify({ currency: "EUR", digits: 4, messages: { sms: { default: 700, DE: 730 } } }));
  return {
    name: "with prices",
    environment: { PRICES: path },
    prepare: (client) => client.query("SELECT balance_top_up(id, 'bench', 1000000000000) FROM workspace"),
    callsOnly: true,
  };
}

function followed(url: string, environment: Readonly<Record<string, string>>): Variant {
  const events = ["verification.started", "verification.delivered", "verification.approved"];
  return {
    name: "with a webhook that takes the events",
    environment,
    prepare: (_, byond, key) => callApi(byond.url, key, "/webhooks", { url, events }),
    callsOnly: true,
  };
}

function costsOf(plain: VerificationCost, full: FullTablesCost): Costs {
  const { idle } = plain;
  if (idle === undefined) {
    throw new Error("an idle server was not measured");
  }
  return {
    verification: totalOf(plain),
    numberingMs: statementRows(plain).find(({ name }) => name === "number_events")?.cpuMs ?? Number.NaN,
    idle: { cpuMs: idle.use.cpuMs / idle.use.seconds, walBytes: idle.use.walBytes / idle.use.seconds },
    random: full.relations
      .filter(({ name }) => name.startsWith("verification"))
      .map((relation) => ({ ...relation, bytesEach: relation.bytes / fullCount })),
  };
}

function fullTable({ count, use, relations }: FullTablesCost): string {
  return [
    `With ${fullCount.toLocaleString("en")} verifications, ${count.toLocaleString("en")} after a checkpoint, each: ${(use.cpuMs / count).toFixed(2)} ms of CPU, \
${(use.walBytes / count / 1_024).toFixed(1)} KB of WAL, and ${(use.pageBytes / count / 1_024).toFixed(1)} KB of pages.`,
    "",
    "| table or index | size, MB | pages written as a whole | computed |",
    "|---|---|---|---|",
    ...relations.map(
      ({ name, bytes, pages }) =>
        `| \`${name}\` | ${(bytes / 1e6).toFixed(1)} | ${pages} | ${Math.round(pagesWritten(bytes, count))} |`,
    ),
  ].join("\n");
}
