import { callPhases, type Phase, type VerificationCost } from "./verification-cost.ts";

/** Tables in Markdown of what a verification costs. */
export function costTables(cost: VerificationCost): string {
  return [phaseTable(cost), statementTable(cost), storageTable(cost)].join("\n\n");
}

export const kilobytes = (bytes: number) => (bytes / 1_024).toFixed(bytes < 10_240 ? 2 : 1);

function phaseTable({ phases, idle, count }: VerificationCost): string {
  return [
    "| step | of 100 verifications | PostgreSQL, CPU ms | server, CPU ms | WAL, KB | pages in WAL, KB | commits |",
    "|---|---|---|---|---|---|---|",
    ...phases.map((phase) => {
      const { use, serverMs, calls } = withoutIdle(phase, idle);
      const each = (value: number) => (value / calls).toFixed(2);
      return `| ${[
        phase.name,
        Math.round((100 * Math.min(calls, count)) / count),
        each(use.cpuMs),
        each(serverMs),
        kilobytes(use.walBytes / calls),
        kilobytes(use.pageBytes / calls),
        each(use.commits),
      ].join(" | ")} |`;
    }),
    ...(idle === undefined ? [] : [idleLine(idle)]),
  ].join("\n");
}

function idleLine({ use, serverMs }: Phase): string {
  const each = (value: number) => (value / use.seconds).toFixed(1);
  return `\nAn idle server, a second: ${each(use.cpuMs)} ms of PostgreSQL's CPU and ${each(serverMs)} ms of its own, \
${kilobytes(use.walBytes / use.seconds)} KB of WAL, ${each(use.commits)} commits.`;
}

/** What one verification takes, over all its steps. */
export interface Total {
  readonly cpuMs: number;
  readonly serverMs: number;
  readonly walBytes: number;
  readonly commits: number;
  /** Kept until the end of retention. */
  readonly keptBytes: number;
}

/** Those whose rows are kept for days, and are as many as verifications. */
const keptTables = ["verification", "event", "outbox", "delivery_attempt", "webhook_delivery", "ledger_entry"];

export function totalOf({ phases, idle, count, tables }: VerificationCost): Total {
  const sum = (read: (phase: Phase) => number) =>
    phases.reduce((total, phase) => {
      const own = withoutIdle(phase, idle);
      return total + (read(own) / own.calls) * (Math.min(own.calls, count) / count);
    }, 0);
  return {
    cpuMs: sum(({ use }) => use.cpuMs),
    serverMs: sum(({ serverMs }) => serverMs),
    walBytes: sum(({ use }) => use.walBytes),
    commits: sum(({ use }) => use.commits),
    keptBytes: tables
      .filter(({ name }) => keptTables.includes(name))
      .reduce((bytes, { tableBytes, indexBytes }) => bytes + (tableBytes + indexBytes) / count, 0),
  };
}

/** What the calls of each variant take. */
export function variantTable(costs: readonly VerificationCost[]): string {
  return [
    "| a verification's calls | PostgreSQL, CPU ms | server, CPU ms | WAL, KB | commits | kept, bytes |",
    "|---|---|---|---|---|---|",
    ...costs.map((cost) => {
      const calls = cost.phases.filter(({ name }) => callPhases.includes(name));
      const total = totalOf({ ...cost, phases: calls });
      const { cpuMs, serverMs, walBytes, commits, keptBytes } = total;
      return `| ${cost.variant} | ${cpuMs.toFixed(2)} | ${serverMs.toFixed(2)} | ${kilobytes(walBytes)} | ${commits.toFixed(2)} | ${Math.round(keptBytes)} |`;
    }),
  ].join("\n");
}

/** What the calls of a phase took, without what the server does by the clock. */
export function withoutIdle(phase: Phase, idle: Phase | undefined): Phase {
  if (idle === undefined) {
    return phase;
  }
  const share = phase.use.seconds / idle.use.seconds;
  return {
    ...phase,
    serverMs: phase.serverMs - share * idle.serverMs,
    use: {
      ...phase.use,
      cpuMs: phase.use.cpuMs - share * idle.use.cpuMs,
      walBytes: phase.use.walBytes - share * idle.use.walBytes,
      pageBytes: phase.use.pageBytes - share * idle.use.pageBytes,
      commits: phase.use.commits - share * idle.use.commits,
    },
  };
}

interface StatementRow {
  readonly name: string;
  calls: number;
  cpuMs: number;
  walBytes: number;
}

/** Each statement for one verification: as often as it was called, with the CPU time of the logged calls. */
export function statementRows({ phases, count, logged }: VerificationCost): readonly StatementRow[] {
  const rows = new Map<string, StatementRow>();
  for (const { use, calls: phaseCalls } of phases) {
    // The sweeps at the end had those of the warm-up, too.
    const all = Math.max(count, phaseCalls);
    for (const [id, { calls, walBytes }] of use.statements) {
      const known = logged.get(id);
      if (known !== undefined) {
        const row = rows.get(known.name) ?? { name: known.name, calls: 0, cpuMs: 0, walBytes: 0 };
        row.calls += calls / all;
        row.cpuMs += ((calls / all) * known.cpuMs) / Math.max(known.calls, 1);
        row.walBytes += walBytes / all;
        rows.set(known.name, row);
      }
    }
  }
  return [...rows.values()].sort((one, other) => other.cpuMs - one.cpuMs);
}

export function statementTable(cost: VerificationCost): string {
  return [
    "| statement | calls | CPU ms | WAL, KB |",
    "|---|---|---|---|",
    ...statementRows(cost)
      .filter(({ cpuMs, walBytes }) => cpuMs >= 0.005 || walBytes >= 50)
      .map(
        ({ name, calls, cpuMs, walBytes }) =>
          `| \`${name}\` | ${calls.toFixed(3)} | ${cpuMs.toFixed(3)} | ${kilobytes(walBytes)} |`,
      ),
  ].join("\n");
}

function storageTable({ tables, count }: VerificationCost): string {
  return [
    "| table | rows | updates | of these HOT | table, bytes | indexes, bytes |",
    "|---|---|---|---|---|---|",
    ...tables
      .filter(({ inserted, updated }) => (inserted + updated) / count >= 0.01)
      .sort((one, other) => other.tableBytes + other.indexBytes - one.tableBytes - one.indexBytes)
      .map((table) =>
        [
          "",
          `\`${table.name}\``,
          (table.inserted / count).toFixed(2),
          (table.updated / count).toFixed(2),
          table.updated === 0 ? "" : `${Math.round((100 * table.updatedInPlace) / table.updated)} %`,
          Math.round(table.tableBytes / count),
          Math.round(table.indexBytes / count),
          "",
        ]
          .join(" | ")
          .trim(),
      ),
  ].join("\n");
}
