import type { LineType, LookupResult } from "../lookup-number.ts";
import type { ItemResult } from "./lookup-item.ts";

/** How a number was written. */
export type NumberFormat = "e164" | "international" | "national" | "unparseable";

/** What was found in a list of numbers. */
export interface LookupSummary {
  readonly numbers: number;
  /** Items that could not be looked up. They are in none of the other counts. */
  readonly problems: number;
  readonly valid: number;
  readonly invalid: number;
  readonly unparseable: number;
  readonly duplicates: number;
  /** By ISO 3166-1 alpha-2 code. */
  readonly countries: Readonly<Record<string, number>>;
  /** Of those that are valid. */
  readonly lineTypes: Readonly<Partial<Record<LineType, number>>>;
  readonly formats: Readonly<Partial<Record<NumberFormat, number>>>;
}

/** Counts the results of a list as they come. It keeps counts only. */
export class LookupTally {
  #numbers = 0;
  #problems = 0;
  #valid = 0;
  #unparseable = 0;
  #duplicates = 0;
  readonly #countries = new Map<string, number>();
  readonly #lineTypes = new Map<string, number>();
  readonly #formats = new Map<string, number>();

  /** `isDuplicate`: an earlier number has the same E.164 form. */
  add(result: ItemResult, isDuplicate: boolean): void {
    this.#numbers += 1;
    if (result.kind === "problems") {
      this.#problems += 1;
      return;
    }
    const { lookup } = result;
    count(this.#formats, formatOf(lookup));
    if (lookup.e164 === null) {
      this.#unparseable += 1;
    }
    if (lookup.countryCode !== null) {
      count(this.#countries, lookup.countryCode);
    }
    if (lookup.valid) {
      this.#valid += 1;
      count(this.#lineTypes, lookup.lineType);
    }
    if (isDuplicate) {
      this.#duplicates += 1;
    }
  }

  get summary(): LookupSummary {
    return {
      numbers: this.#numbers,
      problems: this.#problems,
      valid: this.#valid,
      invalid: this.#numbers - this.#problems - this.#valid,
      unparseable: this.#unparseable,
      duplicates: this.#duplicates,
      countries: mostFirst(this.#countries),
      lineTypes: mostFirst(this.#lineTypes),
      formats: mostFirst(this.#formats),
    };
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function mostFirst(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([, one], [, other]) => other - one));
}

/** Spaces around a number are no part of how it was written. */
function formatOf({ input, e164 }: LookupResult): NumberFormat {
  if (e164 === null) {
    return "unparseable";
  }
  if (/^\s*\+\d+\s*$/.test(input)) {
    return "e164";
  }
  return /[+＋]/.test(input) ? "international" : "national";
}
