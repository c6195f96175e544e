import { escapeHtml } from "../../../server/html-template.ts";
import { allowedElements } from "./allowed-html.ts";
import type { HtmlElement, HtmlNode } from "./html-tree.ts";

/** The HTML of a tree. Texts are escaped, with the braces of placeholders as they are. */
export function renderTree(nodes: readonly HtmlNode[]): string {
  return nodes.map((node) => ("text" in node ? escapeHtml(node.text) : renderElement(node))).join("");
}

function renderElement({ name, attributes, children }: HtmlElement): string {
  const written = [...attributes].map(([attribute, value]) => ` ${attribute}="${escapeHtml(value)}"`).join("");
  const hasEnd = allowedElements.get(name)?.children !== undefined;
  return hasEnd ? `<${name}${written}>${renderTree(children)}</${name}>` : `<${name}${written}>`;
}

/** What a reader sees of a tree, with a line for each block. Cells stand in lines of their own, or beside each other as they are shown. */
export function visibleText(nodes: readonly HtmlNode[], cells: "apart" | "beside"): string {
  return nodes
    .map((node) => {
      if ("text" in node) {
        // Line breaks of the source are blanks for readers.
        return node.text.replace(/[ \t\r\n]+/g, " ");
      }
      if (node.name === "tr" && cells === "beside") {
        return `\n${besideEachOther(node.children.map((cell) => visibleText([cell], cells)))}\n`;
      }
      const inside = visibleText(node.children, cells);
      const kind = allowedElements.get(node.name)?.kind;
      if (kind === "picture") {
        // In place of the picture, which is alone in its line.
        return `\n${node.attributes.get("alt") ?? ""}\n`;
      }
      return kind === "inline" && node.name !== "br" ? inside : `\n${inside}\n`;
    })
    .join("");
}

/** The lines of cells, the first of each together, and so on. */
function besideEachOther(cells: readonly string[]): string {
  const columns = cells.map((cell) => cell.split("\n").filter((line) => line.trim() !== ""));
  const height = Math.max(0, ...columns.map((lines) => lines.length));
  return Array.from({ length: height }, (_, row) => columns.map((lines) => lines[row] ?? "").join("")).join("\n");
}

/** Whether a tree has the logo in it. */
export function hasLogo(nodes: readonly HtmlNode[]): boolean {
  return nodes.some((node) => !("text" in node) && (node.name === "img" || hasLogo(node.children)));
}
