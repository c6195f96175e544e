import type { JsonValue } from "@bufbuild/protobuf";
import { json, literal } from "./literal.ts";
import type { KeyExpression } from "./sample-call.ts";

/** Shells put the key into a word in double quotes, as curl and grpcurl are given headers. */
export const shellKey: KeyExpression = { text: "$BYONDAPI_KEY", quote: "" };

/** A value as JSON in single quotes. */
export function quotedJson(value: JsonValue): string {
  return `'${literal(value, json, "  ").replaceAll("'", "'\\''")}'`;
}

/** A command with an option a line. */
export function command(parts: readonly string[]): string {
  return parts.join(" \\\n  ");
}
