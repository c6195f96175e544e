/** Computes, of what was measured for one verification, what many of them need. Nothing is measured here. */
import type { Total } from "./cost-tables.ts";
import type { PageWrites } from "./full-tables.ts";

export interface Costs {
  readonly verification: Total;
  /** CPU time of giving a verification's events their positions, which one transaction at a time does. */
  readonly numberingMs: number;
  /** Of one server that has nothing to do, a second. */
  readonly idle: { readonly cpuMs: number; readonly walBytes: number };
  /** What has its entries in no order of time, and how large it is for each verification that is kept. */
  readonly random: readonly (PageWrites & { readonly bytesEach: number })[];
}

/** Assumed, not measured. */
export const assumptions = {
  retentionDays: 30,
  /** The part of a core that calls may take before they wait for long. */
  usableCpu: 0.6,
  /** Dead rows and free space, where autovacuum begins at a fifth. */
  bloat: 1.25,
  connectionsPerServer: 12,
  checkpointMinutes: 5,
  pageBytes: 8_192,
} as const;

const loads = [10, 50, 100, 300, 1_000, 2_000, 5_000];

export interface Need {
  readonly perSecond: number;
  readonly postgresCores: number;
  readonly servers: number;
  readonly connections: number;
  /** Of the one transaction that gives events their positions: 1 is all there is. */
  readonly numbering: number;
  readonly walMegabytes: number;
  readonly terabytes: number;
}

/** What a load needs that goes on day and night. */
export function needOf(costs: Costs, perSecond: number): Need {
  const { verification, numberingMs, idle, random } = costs;
  const { retentionDays, usableCpu, bloat, connectionsPerServer, checkpointMinutes } = assumptions;
  const servers = Math.max(2, Math.ceil((perSecond * verification.serverMs) / 1_000 / usableCpu));
  const kept = perSecond * 86_400 * retentionDays;
  const changes = perSecond * checkpointMinutes * 60;
  const pages = random.reduce((sum, index) => sum + pagesWritten(index.bytesEach * kept, changes) / changes, 0);
  return {
    perSecond,
    postgresCores: (perSecond * verification.cpuMs + servers * idle.cpuMs) / 1_000 / usableCpu,
    servers,
    connections: servers * connectionsPerServer + 2,
    numbering: (perSecond * numberingMs) / 1_000,
    walMegabytes: (perSecond * (verification.walBytes + pages * assumptions.pageBytes) + servers * idle.walBytes) / 1e6,
    terabytes: (kept * verification.keptBytes * bloat) / 1e12,
  };
}

/** How many pages of an index `changes` at random places meet: each is written once as a whole after a checkpoint. */
export function pagesWritten(indexBytes: number, changes: number): number {
  const pages = indexBytes / assumptions.pageBytes;
  return pages * (1 - Math.exp(-changes / pages));
}

export function loadTable(costs: Costs): string {
  return [
    `| starts a second | cores of PostgreSQL | servers | connections | numbering | WAL, MB/s | kept for ${assumptions.retentionDays} days, TB |`,
    "|---|---|---|---|---|---|---|",
    ...loads.map((perSecond) => {
      const need = needOf(costs, perSecond);
      return `| ${[
        perSecond.toLocaleString("en"),
        need.postgresCores.toFixed(1),
        need.servers,
        need.connections,
        `${Math.round(need.numbering * 100)} %`,
        need.walMegabytes.toFixed(1),
        need.terabytes.toFixed(2),
      ].join(" | ")} |`;
    }),
  ].join("\n");
}

/** Machines to choose from. */
const machines = [
  { cores: 4, terabytes: 0.5, walPerSecond: 50 },
  { cores: 16, terabytes: 4, walPerSecond: 200 },
  { cores: 64, terabytes: 16, walPerSecond: 500 },
];

/** How much of each a machine has, in starts a second: the least is what it bears. */
export function machineTable(costs: Costs): string {
  const one = needOf(costs, 1_000);
  const round = (value: number) => Math.round(value).toLocaleString("en");
  return [
    "| cores, disk, WAL | by CPU | by disk | by WAL | by numbering | bears |",
    "|---|---|---|---|---|---|",
    ...machines.map(({ cores, terabytes, walPerSecond }) => {
      const limits = [
        (1_000 * cores) / one.postgresCores,
        (1_000 * terabytes) / one.terabytes,
        (1_000 * walPerSecond) / one.walMegabytes,
        (1_000 * assumptions.usableCpu) / one.numbering,
      ];
      return `| ${cores}, ${terabytes} TB, ${walPerSecond} MB/s | ${limits.map(round).join(" | ")} | **${round(Math.min(...limits))}/s** |`;
    }),
  ].join("\n");
}
