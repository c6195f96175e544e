import type { CountryCode } from "../../../text/numbering-plans.ts";
import { describeFields, type LookupField } from "../number-details.ts";
import type { PlanTables } from "../plan-tables.ts";
import { type BatchTurns, sliceMs } from "./batch-turns.ts";
import { type ItemResult, type LookupItem, lookUpItem } from "./lookup-item.ts";

export interface LookupBatchDependencies {
  readonly turns: BatchTurns;
  readonly tables: PlanTables;
}

export interface LookupBatchInput {
  readonly workspaceId: string;
  readonly items: readonly LookupItem[];
  /** The region of numbers in national form, where an item has none. */
  readonly country: CountryCode | undefined;
  /** What is told beyond the usual fields. */
  readonly fields: readonly LookupField[];
  /** Aborts when nobody waits for the results. */
  readonly signal: AbortSignal;
}

/** The result of an item, and the first item with the same number in E.164 form, if that is another one. */
export interface BatchResult {
  readonly result: ItemResult;
  readonly duplicateOf: number | undefined;
}

/**
 * Looks up a list of numbers, a slice at a time, so that other calls are answered between. The results are in the order of the items.
 * `onResult` is called for each, in the turn in which it was found.
 */
export async function lookUpBatch(
  { turns, tables }: LookupBatchDependencies,
  { workspaceId, items, country, fields, signal }: LookupBatchInput,
  onResult: (result: BatchResult, item: LookupItem) => void,
): Promise<void> {
  const describe = fields.length === 0 ? undefined : await describeFields(fields, tables);
  const firstOf = new Map<string, number>();
  let next = 0;
  const lookUpSlice = () => {
    const untilMs = performance.now() + sliceMs;
    for (let item = items[next]; item !== undefined; item = items[next]) {
      const result = lookUpItem(item, country, describe);
      const e164 = result.kind === "lookup" ? result.lookup.e164 : null;
      const duplicateOf = e164 === null ? undefined : firstOf.get(e164);
      if (e164 !== null && duplicateOf === undefined) {
        firstOf.set(e164, next);
      }
      onResult({ result, duplicateOf }, item);
      next += 1;
      if (performance.now() >= untilMs) {
        return;
      }
    }
  };
  while (next < items.length) {
    signal.throwIfAborted();
    await turns.run(workspaceId, lookUpSlice);
  }
}
