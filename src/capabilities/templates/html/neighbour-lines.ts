/**
 * Cells beside each other have edges, but a template can make them meet: `9` at the right of one cell and the code at the left of the next.
 * `valign`, spaces and sizes of letters move the lines of one along those of the other, so that any two may stand beside each other.
 */
import {
  fillIn,
  type PlaceholderName,
  placeholdersOf,
  type TextParts,
} from "../../channels/own-texts/message-template.ts";
import { directionOf } from "../../channels/texts/bidi.ts";
import { parsePlaceholders } from "../parse-placeholders.ts";
import { hanDigits, multipliers, value } from "../value-surroundings.ts";
import type { HtmlNode } from "./html-tree.ts";
import { visibleText } from "./render-tree.ts";

type Altered = "code" | "amount";

/**
 * A code or an amount that another cell of its row could make another one: each of its lines is read with each of theirs. They are few, as a
 * row has a height of 720 pixels at most (`layout-check.ts`). Undefined: none. From right to left, the first cell is the right one; any part
 * of a template can be so, and then a line is read at both sides.
 */
export function alteredInRow(nodes: readonly HtmlNode[], isRightToLeft: boolean): Altered | undefined {
  for (const node of nodes) {
    if (!("text" in node)) {
      const found =
        alteredInRow(node.children, isRightToLeft) ??
        (node.name === "tr" ? alteredIn(node.children.map(edgesOf), isRightToLeft) : undefined);
      if (found !== undefined) {
        return found;
      }
    }
  }
  return undefined;
}

/** How the lines of a cell begin and end. */
interface Edges {
  /** A code or an amount that a line begins or ends with. */
  readonly valueAtStart: Altered | undefined;
  readonly valueAtEnd: Altered | undefined;
  /** Whether a line begins as a number goes on, or ends as one begins. */
  readonly goesOn: boolean;
  readonly begins: boolean;
}

function alteredIn(cells: readonly Edges[], isRightToLeft: boolean): Altered | undefined {
  for (const [index, cell] of cells.entries()) {
    const others = cells.filter((_, other) => other !== index);
    const left = isRightToLeft ? others : cells.slice(0, index);
    const right = isRightToLeft ? others : cells.slice(index + 1);
    const found =
      (left.some(({ begins }) => begins) ? cell.valueAtStart : undefined) ??
      (right.some(({ goesOn }) => goesOn) ? cell.valueAtEnd : undefined);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

function edgesOf(cell: HtmlNode): Edges {
  const lines = visibleText([cell], "apart").split("\n").map(partsOf);
  const first = <Value>(of: (line: TextParts) => Value | undefined) =>
    lines.map(of).find((value) => value !== undefined);
  const valueIn = (line: TextParts, isAtEdge: boolean, place: 0 | -1): Altered | undefined => {
    const name = isAtEdge ? placeholdersOf(line).at(place) : undefined;
    return name === "code" || name === "amount" ? name : undefined;
  };
  return {
    valueAtStart: first((line) => valueIn(line, startsWithValue.test(startOf(line)), 0)),
    valueAtEnd: first((line) => valueIn(line, endsWithValue.test(endOf(line)), -1)),
    goesOn: lines.some((line) => numberAtStart.test(startOf(line))),
    begins: lines.some((line) => numberAtEnd.test(endOf(line))),
  };
}

function partsOf(line: string): TextParts {
  const parsed = parsePlaceholders(line);
  return "parts" in parsed ? parsed.parts : [line];
}

/** As much as somebody reads together with a number. */
const reach = 32;
const filled = (line: TextParts, values: Readonly<Record<PlaceholderName, string>>) =>
  fillIn(line, (name) => values[name])
    .normalize("NFKC")
    .trim();
/** Stands for minutes after a value: `5 minutes` has a word of its own, and so has every time. */
const minutes = "\ue001";
const values = { code: value, amount: value, brand: "x", payee: "x", time: "x" } as const;
const startOf = (line: TextParts) => filled(line, { ...values, minutes }).slice(0, reach);
const endOf = (line: TextParts) => filled(line, { ...values, minutes: value }).slice(-reach);

/** Digits of any script, those of Chinese and Korean, what multiplies them, and what looks like a zero or a one. */
const looksLikeDigit = "OoIlОоΟο口囗ㅇဝ";
const digit = String.raw`(?:[\p{N}${value}○◯⭕⚪${hanDigits}${multipliers}]|(?<![\p{L}\p{M}])[${looksLikeDigit}]+(?![\p{L}\p{M}]))`;
/** Blanks, punctuation and signs. */
const gap = String.raw`[^\p{L}\p{M}\p{N}${value}]*`;
const sign = String.raw`[%‰٪\p{Pd}\p{Sc}+−±×*^]`;

const startsWithValue = new RegExp(`^${gap}${value}`, "u");
const endsWithValue = new RegExp(`${value}${gap}$`, "u");
const numberAtStart = new RegExp(`^(?:${gap}${digit}|${sign}|${gap}${minutes}(?!\\s*\\p{L}))`, "u");
const numberAtEnd = new RegExp(`(?:${digit}${gap}|${sign}|(?:^|\\s)[.,])$`, "u");

/** Whether a part of a tree may be written from right to left: by an attribute, or by a letter of such a script. */
export function hasRightToLeft(nodes: readonly HtmlNode[]): boolean {
  return nodes.some((node) =>
    "text" in node
      ? directionOf(node.text) === "rtl"
      : node.attributes.get("dir")?.toLowerCase() === "rtl" || hasRightToLeft(node.children),
  );
}
