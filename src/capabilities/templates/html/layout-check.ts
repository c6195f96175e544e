/**
 * Judges where the texts of a template come to stand, by the least window that a mail is read in: 320 pixels. What styles can say keeps boxes
 * from lying over each other (`style-rules.ts`). What is left is that a text is squeezed to nothing or pushed far down, and both are sums:
 * each box has the width of the one around it, less the spaces at its sides, or an equal part of it beside other cells; and each text stands
 * below the spaces, lines and pictures before it. Heights are estimated from above.
 */
import { layoutLimits } from "../templates.policy.ts";
import { allowedElements } from "./allowed-html.ts";
import type { HtmlElement, HtmlNode } from "./html-tree.ts";
import { declarationsOf, maxBorder } from "./style-rules.ts";
import { lookIn, lookProblem, type TextLook } from "./text-look.ts";

interface Box {
  readonly look: TextLook;
  /** For what stands in it, in pixels. */
  readonly width: number;
  /** Of a table: what each of its cells has around its content, unless it says so itself. */
  readonly cellPadding: number;
}

/** What is wrong, after "must not contain", and where. */
interface LayoutProblem {
  readonly problem: string;
  readonly at: number;
}

/** What is wrong with the first text or box that could not be seen. Undefined if nothing is. */
export function layoutProblem(nodes: readonly HtmlNode[], page: TextLook): LayoutProblem | undefined {
  return new LayoutCheck().check(nodes, { look: page, width: layoutLimits.pageWidth, cellPadding: 0 });
}

class LayoutCheck {
  /** From the first box to the current one. */
  #height = 0;
  /** Where the last text that can be seen ended. */
  #lastText = 0;
  readonly #placed = new Set<string>();

  check(nodes: readonly HtmlNode[], box: Box): LayoutProblem | undefined {
    for (const node of nodes) {
      const found = "text" in node ? this.#checkText(node.text, node.at, box) : this.#checkElement(node, box);
      if (found !== undefined) {
        return found;
      }
    }
    return undefined;
  }

  #checkText(text: string, at: number, { look, width }: Box): LayoutProblem | undefined {
    // Of blanks, those that do not collapse take a place.
    if (!/[^ \t\r\n]/.test(text)) {
      return undefined;
    }
    const heightOf = (length: number) =>
      Math.ceil((length * (look.fontPixels + look.letterSpacing)) / width) * look.fontPixels * look.lineHeight;
    const top = this.#height;
    this.#height += heightOf(text.length);
    if (!shownCharacter.test(text)) {
      return undefined;
    }
    if (top - this.#lastText > layoutLimits.maxGap) {
      return { problem: `more than ${layoutLimits.maxGap} pixels without text before a text`, at };
    }
    this.#lastText = this.#height;
    for (const { 1: name = "", index } of text.matchAll(/\{\{\s*(code|payee|amount)\s*\}\}/g)) {
      if (!this.#placed.has(name) && top + heightOf(index) > layoutLimits.maxHeightBefore) {
        return { problem: `so much before {{${name}}}: it would stand far below what is seen first`, at };
      }
      this.#placed.add(name);
    }
    const problem = lookProblem(look);
    return problem === undefined ? undefined : { problem, at };
  }

  #checkElement(element: HtmlElement, around: Box): LayoutProblem | undefined {
    const { name, attributes, children, at } = element;
    const kind = allowedElements.get(name)?.kind;
    const look = lookIn(name, attributes, around.look);
    if (name === "br") {
      this.#height += look.fontPixels * look.lineHeight;
      return undefined;
    }
    if (kind === "picture") {
      this.#height += Number(attributes.get("height"));
      return Number(attributes.get("width")) > around.width
        ? { problem: `a picture wider than ${Math.floor(around.width)} pixels here, ${inWindow}`, at }
        : undefined;
    }
    if (kind === "inline") {
      return this.check(children, { ...around, look });
    }
    const style = declarationsOf(attributes.get("style") ?? "");
    const spaces = spacesOf(element, style, around.cellPadding, look.fontPixels);
    const columns = kind === "table" ? columnsOf(element) : 1;
    if (columns === undefined) {
      return { problem: "rows with different numbers of cells in a <table>", at };
    }
    const isWhole = style.get("width") === "100%" || attributes.get("width") === "100%";
    if (columns > 1 && !(isWhole && style.get("table-layout") === "fixed")) {
      return { problem: `cells beside each other except in a table of the whole width: ${fixedTable}`, at };
    }
    const maxWidth = pixelsOf(style.get("max-width")) ?? around.width;
    const gaps = kind === "table" ? spacingOf(attributes, style) : 0;
    const width = (Math.min(around.width - spaces.sides, maxWidth) - gaps * (columns + 1)) / columns;
    if (width < layoutLimits.minWidth) {
      return { problem: `a <${name}> with less than ${layoutLimits.minWidth} pixels for its content, ${inWindow}`, at };
    }
    this.#height += spaces.above + gaps;
    const top = this.#height;
    // A border of a table is one of its cells, too.
    const cellPadding =
      kind === "table"
        ? Number(attributes.get("cellpadding") ?? 1) + (attributes.has("border") ? 1 : 0)
        : around.cellPadding;
    const found = this.check(children, { look, width, cellPadding: kind === "cell" ? 0 : cellPadding });
    if (found !== undefined) {
      return found;
    }
    const isBeside = kind === "row" && children.filter((child) => !("text" in child)).length > 1;
    if (isBeside && this.#height - top > layoutLimits.maxRowHeight) {
      return { problem: "so much in cells beside each other: what one has would push the others down", at };
    }
    this.#height += spaces.below + gaps;
    return undefined;
  }
}

