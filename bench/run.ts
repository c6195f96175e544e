/**
 * `npm run bench`: measures Byond against what people would use in its place, and prints one table of ratios. `npm run bench -- lookup start`
 * measures some rows of it; `--rounds` and `--seconds` say how long. How to read it: docs/performance.md.
 */
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { Postgres } from "./databases.ts";
import { guardSimulation } from "./guard/guard-simulation.ts";
import { verificationReport } from "./report/verification-report.ts";
import type { Outcome, Row, Run, Simulation } from "./row.ts";
import { betterAuthRows } from "./rows/better-auth.ts";
import { guardRows } from "./rows/guard.ts";
import { lookupRows } from "./rows/lookup.ts";
import { lookupBatchRows } from "./rows/lookup-batch.ts";
import { priceRows } from "./rows/prices.ts";
import { sizeRows } from "./rows/size.ts";
import { verifyRows } from "./rows/verify.ts";
import { webhookRows } from "./rows/webhook.ts";
import { partitions } from "./scale/partitions.ts";
import { scale } from "./scale/scale.ts";

const rows: readonly Row[] = [
  ...lookupRows,
  ...lookupBatchRows,
  ...verifyRows,
  ...guardRows,
  ...priceRows,
  ...webhookRows,
  ...betterAuthRows,
  ...sizeRows,
];

/** What has a table of its own. */
const simulations: readonly Simulation[] = [guardSimulation, verificationReport, scale, partitions];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    "fresh-starts": { type: "string", default: "20000" },
  },
});
const names = [...rows, ...simulations].map(({ name }) => name);
const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`There is no row ${unknown.join(", ")}. The rows: ${names.join(", ")}.`);
  process.exit(1);
}
const isWanted = ({ name }: { readonly name: string }) => positionals.length === 0 || positionals.includes(name);
const wanted = rows.filter(isWanted);

await using postgres = await Postgres.start();
const [cpu] = cpus();
const { rounds, seconds } = values;
console.log(`Machine: ${cpu?.model.trim()}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}, \
Node ${process.version}, PostgreSQL ${await postgres.version}; load average at the start ${loadavg()[0]?.toFixed(1)}.`);
console.log(`Method: servers, database and load share the machine; both sides are measured in turns, ${seconds} s each, ${rounds} rounds; \
the ratio is the median of the rounds, its range in brackets. "Load" is the part of one core that the load took, at most.\n`);

/** Tells how far the run is. */
const noteOf = (name: string) => (text: string) =>
  console.error(`${Math.round(performance.now() / 1_000)} s ${name}: ${text}`);

const outcomes: { row: Row; outcome: Outcome }[] = [];
for (const row of wanted) {
  const run: Run = {
    postgres,
    rounds: Number(rounds),
    seconds: Number(seconds),
    freshStarts: Number(values["fresh-starts"]),
    note: noteOf(row.name),
  };
  try {
    outcomes.push({ row, outcome: await row.measure(run) });
  } catch (error) {
    process.exitCode = 1;
    console.error(error);
    outcomes.push({ row, outcome: { kind: "left out", why: "it failed, see above" } });
  }
}

if (outcomes.length > 0) {
  printRows();
}
for (const simulation of simulations.filter(isWanted)) {
  console.log(`\n## ${simulation.title}\n`);
  console.log(await simulation.run(postgres, noteOf(simulation.name)));
}

function printRows(): void {
  console.log("| row | Byond | against | Byond | other | ratio | now | goal | load |");
  console.log("|---|---|---|---|---|---|---|---|---|");
  const cells = ({ row, outcome }: (typeof outcomes)[number]) =>
    outcome.kind === "measured"
      ? [
          outcome.ours,
          outcome.theirs,
          `**${outcome.ratio.toFixed(2)}** (${outcome.least.toFixed(2)}–${outcome.most.toFixed(2)})`,
          row.now,
          row.goal,
          outcome.busy === undefined ? "" : `${Math.round(outcome.busy * 100)} %`,
        ]
      : ["", "", outcome.why, row.now, row.goal, ""];
  for (const one of outcomes) {
    console.log(`| ${[one.row.name, one.row.what, one.row.against, ...cells(one)].join(" | ")} |`);
  }
  for (const { row, outcome } of outcomes) {
    for (const remark of (outcome.kind === "measured" && outcome.remarks) || []) {
      console.log(`\n${row.name}: ${remark}`);
    }
  }
}
