import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { requestRecordKey } from "../observe/request-record.ts";
import { htmlResponse, prefersHtml } from "./html-response.ts";
import { html } from "./html-template.ts";
import { pageLayout } from "./page-layout.ts";
import type { CallHandler } from "./request-handler.ts";

/** Wraps a handler: if it has no route for a request and a person asked, they get a page. */
export function withNotFoundPage(handler: CallHandler): CallHandler {
  return async (request) => {
    const answer = await handler(request);
    if (answer.status !== 404 || request.contextValues?.get(requestRecordKey).route !== undefined) {
      return answer;
    }
    if (prefersHtml(request)) {
      return htmlResponse(request, 404, new Headers({ Vary: "Accept" }), notFoundHtml(request));
    }
    const header = new Headers(answer.header);
    header.append("Vary", "Accept");
    return { ...answer, header };
  };
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
