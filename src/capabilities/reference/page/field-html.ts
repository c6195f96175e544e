import { type Html, html } from "../../../server/html-template.ts";
import type { Field } from "./fields.ts";
import { type MarkdownOptions, renderMarkdown } from "./markdown-html.ts";

/** More of them are shown on demand. */
const maxShownValues = 20;

interface FieldListParts {
  /** The anchor of the list. Those of its fields begin with it. */
  readonly id: string;
  /** Undefined: the fields follow a heading that is there already. */
  readonly title?: string;
  readonly fields: readonly Field[];
  /** Fields of responses are always there, and are not marked as required. */
  readonly isRequest: boolean;
}

/** A list of fields with its heading. */
export function fieldListHtml({ id, title, fields, isRequest }: FieldListParts, options: MarkdownOptions): Html {
  return html`${title === undefined ? [] : html`<h3 id="${id}"><a class="anchor" href="#${id}">${title}</a></h3>\n`}${fieldsHtml(id, fields, isRequest, options)}`;
}

function fieldsHtml(id: string, fields: readonly Field[], isRequest: boolean, options: MarkdownOptions): Html {
  return html`<ul class="fields">
${fields.map((field) => fieldHtml(`${id}-${field.name}`, field, isRequest, options))}</ul>
`;
}

function fieldHtml(id: string, field: Field, isRequest: boolean, options: MarkdownOptions): Html {
  const { name, type, isRequired, isNullable, rules, description, values, children } = field;
  const facts = [type, ...(isNullable && !isRequest ? ["or null"] : [])].join(" ");
  return html`<li id="${id}">
<p class="field-head"><a class="anchor" href="#${id}"><code>${name}</code></a> <span class="type">${facts}</span>${isRequest && isRequired ? html` <span class="required">required</span>` : []}${rules.map((rule) => html` <span class="rule">${rule}</span>`)}</p>
${renderMarkdown(description, options).html}${values.length === 0 ? [] : valuesHtml(values, options)}${
  children.length === 0
    ? []
    : html`<details><summary>Fields of <code>${name}</code></summary>
${fieldsHtml(id, children, isRequest, options)}</details>
`
}</li>
`;
}

function valuesHtml(values: Field["values"], options: MarkdownOptions): Html {
  if (values.every(({ description }) => description === "")) {
    const list = html`<p class="values-inline">${values.map(({ value }) => html`<code>${value}</code> `)}</p>
`;
    return values.length <= maxShownValues
      ? list
      : html`<details><summary>All ${String(values.length)} values</summary>
${list}</details>
`;
  }
  return html`<dl class="values">
${values.map(({ value, description }) => html`<div><dt><code>${value}</code></dt><dd>${renderMarkdown(description, options).html}</dd></div>\n`)}</dl>
`;
}
