import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";

export interface LowContrastText {
  readonly text: string;
  readonly ratio: number;
}

// Not TypeScript: it runs in the page, and the browser's types are not available to the rest of the tests.
const script = readFileSync(join(import.meta.dirname, "low-contrast.js"), "utf8");

/** Texts below an element whose contrast with their background is lower than WCAG 2.2 §1.4.3 asks for: 4.5 to 1. */
export function findLowContrastTexts(page: Page, selector: string): Promise<readonly LowContrastText[]> {
  return page.evaluate<readonly LowContrastText[]>(`${script}\nfindLowContrastTexts(${JSON.stringify(selector)})`);
}