/** Braille without dots and the fillers of Hangul are letters that nobody sees. */
const shownCharacter = /[^\s\u115f\u1160\u2800\u3164\uffa0]/;
const fixedTable = '<table width="100%" style="table-layout: fixed">';
const inWindow = "in a window of 320";

/** How many cells each row has. Undefined if not all have the same. */
function columnsOf(table: HtmlElement): number | undefined {
  const elements = (nodes: readonly HtmlNode[]) => nodes.filter((node): node is HtmlElement => !("text" in node));
  const rows = elements(table.children).flatMap((child) => (child.name === "tr" ? [child] : elements(child.children)));
  const counts = new Set(rows.map((row) => elements(row.children).length));
  return counts.size > 1 ? undefined : Math.max(1, ...counts);
}

interface Spaces {
  readonly sides: number;
  readonly above: number;
  readonly below: number;
}

/** The margins that browsers give elements: above and below, times the font's size, and at each side. */
const usualMargins: Readonly<Record<string, readonly [number, number]>> = {
  p: [1, 0],
  h1: [0.67, 0],
  h2: [0.83, 0],
  h3: [1, 0],
  hr: [0.5, 0],
  ul: [1, 0],
  blockquote: [1, 40],
};
/** Where the bullets of a list stand. */
const listPadding = 40;

/** The spaces around the content of a box: of what is declared for a side, the most. */
function spacesOf(
  { name, attributes }: HtmlElement,
  style: ReadonlyMap<string, string>,
  cellPadding: number,
  fontPixels: number,
): Spaces {
  const [usualEnds = 0, usualSides = 0] = usualMargins[name] ?? [];
  const kind = allowedElements.get(name)?.kind;
  const padding = kind === "cell" ? cellPadding : 0;
  const sum = (side: string, index: number, usualMargin: number) =>
    (ofSide(style, "margin", side, index) ?? usualMargin) +
    (ofSide(style, "padding", side, index) ?? padding) +
    (style.has("border") || style.has(`border-${side}`) || attributes.has("border") ? maxBorder : 0);
  return {
    sides: sum("right", 1, usualSides) + sum("left", 3, usualSides) + (kind === "list" ? listPadding : 0),
    above: sum("top", 0, usualEnds * fontPixels),
    below: sum("bottom", 2, usualEnds * fontPixels),
  };
}

function ofSide(style: ReadonlyMap<string, string>, property: string, side: string, index: number): number | undefined {
  const parts = style.get(property)?.split(/ +/) ?? [];
  // Of two values the second, and of three too, is for both sides.
  const part = parts[index] ?? parts[index - 2] ?? parts[0];
  const found = [part, style.get(`${property}-${side}`)].filter((value) => value !== undefined);
  return found.length === 0 ? undefined : Math.max(...found.map((value) => pixelsOf(value) ?? 0));
}

/** Between cells. */
function spacingOf(attributes: ReadonlyMap<string, string>, style: ReadonlyMap<string, string>): number {
  return style.get("border-collapse") === "collapse"
    ? 0
    : (pixelsOf(style.get("border-spacing")) ?? Number(attributes.get("cellspacing") ?? 2));
}

function pixelsOf(value: string | undefined): number | undefined {
  const [, number] = /^([\d.]+)(?:px)?$/.exec(value ?? "") ?? [];
  return number === undefined ? undefined : Number(number);
}
