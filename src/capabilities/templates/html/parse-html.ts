import { maxHtmlDepth } from "../templates.policy.ts";
import { allowedElements, attributeProblem, flow, isAllowedAttribute } from "./allowed-html.ts";
import type { HtmlElement, HtmlNode } from "./html-tree.ts";
import { layoutProblem } from "./layout-check.ts";
import { logoProblem } from "./logo-check.ts";
import type { TextLook } from "./text-look.ts";

/** The references that a text needs. Others hide what they stand for, and every other character can be written itself. */
const references: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
};

/** Why HTML is refused: after the field's name, with the line. */
class HtmlProblem extends Error {
  override readonly name = "HtmlProblem";
}

/**
 * Reads the HTML of a template: a small language, of which every program that reads HTML makes the same tree. Whatever does not belong to it
 * is a problem, and so is a text that cannot be seen; nothing is repaired or left out, except blanks between the parts of a table or a list.
 * Takes time in proportion to the length. Without a `page`, nothing is judged by how it looks.
 *
 * A parser that takes everything, as those of browsers do, was not chosen: what it makes of bad HTML, mail programs make something else of.
 */
export function parseHtml(
  source: string,
  page: TextLook | undefined,
): { readonly nodes: readonly HtmlNode[] } | { readonly problem: string } {
  try {
    return { nodes: new HtmlReader(source).read(page) };
  } catch (error) {
    if (error instanceof HtmlProblem) {
      return { problem: error.message };
    }
    throw error;
  }
}

/** An element whose end was not read yet. */
interface OpenElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: HtmlNode[];
  /** Where it begins. */
  readonly at: number;
}

class HtmlReader {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  read(page: TextLook | undefined): readonly HtmlNode[] {
    const nodes = this.#readNodes();
    if (page === undefined) {
      return nodes;
    }
    const found = layoutProblem(nodes, page);
    if (found !== undefined) {
      throw this.#problem(`must not contain ${found.problem}`, found.at);
    }
    const ofLogo = logoProblem(nodes);
    if (ofLogo !== undefined) {
      throw this.#problem(`must ${ofLogo.problem}`, ofLogo.at);
    }
    return nodes;
  }

