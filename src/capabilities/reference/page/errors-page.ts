import { type ErrorCode, errorKinds } from "../../../errors.ts";
import { type Html, html, withCode } from "../../../server/html-template.ts";
import { type ErrorExplanation, errorBody, errorCodes, errorGuide } from "../error-guide.ts";
import { rpcCodeName } from "../guide.ts";
import { codeBlock } from "./code-html.ts";
import { plainMarkdown } from "./markdown-search.ts";
import type { ReferencePage } from "./reference-page.ts";

const path = "/docs/errors";

const introduction =
  "Every error has a stable `code`. Over REST it is in the member `error` of the body. Over gRPC, gRPC-Web and Connect it is in the error's detail, a `byond.v1.ErrorInfo`, next to the RPC code given here.";

/** The page of the errors: a table of all, and a section for each with the anchor that `documentation_url` names. */
export const errorsPage: ReferencePage = {
  path,
  title: "Error codes",
  section: "API reference",
  render: ({ origin }) => ({
    body: html`<h1>Error codes</h1>
<p>${withCode(introduction)}</p>
<div class="table" tabindex="0"><table class="error-table">
<thead><tr><th scope="col">Code</th><th scope="col">Status</th><th scope="col">When</th><th scope="col">What to do</th><th scope="col">May I retry?</th></tr></thead>
<tbody>
${errorCodes.map(errorRow)}</tbody>
</table></div>
${errorCodes.map((code) => errorSection(code, `${origin}${path}`))}`,
    headings: errorCodes.map((code) => ({ id: code, depth: 2, text: code })),
    isWide: true,
  }),
  markdown: ({ origin }) => errorsMarkdown(origin),
  entries: () => [
    { title: "Error codes", place: "API reference", kind: "page", anchor: "", text: plainMarkdown(introduction) },
    ...errorCodes.map((code) => {
      const { title, meaning, remedy, situations = [] } = explanationOf(code);
      const { httpStatus, rpcCode } = errorKinds[code];
      const causes = situations.map(({ when, messages }) => `${when} ${messages.join(" ")}`).join(" ");
      return {
        title: code,
        place: `${httpStatus} ${title}`,
        kind: "error" as const,
        anchor: code,
        text: `${meaning} ${remedy} ${causes} HTTP ${httpStatus} RPC ${rpcCodeName(rpcCode)}`.replaceAll("`", ""),
      };
    }),
  ],
};

function explanationOf(code: ErrorCode): ErrorExplanation {
  return errorGuide[code];
}

function errorRow(code: ErrorCode): Html {
  const { meaning, remedy, retry } = explanationOf(code);
  return html`<tr><th scope="row"><a href="#${code}"><code>${code}</code></a></th><td>${String(errorKinds[code].httpStatus)}</td><td>${withCode(firstSentence(meaning))}</td><td>${withCode(firstSentence(remedy))}</td><td>${withCode(firstSentence(retry))}</td></tr>
`;
}

function errorSection(code: ErrorCode, documentationUrl: string): Html {
  const { httpStatus, rpcCode } = errorKinds[code];
  const { title, meaning, remedy, retry, situations = [] } = explanationOf(code);
  return html`<section id="${code}">
<h2><a class="anchor" href="#${code}"><code>${code}</code></a></h2>
<p class="error-facts"><b>${title}</b> <span>HTTP ${String(httpStatus)}</span> <span>RPC <code>${rpcCodeName(rpcCode)}</code></span></p>
<p>${withCode(meaning)}</p>
<dl class="facts">
<div><dt>What to do</dt><dd>${withCode(remedy)}</dd></div>
<div><dt>May I retry?</dt><dd>${withCode(retry)}</dd></div>
</dl>
${situations.length === 0 ? [] : situationsHtml(code, situations)}${codeBlock(JSON.stringify(errorBody(code, documentationUrl), undefined, 2), "json")}</section>
`;
}

function situationsHtml(code: ErrorCode, situations: NonNullable<ErrorExplanation["situations"]>): Html {
  return html`<h3 id="${code}-situations"><a class="anchor" href="#${code}-situations">Which situation is it?</a></h3>
<ol class="situations">
${situations.map(
  ({ messages, when, remedy }) => html`<li>
${messages.map((message) => html`<p class="message-sent">${message}</p>\n`)}<p>${withCode(when)}</p>
<p><b>What to do.</b> ${withCode(remedy)}</p>
</li>
`,
)}</ol>
`;
}

function errorsMarkdown(origin: string): string {
  const parts = errorCodes.map((code) => {
    const { httpStatus, rpcCode } = errorKinds[code];
    const { title, meaning, remedy, retry, situations = [] } = explanationOf(code);
    return [
      `## ${code}`,
      `${title}. HTTP ${httpStatus}, RPC \`${rpcCodeName(rpcCode)}\`.`,
      meaning,
      `**What to do:** ${remedy}`,
      `**May I retry?** ${retry}`,
      ...situations.map((situation, index) =>
        [
          `${index + 1}. ${situation.when}`,
          ...situation.messages.map((message) => `   - Message: "${message}"`),
          `   - What to do: ${situation.remedy}`,
        ].join("\n"),
      ),
      `\`\`\`json\n${JSON.stringify(errorBody(code, `${origin}${path}`), undefined, 2)}\n\`\`\``,
    ].join("\n\n");
  });
  return ["# Error codes", introduction, ...parts, ""].join("\n\n");
}

function firstSentence(text: string): string {
  return text.replace(/(?<=\.) [A-Z(`].*$/s, "");
}
