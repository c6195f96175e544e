/** Text that is HTML already. */
export interface Html {
  readonly html: string;
}

/** Builds HTML. What is filled in is escaped, unless it is HTML itself. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | Html | readonly Html[])[]): Html {
  const texts = values.map((value) => {
    if (typeof value === "string") {
      return escapeHtml(value);
    }
    return "html" in value ? value.html : value.map((item) => item.html).join("");
  });
  return { html: parts.map((part, index) => part + (texts[index] ?? "")).join("") };
}

/** A text with code in backticks. */
export function withCode(text: string): Html {
  const parts = text.split("`").map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
  return { html: parts.map((part) => part.html).join("") };
}

/** A text as HTML has it, also within quotes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