  #readNodes(): readonly HtmlNode[] {
    const root: HtmlNode[] = [];
    const open: OpenElement[] = [];
    while (this.#at < this.#source.length) {
      const parent = open.at(-1);
      const siblings = parent?.children ?? root;
      if (this.#source[this.#at] !== "<") {
        this.#addText(siblings, parent);
      } else if (this.#source[this.#at + 1] === "/") {
        this.#readEnd(parent);
        open.pop();
        if (parent !== undefined) {
          (open.at(-1)?.children ?? root).push(elementOf(parent));
        }
      } else {
        const element = this.#readStart(parent);
        if (allowedElements.get(element.name)?.children === undefined) {
          siblings.push(elementOf(element));
        } else if (open.push(element) > maxHtmlDepth) {
          throw this.#problem(`must not have elements in more than ${maxHtmlDepth} others`, element.at);
        }
      }
    }
    const left = open.at(-1);
    if (left !== undefined) {
      throw this.#problem(`must close <${left.name}>`, left.at);
    }
    return root;
  }

  #addText(siblings: HtmlNode[], parent: OpenElement | undefined): void {
    const from = this.#at;
    const end = this.#source.indexOf("<", from);
    this.#at = end < 0 ? this.#source.length : end;
    const text = this.#withoutReferences(this.#source.slice(from, this.#at), from);
    if (parent === undefined || allowedElements.get(parent.name)?.hasText === true) {
      siblings.push({ text, at: from });
    } else if (/[^ \t\r\n]/.test(text)) {
      throw this.#problem(`must not have text directly in <${parent.name}>`, from);
    }
  }

  #readEnd(parent: OpenElement | undefined): void {
    const from = this.#at;
    this.#at += 2;
    const name = this.#readName(from);
    if (name !== parent?.name) {
      const expected = parent === undefined ? "" : `: <${parent.name}> has to be closed first`;
      throw this.#problem(`must not close <${shown(name)}> here${expected}`, from);
    }
    this.#skipBlanks();
    if (this.#source[this.#at] !== ">") {
      throw this.#problem(`must close <${name}> with </${name}>`, from);
    }
    this.#at += 1;
  }

  #readStart(parent: OpenElement | undefined): OpenElement {
    const at = this.#at;
    this.#at += 1;
    if (/[!?]/.test(this.#source[this.#at] ?? "")) {
      throw this.#problem("must not contain comments or declarations", at);
    }
    const name = this.#readName(at);
    const allowed = allowedElements.get(name);
    if (allowed === undefined) {
      throw this.#problem(`must not contain <${shown(name)}>`, at);
    }
    const places = parent === undefined ? flow : (allowedElements.get(parent.name)?.children ?? []);
    if (!places.includes(allowed.kind)) {
      throw this.#problem(`must not have <${name}> directly in ${parent ? `<${parent.name}>` : "the body"}`, at);
    }
    const attributes = this.#readAttributes(name, at);
    if (this.#source[this.#at] === "/") {
      this.#at += 1;
      if (allowed.children !== undefined || this.#source[this.#at] !== ">") {
        throw this.#problem(`must close <${name}> with </${name}>`, at);
      }
    }
    this.#at += 1;
    if (name === "img" && !["src", "alt", "width", "height"].every((needed) => attributes.has(needed))) {
      throw this.#problem("must have src, alt, width and height in <img>", at);
    }
    return { name, attributes, children: [], at };
  }

  /** Reads up to the `>` or `/` at the end of a start. */
  #readAttributes(element: string, at: number): ReadonlyMap<string, string> {
    const attributes = new Map<string, string>();
    for (;;) {
      const hasBlank = this.#skipBlanks();
      const next = this.#source[this.#at];
      if (next === ">" || next === "/") {
        return attributes;
      }
      const name = this.#match(/[a-z@:][a-z0-9@:._-]{0,30}(?=[\s=>/])/iy)?.toLowerCase();
      if (name === undefined || !hasBlank) {
        throw this.#problem(`must have attributes in <${element}> in the form name="value"`, at);
      }
      if (attributes.has(name)) {
        throw this.#problem(`must not repeat the attribute ${name} in <${element}>`, at);
      }
      if (!isAllowedAttribute(element, name)) {
        throw this.#problem(`must not contain the attribute ${name} in <${element}>`, at);
      }
      const value = this.#match(/="[^"<>]*"/y)?.slice(2, -1);
      if (value === undefined) {
        throw this.#problem(`must have attributes in <${element}> in the form name="value"`, at);
      }
      const problem = attributeProblem(element, name, value);
      if (problem !== undefined) {
        throw this.#problem(`must not contain ${problem}`, at);
      }
      attributes.set(name, this.#withoutReferences(value, at));
    }
  }

  #readName(at: number): string {
    const name = this.#match(/[a-z][^\s<>/"'=]*/iy);
    if (name === undefined) {
      throw this.#problem("must have &lt; in place of a < that begins no element", at);
    }
    // In lower case, the Kelvin sign is the letter k.
    return /[^\x20-\x7e]/.test(name) ? name : name.toLowerCase();
  }

  #withoutReferences(text: string, from: number): string {
    if (text.includes(">")) {
      throw this.#problem("must have &gt; in place of a > that ends no element", from + text.indexOf(">"));
    }
    return text.replace(/&([^\s;&]{0,31};?)/g, (_, written: string, offset: number) => {
      const name = written.slice(0, -1);
      const character = written.endsWith(";") && Object.hasOwn(references, name) ? references[name] : undefined;
      if (character === undefined) {
        throw this.#problem(`must contain characters themselves, and no references except ${known}`, from + offset);
      }
      return character;
    });
  }

  /** Returns whether there was one. */
  #skipBlanks(): boolean {
    return this.#match(/[ \t\r\n]+/y) !== undefined;
  }

  #match(sticky: RegExp): string | undefined {
    sticky.lastIndex = this.#at;
    const [found] = sticky.exec(this.#source) ?? [];
    this.#at += found?.length ?? 0;
    return found;
  }

  #problem(problem: string, at: number): HtmlProblem {
    const line = this.#source.slice(0, at).split("\n").length;
    return new HtmlProblem(line === 1 && !this.#source.includes("\n") ? problem : `${problem} (line ${line})`);
  }
}

const known = Object.keys(references)
  .map((name) => `&${name};`)
  .join(", ");

function elementOf({ name, attributes, children, at }: OpenElement): HtmlElement {
  return { name, attributes, children, at };
}

/** A name that nobody has checked, in a message: only what names are made of, and not much of it. */
function shown(name: string): string {
  return name.replace(/[^a-z0-9:-]/g, "").slice(0, 20);
}
