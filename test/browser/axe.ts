import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const script = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** WCAG 2.2, levels A and AA. */
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

interface AxeResult {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** What axe finds against WCAG 2.2 AA on a page, as lines to be read. */
export async function findAxeViolations(page: Page): Promise<readonly string[]> {
  // Not as a script element: the page's policy would refuse it.
  await page.evaluate(`${script};0`);
  // React Aria's announcer names, for some seconds, buttons that may have gone.
  const violations = await page.evaluate<readonly AxeResult[]>(
    `axe.run({ exclude: ["[data-live-announcer]"] }, { runOnly: ${JSON.stringify(tags)}, resultTypes: ["violations"] }).then(({ violations }) => violations)`,
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}\n${html}\n${failureSummary}`),
  );
}
