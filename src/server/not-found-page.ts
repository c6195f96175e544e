import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { htmlResponse, prefersHtml } from "./html-response.ts";
import { html } from "./html-template.ts";
import { pageLayout } from "./page-layout.ts";

/** The answer to a request that has no route: a page, if a person asked. */
export function answerNotFound(
  request: UniversalServerRequest,
  answer: UniversalServerResponse,
): UniversalServerResponse {
  if (prefersHtml(request)) {
    return htmlResponse(request, 404, new Headers({ Vary: "Accept" }), notFoundHtml(request));
  }
  const header = new Headers(answer.header);
  header.append("Vary", "Accept");
  return { ...answer, header };
}

/** Repeats nothing of the request: whoever made the link could choose the words. */
function notFoundHtml({ url }: UniversalServerRequest): string {
  const depth = new URL(url).pathname.split("/").length - 2;
  return pageLayout({
    title: "Not found",
    root: "",
    base: depth === 0 ? "./" : "../".repeat(depth),
    body: html`<main class="notice">
<h1 class="notice-title">Not found</h1>
<p>There is nothing at this address. The <a class="notice-link" href="docs">reference</a> has the paths of the API, and says what
<a class="notice-link" href="docs/errors#not_found">not_found</a> means.</p>
</main>`,
  });
}
