import type { DescEnum, DescMessage } from "@bufbuild/protobuf";
import { type JsonStyle, jsonEnumName } from "./json-style.ts";

/**
 * Finds enums, in the messages and in all messages inside them, of which the style would write two values as the same word. Returns
 * one line for each pair.
 */
export function findEnumClashes(messages: Iterable<DescMessage>, style: JsonStyle): string[] {
  const enums = new Set<DescEnum>();
  const seen = new Set<DescMessage>();
  const pending = [...messages];
  for (let message = pending.pop(); message !== undefined; message = pending.pop()) {
    if (!seen.has(message)) {
      seen.add(message);
      for (const field of message.fields) {
        if (field.enum !== undefined) {
          enums.add(field.enum);
        }
        if (field.message !== undefined) {
          pending.push(field.message);
        }
      }
    }
  }
  return [...enums].flatMap((enumType) => clashesOf(enumType, style));
}

function clashesOf(enumType: DescEnum, style: JsonStyle): string[] {
  const names = new Map<string, string>();
  const clashes: string[] = [];
  for (const value of enumType.values) {
    const { name } = value;
    const word = jsonEnumName(value, style);
    const other = names.get(word);
    if (other !== undefined) {
      clashes.push(`${enumType.typeName}: ${other} and ${name} would both be written "${word}"`);
    }
    names.set(word, name);
  }
  return clashes;
}
