import type { Finding } from "../../finding.ts";

/** For the person at the terminal: a line each, with what to do below it. */
export function formatFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ about }) => about.length));
  const lines = findings.map(({ verdict, about, found, advice }) => {
    const first = `${verdict.padEnd(longestVerdict)}  ${about.padEnd(width)}  ${found}.`;
    return advice === undefined ? first : `${first}\n${" ".repeat(longestVerdict + width + 4)}→ ${advice}.`;
  });
  return `${lines.join("\n")}\n\n`;
}

const longestVerdict = "warning".length;

/** Such as "1 fault, 2 warnings." */
export function summaryOf(findings: readonly Finding[]): string {
  const count = (verdict: Finding["verdict"]) => findings.filter((finding) => finding.verdict === verdict).length;
  return `${plural(count("fault"), "fault")}, ${plural(count("warning"), "warning")}.`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** For programs. */
export function findingsJson(findings: readonly Finding[]): string {
  const verdicts = ["fault", "warning"] as const;
  const verdict = verdicts.find((each) => findings.some((finding) => finding.verdict === each)) ?? "ok";
  return `${JSON.stringify({ verdict, findings }, undefined, 2)}\n`;
}
