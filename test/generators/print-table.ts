import type { Outcome } from "./run-tool.ts";
import type { Stage } from "./tool.ts";

const stages: readonly Stage[] = ["generated", "compiled", "called"];

/** Prints a Markdown table with a row for each tool: the seconds of each stage, or what stopped it. */
export function printTable(outcomes: readonly Outcome[]): void {
  const rows = [["tool", "version", ...stages, "remark"], ...outcomes.map(rowOf)];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  // Remarks are long: padded, they would make every row so.
  widths.splice(-1, 1, 0);
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`);
  lines.splice(1, 0, `|${widths.map((width) => "-".repeat(Math.max(width, 1) + 2)).join("|")}|`);
  console.log(`\n${lines.join("\n")}`);
}

function rowOf(outcome: Outcome): string[] {
  const { tool } = outcome;
  return [tool.name, tool.version, ...stages.map((stage) => cellOf(outcome, stage)), remarkOf(outcome)];
}

function cellOf({ tool, seconds, failedStage, missing }: Outcome, stage: Stage): string {
  const spent = seconds[stage];
  if (spent !== undefined) {
    return `${spent.toFixed(1)} s`;
  }
  if (failedStage === stage) {
    return "FAILED";
  }
  if (missing.length > 0) {
    return "skipped";
  }
  return failedStage === undefined && tool.fault?.stage === stage ? "fault" : "–";
}

function remarkOf({ tool, missing, failedStage }: Outcome): string {
  if (missing.length > 0) {
    return `not installed: ${missing.join(", ")}`;
  }
  if (failedStage !== undefined || tool.fault === undefined) {
    return failedStage === undefined ? (tool.limitation ?? "") : "";
  }
  const { words, issue } = tool.fault;
  return `the tool's own fault: ${words}${issue === undefined ? "" : ` (${issue})`}`;
}
