import type { LookupSummary } from "../batch/lookup-tally.ts";

/** Of countries. The others are counted together. */
const listed = 20;

/** A summary for people. */
export function summaryText(summary: LookupSummary, elapsedMs: number): string {
  const { numbers, problems, valid, invalid, unparseable, duplicates } = summary;
  const seconds = elapsedMs / 1_000;
  const rows: readonly (readonly [string, string])[] = [
    ["Numbers", `${count(numbers)} in ${seconds.toFixed(1)} s`],
    ["Valid", count(valid)],
    ["Invalid", `${count(invalid)}, ${count(unparseable)} of them unparseable`],
    ["Not looked up", count(problems)],
    ["Duplicates", count(duplicates)],
    ["Written as", list(summary.formats)],
    ["Line types", list(summary.lineTypes)],
    ["Countries", list(summary.countries)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join("");
}

const count = (number: number) => number.toLocaleString("en");

function list(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts);
  const rest = entries.slice(listed).reduce((sum, [, number]) => sum + number, 0);
  const parts = entries.slice(0, listed).map(([name, number]) => `${name} ${count(number)}`);
  return [...parts, ...(rest > 0 ? [`others ${count(rest)}`] : [])].join(", ") || "none";
}
