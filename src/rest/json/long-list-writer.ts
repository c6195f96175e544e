import { setImmediate as nextTurn } from "node:timers/promises";
import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { isChoiceWrapper, isListWrapper, jsonFieldName } from "./json-style.ts";
import type { JsonWriter } from "./json-writer.ts";
import { isMembers, membersOf } from "./value-type.ts";

/** Items that are written in one turn of the event loop: some 0.2 ms. */
const itemsPerTurn = 100;

/**
 * Compiles the writing of messages with a long list of messages: their JSON as text, a part of the list in each turn of the event loop, so that
 * other calls are answered between. Undefined for a message whose list is short, or has none: it is better written at once.
 */
export function compileLongListWriter(
  desc: DescMessage,
  writer: JsonWriter,
): (message: Message) => Promise<string> | undefined {
  const { style } = writer.options;
  const list = desc.fields.find(({ fieldKind }) => fieldKind === "list");
  // Otherwise an empty list, which says where the items go, would be left out.
  const isWritten = style.unsetFields === "null" && !hasCustomJsonRepresentation(desc);
  const held = list === undefined || !isWritten ? undefined : plainMessage(list, writer);
  if (list === undefined || held === undefined) {
    return () => undefined;
  }
  const { localName } = list;
  const name = jsonFieldName(list, style);
  const write = writer.message(desc);
  const writeItem = writer.message(held);
  return (message) => {
    const items = membersOf(message)[localName];
    return Array.isArray(items) && items.length > itemsPerTurn ? writeInTurns(message, items) : undefined;
  };

  async function writeInTurns(message: Message, items: readonly Message[]): Promise<string> {
    const rest = write({ ...message, ...{ [localName]: [] } });
    const members: string[] = [];
    for (const [key, value] of isMembers(rest) ? Object.entries(rest) : []) {
      members.push(`${JSON.stringify(key)}:${key === name ? `[${await itemsInTurns(items)}]` : JSON.stringify(value)}`);
    }
    return `{${members.join()}}`;
  }

  async function itemsInTurns(items: readonly Message[]): Promise<string> {
    const parts: string[] = [];
    for (let start = 0; start < items.length; start += itemsPerTurn) {
      await nextTurn();
      const part = JSON.stringify(items.slice(start, start + itemsPerTurn).map((item) => writeItem(item)));
      parts.push(part.slice(1, -1));
    }
    return parts.join();
  }
}

/** The type of a list's items, where they are messages that are written as objects. */
function plainMessage({ message }: DescField, { options: { style } }: JsonWriter): DescMessage | undefined {
  return message === undefined ||
    hasCustomJsonRepresentation(message) ||
    (style.unwrapsLists && isListWrapper(message)) ||
    (style.unwrapsChoices && isChoiceWrapper(message))
    ? undefined
    : message;
}
