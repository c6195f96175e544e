import { type Html, html } from "../../../server/html-template.ts";
import { pageLayout } from "../../../server/page-layout.ts";
import type { InboxMessage } from "./inbox.ts";

/** The HTML of `/dev/inbox`. */
export function inboxHtml(messages: readonly InboxMessage[]): string {
  const count = messages.length === 1 ? "1 message" : `${messages.length} messages`;
  const hint = html`<p>Messages that do not leave this server land here, those of sandbox keys among them. Start a verification,
then reload.</p>`;
  return inboxLayout(html`<p class="message-facts"><span>${count}, newest first</span><a class="notice-link" href="inbox">Reload</a></p>
${messages.length === 0 ? hint : messages.map(messageHtml)}`);
}

/**
 * Says why the messages are not shown. `hasLink`: the server printed a link when it started. A browser with the link's cookie also
 * gets this page if another site linked here; the link on this page then opens the inbox.
 */
export function inboxRefusalHtml(
  { code, message }: { readonly code: string; readonly message: string },
  hasLink: boolean,
): string {
  const remedy = hasLink
    ? html`<p>In a browser, the link that the server printed when it started opens the inbox. It works once; the browser that used it can
<a class="notice-link" href="inbox">open the inbox</a> until it is closed or the server ends. Otherwise start the server again, or read
the inbox with <code>curl</code> and a key.</p>`
    : html`<p>The inbox takes an API key in a header, which a browser does not send: read it with <code>curl</code>.</p>`;
  return inboxLayout(html`<p>${message}</p>
${code === "invalid_api_key" ? remedy : []}
<p><a class="notice-link" href="../docs/errors#${code}">${code}</a></p>`);
}

function messageHtml({ channel, recipient, code, subject, text, created_at }: InboxMessage): Html {
  const time = created_at.replace("T", " ").replace("Z", " UTC");
  return html`<article class="message">
<p class="message-facts"><span class="message-recipient">${recipient}</span><span>${channel}</span><time datetime="${created_at}">${time}</time></p>
<p class="message-code">${code}</p>
${subject === null ? [] : html`<h2 class="message-subject">${subject}</h2>`}
<p class="message-text">${text}</p>
</article>
`;
}

function inboxLayout(body: Html): string {
  return pageLayout({
    title: "Inbox",
    root: "../",
    body: html`<main class="notice">
<h1 class="notice-title">Inbox</h1>
${body}
</main>`,
  });
}
