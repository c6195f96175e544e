import { setImmediate } from "node:timers/promises";
import { errorKinds } from "../../../errors.ts";
import { type Html, html } from "../../../server/html-template.ts";
import { errorGuide } from "../error-guide.ts";
import { codeBlock, codeHtml } from "./code-html.ts";
import { type DocumentedOperation, groupSlug, type OperationGroup, readGroup } from "./documented-operation.ts";
import { fieldListHtml } from "./field-html.ts";
import { groupMarkdown } from "./group-markdown.ts";
import { groupEntries } from "./group-search.ts";
import { type Heading, type MarkdownOptions, renderInline, renderMarkdown } from "./markdown-html.ts";
import { optionsOf } from "./markdown-pages.ts";
import { type ReferencePage, relativePath, type Site } from "./reference-page.ts";

/** The path of the page of a group of operations. */
export function groupPath(title: string): string {
  return `/docs/api/${groupSlug(title)}`;
}

/** The page of a group of operations: a section for each, with its samples beside it. */
export function groupPage(title: string): ReferencePage {
  const path = groupPath(title);
  const read = ({ document }: Site) => readGroup(document, title);
  return {
    path,
    title,
    windowTitle: `${title} API`,
    section: "API reference",
    async render(site) {
      const group = read(site);
      return {
        body: await groupHtml(group, site, path),
        headings: groupHeadings(group),
        isWide: true,
      };
    },
    markdown: (site) => groupMarkdown(read(site), site.origin),
    entries: (site) => groupEntries(read(site)),
  };
}

/** What the navigation lists below the group. */
function groupHeadings({ operations, events }: OperationGroup): readonly Heading[] {
  const all = operations.map(({ id, title }) => ({ id, depth: 2, text: title }));
  return events.length === 0 ? all : [...all, { id: "events", depth: 2, text: "Types of events" }];
}

async function groupHtml(group: OperationGroup, { origin }: Site, path: string): Promise<Html> {
  const options = optionsOf({ origin }, path);
  const { title, description, operations, events } = group;
  const rendered: Html[] = [];
  for (const operation of operations) {
    rendered.push(operationHtml(operation, path, options));
    // Other requests are answered in between: highlighting its samples takes milliseconds.
    await setImmediate();
  }
  return html`<div class="operation">
<div class="operation-text">
<h1>${title}</h1>
${renderMarkdown(description, options).html}
</div>
<div class="operation-samples">
<nav class="code-list" aria-label="Operations"><ul>
${operations.map(({ id, method, path: route }) => html`<li><a href="#${id}"><span class="method method-${method.toLowerCase()}">${method}</span> <code>${route}</code></a></li>\n`)}</ul></nav>
${operations.length === 0 ? [] : variablesHtml(operations, origin, options)}
</div>
</div>
${rendered}
${events.length === 0 ? [] : eventsHtml(group, options)}`;
}

/** The variables that the samples read. */
function variablesHtml(operations: readonly DocumentedOperation[], origin: string, options: MarkdownOptions): Html {
  const lines = `export BYOND_URL="${origin}"\nexport BYONDAPI_KEY="pk_test_…"`;
  const needsSession = operations.some(({ samples }) => samples.some(({ source }) => source.includes("JWT")));
  const session = `\`JWT\` is the access token of a [session](${origin}/docs/guides/sessions).`;
  return html`<div class="example"><div class="sample-head">Variables of the samples</div>${codeBlock(lines, "bash", options.fills)}</div>
${needsSession ? renderMarkdown(session, options).html : []}`;
}

function operationHtml(operation: DocumentedOperation, path: string, options: MarkdownOptions): Html {
  const { id, title, method, path: route, rpc, description, credential, request, response, errors } = operation;
  return html`<section class="operation" id="${id}" aria-labelledby="${id}-title">
<div class="operation-text">
<h2 id="${id}-title"><a class="anchor" href="#${id}">${title}</a></h2>
<p class="route"><span class="method method-${method.toLowerCase()}">${method}</span> <code>${breakable(route)}</code></p>
${renderMarkdown(description, { ...options, lowerBy: 2, idPrefix: `${id}-` }).html}
<dl class="facts">
<div><dt>Credential</dt><dd>${renderInline(credential, options)}</dd></div>
${rpc === undefined ? [] : html`<div><dt>RPC</dt><dd><code>${breakable(rpc)}</code></dd></div>`}
</dl>
${request.map((list) => fieldListHtml({ id: `${id}-${list.place}`, title: list.title, fields: list.fields, isRequest: true }, options))}
<h3 id="${id}-response"><a class="anchor" href="#${id}-response">Response</a> <span class="status-code">${response.status}</span></h3>
${renderMarkdown(response.description, { ...options, lowerBy: 3, idPrefix: `${id}-response-` }).html}
${response.fields.length === 0 ? [] : fieldListHtml({ id: `${id}-response`, fields: response.fields, isRequest: false }, options)}
<h3 id="${id}-errors"><a class="anchor" href="#${id}-errors">Errors</a></h3>
<ul class="error-list">
${errors.map(
  (code) =>
    html`<li><a href="${relativePath(path, `/docs/errors#${code}`)}"><b>${String(errorKinds[code].httpStatus)}</b> <code>${code}</code></a> <span>${errorGuide[code].title}</span></li>\n`,
)}</ul>
</div>
<div class="operation-samples">
${samplesHtml(operation, options)}
${response.examples.map(({ type, text }) => exampleHtml(`Response ${response.status}`, type, text))}
</div>
</section>
`;
}

/** The samples in all languages. The page's script shows one of them; without it the first is open. */
function samplesHtml({ samples }: DocumentedOperation, { fills }: MarkdownOptions): Html {
  return html`<div class="samples">
${samples.map(
  ({
    lang,
    label,
    source,
  }) => html`<div class="sample" data-lang="${label.toLowerCase()}"><div class="sample-head">${label}</div><pre tabindex="0"><code>${codeHtml(source, lang, fills)}</code></pre></div>
`,
)}</div>`;
}

function exampleHtml(title: string, type: string, text: string): Html {
  const language = type === "text/event-stream" ? "text" : "json";
  return html`<div class="example"><div class="sample-head">${title} <span>${type}</span></div>${codeBlock(text, language)}</div>
`;
}

function eventsHtml({ events, eventHeaders }: OperationGroup, options: MarkdownOptions): Html {
  return html`<h2 id="events"><a class="anchor" href="#events">Types of events</a></h2>
<p>The body of a request to your endpoint, by type. <code>GET /api/v1/events</code> returns the same objects.</p>
${fieldListHtml({ id: "event-headers", title: "Headers", fields: eventHeaders, isRequest: true }, options)}${events.map(
  ({ id, type, description, example }) => html`<section class="operation" id="${id}" aria-labelledby="${id}-title">
<div class="operation-text">
<h3 id="${id}-title"><a class="anchor" href="#${id}"><code>${type}</code></a></h3>
${renderMarkdown(description, options).html}
</div>
<div class="operation-samples">
${exampleHtml(type, "application/json", example)}
</div>
</section>
`,
)}`;
}

/** A path or name that may be broken behind slashes and dots. */
function breakable(text: string): Html {
  const parts = text.split(/(?<=[/.])/);
  return { html: parts.map((part) => html`${part}`.html).join("<wbr>") };
}
