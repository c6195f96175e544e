import type { JsonValue } from "@bufbuild/protobuf";
import type { KeyExpression, SampleCall } from "../../../src/capabilities/reference/openapi/samples/sample-call.ts";
import type { Enum, Field, Model, Operation, Service } from "../model.ts";

/** What the samples of an operation show: one call of a method. */
export interface SdkCall {
  readonly service: Service;
  readonly operation: Operation;
  readonly credential: SampleCall["credential"];
  /** The arguments by position. */
  readonly path: readonly string[];
  /** The named arguments. Those that are left out have no example. */
  readonly parameters: readonly { readonly field: Field; readonly value: JsonValue }[];
}

/** An SDK, as a language of the samples. */
export interface SdkLanguage {
  readonly label: string;
  readonly lang: string;
  /** How its samples read the API key. The reference fills in what the samples without an SDK have: it is one of those. */
  readonly key: KeyExpression;
  /** Returns what writes a whole program that makes the call and prints the result. Programs end with an error if the call fails. */
  readonly sampleOf: (model: Model) => (call: SdkCall) => string;
}

/** The call of a method: on one line where that is short, else with a line for each of `members`. */
export function callText(
  open: string,
  members: readonly string[],
  close: string,
  { step, inline = ["", ""] }: { readonly step: string; readonly inline?: readonly [string, string] },
): string {
  const line = `${open}${members.length === 0 ? "" : inline[0] + members.join(", ") + inline[1]}${close}`;
  return line.length <= 72 || members.length === 0
    ? line
    : `${open}\n${members.map((member) => `${step}${member},\n`).join("")}${close}`;
}

/** The value of an enum with this word. */
export function enumValue({ enums }: Model, name: string, word: JsonValue): Enum["values"][number] {
  const value = enums.find((one) => one.name === name)?.values.find((one) => one.word === word);
  if (value === undefined) {
    throw new Error(`${name} has no word ${JSON.stringify(word)}`);
  }
  return value;
}
