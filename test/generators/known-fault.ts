import type { Fault } from "./tool.ts";

/** What is wrong if a stage that should fail with a known fault ended like this: not at all, or with another failure. */
export function differenceTo(fault: Fault, failure: string | undefined): string | undefined {
  if (failure === undefined) {
    return `The tool's own fault is gone; take it off its file: ${fault.words}`;
  }
  return failure.includes(fault.output) ? undefined : `Not the known fault (${fault.words}):\n${failure}`;
}
