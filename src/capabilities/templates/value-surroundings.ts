import { fillIn, type PlaceholderName, type TextParts } from "../channels/own-texts/message-template.ts";

/** How the text was read: cells of a table apart, or beside each other. Letters of another cell are not read as a part of a value. */
export type CellReading = "apart" | "beside";

/** Digits of any script and in circles, and those of Chinese. */
const digit = String.raw`\p{N}〇零一二三四五六七八九十百千万億亿壹贰叁肆伍陆柒捌玖`;

/** Stands for a value with digits. A blank keeps it apart, which it does not with digits of the text. */
const value = "\ue000";

/** Letters of scripts that write words without spaces between them, or endings at numbers. No digit looks like one of them. */
const spaceless = String.raw`\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}`;
const letter = String.raw`(?![${spaceless}])[\p{L}\p{M}]`;

/** Signs that make a larger, smaller or negative number of one, and those that stand between its digits. */
const sign = String.raw`+%‰−٪٫٬\p{Pd}\p{Sc}`;
const between = String.raw`.,:;'’´\u0060/\\*·_=~^|${sign}`;

/** The first of them is for cells apart. */
const before: Readonly<Record<CellReading, RegExp>> = {
  apart: new RegExp(String.raw`(?:${letter}|[.,${sign}]|(?:[${digit}${value}][${between}]*|[${digit}]\s*))$`, "u"),
  beside: new RegExp(String.raw`(?:[.,${sign}]|(?:[${digit}${value}][${between}]*|[${digit}]\s*))$`, "u"),
};
const sentenceEnd = String.raw`[.,](?!$|[\s\p{Pe}\p{Pf}"'!?.])`;
const after: Readonly<Record<CellReading, RegExp>> = {
  apart: new RegExp(
    String.raw`^(?:${letter}|[${sign}]|${sentenceEnd}|[${between}]*[${digit}${value}]|\s*[${digit}])`,
    "u",
  ),
  beside: new RegExp(String.raw`^(?:[${sign}]|${sentenceEnd}|[${between}]*[${digit}${value}]|\s*[${digit}])`, "u"),
};

/** As much as somebody reads together with a number. */
const reach = 16;

/** Other values beside one: a number, or a name, which can be one. */
const neighbours: Readonly<Record<PlaceholderName, string>> = {
  code: value,
  minutes: value,
  amount: value,
  time: value,
  brand: "x",
  payee: "x",
};

/**
 * Which of a line's codes and amounts somebody would read as another one, because of what stands beside it: `9{{code}}`, `{{amount}}00`.
 * Undefined: none.
 */
export function alteredValue(line: TextParts, cells: CellReading): PlaceholderName | undefined {
  for (const [index, part] of line.entries()) {
    if (typeof part === "string" || (part.placeholder !== "code" && part.placeholder !== "amount")) {
      continue;
    }
    // The comma of Chinese is as wide as a blank, and in no number.
    const fill = (parts: TextParts) =>
      fillIn(parts, (name) => neighbours[name])
        .replace(/，/g, "、")
        .normalize("NFKC");
    const left = fill(line.slice(Math.max(0, index - 3), index).map(end)).slice(-reach);
    const right = fill(line.slice(index + 1, index + 4).map(start)).slice(0, reach);
    if (before[cells].test(left) || after[cells].test(right)) {
      return part.placeholder;
    }
  }
  return undefined;
}

const end = (part: TextParts[number]) => (typeof part === "string" ? part.slice(-reach) : part);
const start = (part: TextParts[number]) => (typeof part === "string" ? part.slice(0, reach) : part);

/** Digits with little between two of them, such as `123 456` or `123 - 456`. */
const gaps = String.raw`\s.\-–·_*`;
const number = new RegExp(String.raw`\+?[${digit}]+(?:[${gaps}]{1,3}[${digit}]+)*`, "gu");
const notDigits = new RegExp(`[${gaps}+]`, "gu");
const run = new RegExp(`[${digit}]{4}`, "u");
const year = /^(?:19|20)\d\d(?:[-–](?:19|20)\d\d)?$/;
const phoneNumber = /^\+(?:[ .\u00a0-]?\d){8,15}$/;

/** Whether a line has a number in its own words that could be taken for the code. A year and an international phone number are none. */
export function hasOtherCode(ownLine: string): boolean {
  // Values begin no number; minutes go on with one.
  return [...ownLine.normalize("NFKC").matchAll(number)].some(([found]) => {
    const digits = found.replace(notDigits, "");
    return (run.test(found) || digits.length > 4) && !year.test(found) && !phoneNumber.test(found);
  });
}
