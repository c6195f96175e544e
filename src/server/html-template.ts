/** Text that is already HTML. */
export interface Html {
  readonly html: string;
}

/** A template tag that builds HTML. Values are escaped unless they are `Html`. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | Html | readonly Html[])[]): Html {
  const texts = values.map((value) => {
    if (typeof value === "string") {
      return escapeHtml(value);
    }
    return "html" in value ? value.html : value.map((item) => item.html).join("");
  });
  return { html: parts.map((part, index) => part + (texts[index] ?? "")).join("") };
}

/** Turns text with code in backticks into HTML. */
export function withCode(text: string): Html {
  const parts = text.split("`").map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
  return { html: parts.map((part) => part.html).join("") };
}

/** Escapes text for HTML, also inside quoted attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
