import { Marked, type Tokens } from "marked";
import { escapeHtml, type Html } from "../../../server/html-template.ts";
import type { KeyExpression } from "../openapi/samples/sample-call.ts";
import { codeBlock } from "./code-html.ts";

export interface Heading {
  readonly id: string;
  readonly depth: number;
  readonly text: string;
}

export interface MarkdownOptions {
  /** The address that a link leads to, or undefined if there is no such page: the text is shown without a link. */
  readonly link: (href: string) => string | undefined;
  /** What a word of code links to: an error code, for example. */
  readonly codeLink?: (code: string) => string | undefined;
  readonly fills?: readonly KeyExpression[];
  /** By how much headings are lowered. */
  readonly lowerBy?: number;
  /** Begins the id of every heading. */
  readonly idPrefix?: string;
}

export interface RenderedMarkdown {
  readonly html: Html;
  readonly headings: readonly Heading[];
}

/** Markdown as HTML: headings have anchors, code is highlighted, HTML in the text is shown as text. */
export function renderMarkdown(text: string, options: MarkdownOptions): RenderedMarkdown {
  const headings: Heading[] = [];
  const html = parserOf(options, headings).parse(text, { async: false });
  return { html: { html }, headings };
}

/** One paragraph or less of Markdown, without the paragraph. */
export function renderInline(text: string, options: MarkdownOptions): Html {
  return { html: parserOf(options, []).parseInline(text, { async: false }) };
}

function parserOf(options: MarkdownOptions, headings: Heading[]): Marked {
  const { link, codeLink = () => undefined, fills = [], lowerBy = 0, idPrefix = "" } = options;
  const used = new Set<string>();
  let isInLink = false;
  return new Marked({
    renderer: {
      heading({ tokens, depth: written }: Tokens.Heading) {
        const depth = Math.min(written + lowerBy, 6);
        const content = this.parser.parseInline(tokens);
        const plain = this.parser.parseInline(tokens, this.parser.textRenderer);
        const id = unique(idPrefix + slugOf(plain), used);
        headings.push({ id, depth, text: decode(plain) });
        return depth === 1
          ? `<h1 id="${id}">${content}</h1>\n`
          : `<h${depth} id="${id}">${withAnchor(id, content)}</h${depth}>\n`;
      },
      code({ text, lang = "" }: Tokens.Code) {
        const [name = "", file] = lang.split(/\s/);
        const block = codeBlock(text, aliases[name] ?? name, fills);
        return file === undefined
          ? block.html
          : `<div class="example"><div class="sample-head">${escapeHtml(file)}</div>${block.html}</div>\n`;
      },
      codespan({ text }: Tokens.Codespan) {
        const href = isInLink ? undefined : codeLink(text);
        const code = `<code>${withBreaks(escapeHtml(text))}</code>`;
        return href === undefined ? code : `<a href="${escapeHtml(href)}">${code}</a>`;
      },
      link({ href, tokens }: Tokens.Link) {
        isInLink = true;
        const content = this.parser.parseInline(tokens);
        isInLink = false;
        const target = link(href);
        return target === undefined ? content : `<a href="${escapeHtml(target)}">${content}</a>`;
      },
      image({ href, text }: Tokens.Image) {
        const source = link(href);
        return source === undefined
          ? escapeHtml(text)
          : `<img src="${escapeHtml(source)}" alt="${escapeHtml(text)}" loading="lazy">`;
      },
      html({ text }: Tokens.HTML | Tokens.Tag) {
        return escapeHtml(text);
      },
      table({ header, rows }: Tokens.Table) {
        const cell = (name: "th" | "td", { tokens }: Tokens.TableCell) =>
          `<${name}>${this.parser.parseInline(tokens)}</${name}>`;
        const row = (name: "th" | "td", cells: Tokens.TableCell[]) =>
          `<tr>${cells.map((one) => cell(name, one)).join("")}</tr>`;
        return `<div class="table" tabindex="0"><table><thead>${row("th", header)}</thead>\n<tbody>${rows
          .map((cells) => row("td", cells))
          .join("\n")}</tbody></table></div>\n`;
      },
    },
  });
}

const aliases: Readonly<Record<string, string>> = { sh: "bash", js: "javascript", ts: "typescript", proto: "protobuf" };

/** Lets long names break behind a dot, an underscore or a slash, where tables are narrow. */
function withBreaks(escaped: string): string {
  return escaped.replace(/(?<=\w[._/])(?=\w)/g, "<wbr>");
}

/** A heading's content as a link to itself. Content with a link in it has its anchor in front. */
function withAnchor(id: string, content: string): string {
  return content.includes("<a ")
    ? `<a class="anchor" href="#${id}" aria-label="Link to this section">#</a>${content}`
    : `<a class="anchor" href="#${id}">${content}</a>`;
}

/** `Verify signatures` → `verify-signatures`. */
export function slugOf(text: string): string {
  return decode(text)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_]+/gu, "-")
    .replace(/^-|-$/g, "");
}

function unique(id: string, used: Set<string>): string {
  const free = used.has(id)
    ? [...Array(used.size).keys()].map((n) => `${id}-${n + 2}`).find((one) => !used.has(one))
    : id;
  const chosen = free ?? id;
  used.add(chosen);
  return chosen;
}

function decode(html: string): string {
  return html
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}
