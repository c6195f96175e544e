import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import php from "highlight.js/lib/languages/php";
import protobuf from "highlight.js/lib/languages/protobuf";
import python from "highlight.js/lib/languages/python";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import yaml from "highlight.js/lib/languages/yaml";
import { escapeHtml, type Html } from "../../../server/html-template.ts";
import type { KeyExpression } from "../openapi/samples/sample-call.ts";

const languages = { bash, go, ini, java, javascript, json, php, protobuf, python, sql, typescript, yaml };
for (const [name, language] of Object.entries(languages)) {
  hljs.registerLanguage(name, language);
}

/** A letter that no source has: the highlighter takes it for a part of the word or string around it. */
const privateUse = 0xe000;

/**
 * Highlighted code. A language that is not known is shown as it is. `fills` are what the page's script replaces by the key that the
 * visitor entered: each becomes one `<span data-fill>` with nothing but the text in it.
 */
export function codeHtml(source: string, language: string, fills: readonly KeyExpression[] = []): Html {
  const stand = (index: number) => String.fromCharCode(privateUse + index);
  const text = fills.reduce((result, fill, index) => result.replaceAll(fill.text, stand(index)), source);
  const highlighted =
    hljs.getLanguage(language) === undefined
      ? escapeHtml(text)
      : hljs.highlight(text, { language, ignoreIllegals: true }).value;
  return {
    html: fills.reduce(
      (result, fill, index) =>
        result.replaceAll(
          stand(index),
          () => `<span data-fill="key" data-quote="${escapeHtml(fill.quote)}">${escapeHtml(fill.text)}</span>`,
        ),
      highlighted,
    ),
  };
}

/** A block of code in a box of its own, which scrolls. The page's script adds the copy button. */
export function codeBlock(source: string, language: string, fills: readonly KeyExpression[] = []): Html {
  return {
    html: `<div class="code"><pre tabindex="0"><code class="language-${escapeHtml(language || "text")}">${codeHtml(source, language, fills).html}</code></pre></div>\n`,
  };
}
