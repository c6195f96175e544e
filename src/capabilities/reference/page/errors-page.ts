import { errorKinds } from "../../../errors.ts";
import { type Html, html, withCode } from "../../../server/html-template.ts";
import { pageLayout } from "../../../server/page-layout.ts";
import { type ErrorExplanation, errorBody, errorCodes, errorGuide } from "../error-guide.ts";
import { rpcCodeName } from "../guide.ts";

/** The HTML of `/docs/errors`: a section for every code, with the anchor that `documentation_url` names. */
export function errorsHtml(documentationUrl: string): string {
  return pageLayout({
    title: "Byond errors",
    root: "../",
    current: "errors",
    body: html`<main class="errors">
<h1>Errors</h1>
<p>Every error has a stable <code>code</code>. Over REST it is in the member <code>error</code> of the body.
Over gRPC, gRPC-Web and Connect it is in the error's detail, a <code>byond.v1.ErrorInfo</code>, next to the RPC code given
here.</p>
<nav class="codes" aria-label="Codes">${errorCodes.map((code) => html`<a href="#${code}"><b>${String(errorKinds[code].httpStatus)}</b> ${code}</a>`)}</nav>
${errorCodes.map((code) => errorSection(code, documentationUrl))}
</main>`,
  });
}

function errorSection(code: (typeof errorCodes)[number], documentationUrl: string): Html {
  const { httpStatus, rpcCode } = errorKinds[code];
  const { title, meaning, remedy, retry, situations = [] }: ErrorExplanation = errorGuide[code];
  return html`<section id="${code}">
<h2><a href="#${code}">${code}</a></h2>
<p class="facts"><b>${title}</b><span>HTTP ${String(httpStatus)}</span><span>RPC ${rpcCodeName(rpcCode)}</span></p>
<p>${withCode(meaning)}</p>
<p><b>What to do.</b> ${withCode(remedy)}</p>
<p><b>May I retry?</b> ${withCode(retry)}</p>
${situations.map(({ messages, when, remedy: its }) => html`<p>${messages.map((message) => html`<q>${message}</q><br>`)}${withCode(when)} ${withCode(its)}</p>`)}
<pre tabindex="0"><code>${JSON.stringify(errorBody(code, documentationUrl), undefined, 2)}</code></pre>
</section>
`;
}
