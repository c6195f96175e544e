/**
 * A picture shows what nobody can read here, so it must not stand where it would be read together with a text: `9` and the logo and the code.
 * It is alone in its block or cell, and in its row; and there is one, as each is the whole picture again in a preview.
 */
import { allowedElements } from "./allowed-html.ts";
import type { HtmlElement, HtmlNode } from "./html-tree.ts";

/** What is wrong with the place of the logo, after "must", and where. Undefined if nothing is. */
export function logoProblem(nodes: readonly HtmlNode[]): { readonly problem: string; readonly at: number } | undefined {
  const [first, second] = logosIn(nodes);
  if (second !== undefined) {
    return { problem: "not contain the logo more than once", at: second.at };
  }
  return first === undefined || isAlone(nodes)
    ? undefined
    : {
        problem:
          "have the logo alone: no text beside it in its block or cell, and none in the other cells of its row. Put it into a <p> or a row of its own",
        at: first.at,
      };
}

/** Whether the logo is alone in its line and in its row, or not in these nodes. */
function isAlone(nodes: readonly HtmlNode[]): boolean {
  let isInLine = false;
  let hasText = false;
  for (const node of nodes) {
    if ("text" in node || isInline(node)) {
      isInLine ||= logosIn([node]).length > 0;
      hasText ||= textIn([node]);
      if (isInLine && hasText) {
        return false;
      }
      continue;
    }
    // A box ends the line before it.
    isInLine = false;
    hasText = false;
    const isBeside = node.name === "tr" && node.children.filter((child) => !("text" in child)).length > 1;
    if ((isBeside && logosIn([node]).length > 0 && textIn([node])) || !isAlone(node.children)) {
      return false;
    }
  }
  return true;
}

function isInline({ name }: HtmlElement): boolean {
  const kind = allowedElements.get(name)?.kind;
  return kind === "inline" || kind === "picture";
}

function textIn(nodes: readonly HtmlNode[]): boolean {
  return nodes.some((node) => ("text" in node ? /\S/.test(node.text) : textIn(node.children)));
}

function logosIn(nodes: readonly HtmlNode[]): readonly HtmlElement[] {
  return nodes.flatMap((node) => ("text" in node ? [] : node.name === "img" ? [node] : logosIn(node.children)));
}
