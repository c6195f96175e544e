import smpp from "smpp";
import type { PduFields } from "./smpp-pdu.ts";

export interface TextEncoding {
  /** What the SMSC reads as its default alphabet (`data_coding` 0): GSM 03.38, an octet for each septet, or Latin-1. */
  readonly defaultAlphabet: "gsm7" | "latin1";
  /** How a text that is longer than one message is sent: as parts with a header that phones join them by, or whole in the parameter `message_payload`. */
  readonly longMessages: "udh" | "payload";
}

/** The text of a message, as the parameters of each `submit_sm` that it takes. */
export interface EncodedText {
  readonly parts: readonly PduFields[];
  /** The short messages that a phone gets, and that are paid for. */
  readonly segments: number;
}

/** What fits into one message, and into a part beside its header: GSM 03.40, §9.2.3.24.1. In septets, and in UTF-16 units. */
const limits = { gsm: { alone: 160, part: 153 }, ucs2: { alone: 70, part: 67 } } as const;

const usesUdh = 0x40;
const ucs2Coding = 8;

/**
 * Encodes a text in the default alphabet if that has all its characters, else as UCS-2. `reference` (0–255) joins the parts of a long
 * message: a repetition has the same one, so that a phone takes a part that it has for what it is.
 */
export function encodeText(text: string, encoding: TextEncoding, reference: number): EncodedText {
  const isGsm = isInDefaultAlphabet(text, encoding.defaultAlphabet);
  const { alone, part } = isGsm ? limits.gsm : limits.ucs2;
  const encode = isGsm ? encodersOfDefault[encoding.defaultAlphabet] : encodeUcs2;
  const units = isGsm ? septets : (character: string) => character.length;
  const data_coding = isGsm ? 0 : ucs2Coding;
  const characters = [...text];
  const chunks = split(characters, units, alone);
  if (chunks.length === 1) {
    return { parts: [{ data_coding, short_message: encode(text) }], segments: 1 };
  }
  const parts = split(characters, units, part);
  if (encoding.longMessages === "payload") {
    return { parts: [{ data_coding, message_payload: encode(text) }], segments: parts.length };
  }
  return {
    parts: parts.map((chunk, index) => ({
      esm_class: usesUdh,
      data_coding,
      short_message: Buffer.concat([
        Buffer.from([5, 0, 3, reference, parts.length, index + 1]),
        encode(chunk.join("")),
      ]),
    })),
    segments: parts.length,
  };
}

const encodersOfDefault: Readonly<Record<TextEncoding["defaultAlphabet"], (text: string) => Buffer>> = {
  gsm7: encodeGsm,
  latin1: (text) => Buffer.from(text, "latin1"),
};

function isInDefaultAlphabet(text: string, alphabet: TextEncoding["defaultAlphabet"]): boolean {
  // The escape to the extension table is no character of a text.
  const isGsm = smpp.encodings.ASCII.match(text) && !text.includes("\u001b");
  return isGsm && (alphabet === "gsm7" || [...text].every((character) => character <= "\u00ff"));
}

function encodeGsm(text: string): Buffer {
  return smpp.encodings.ASCII.encode(text);
}

function encodeUcs2(text: string): Buffer {
  return Buffer.from(text, "utf16le").swap16();
}

/** 2 for characters of the extension table, else 1. An SMSC whose default is Latin-1 converts to GSM 03.38, too. */
function septets(character: string): number {
  return encodeGsm(character).length;
}

/** Cuts between characters, so that no chunk has more than `limit` units. */
function split(characters: readonly string[], unitsOf: (character: string) => number, limit: number): string[][] {
  const chunks: string[][] = [[]];
  let used = 0;
  for (const character of characters) {
    const units = unitsOf(character);
    if (used + units > limit) {
      chunks.push([]);
      used = 0;
    }
    chunks.at(-1)?.push(character);
    used += units;
  }
  return chunks;
}
