import { type PlaceholderName, placeholderNames, type TextParts } from "../channels/own-texts/message-template.ts";

/** Those that NFKC makes braces of. */
const wideBraces = /[｛﹛︷｝﹜︸]/;
const placeholder = /\{\{ ?([a-z]{1,20}) ?\}\}/;

/**
 * Divides a text at its placeholders. Returns the problem of a text with two braces that are no placeholder of the closed set: what is not
 * understood is not sent as it is.
 */
export function parsePlaceholders(text: string): { readonly parts: TextParts } | { readonly problem: string } {
  // They would be sent as they are.
  if (wideBraces.test(text) && /\{\{|\}\}/.test(text.replace(/[｛﹛︷]/g, "{").replace(/[｝﹜︸]/g, "}"))) {
    return { problem: `must have the braces { and } of ASCII around placeholders: ${known}` };
  }
  // Pieces of text, and the names between them.
  const pieces = text.split(placeholder);
  const parts: (string | { readonly placeholder: PlaceholderName })[] = [];
  for (const [index, piece] of pieces.entries()) {
    if (index % 2 === 0) {
      if (piece.includes("{{") || piece.includes("}}")) {
        return { problem: `must have no {{ or }} except in these placeholders: ${known}` };
      }
      if (piece !== "") {
        parts.push(piece);
      }
      continue;
    }
    const name = placeholderNames.find((each) => each === piece);
    if (name === undefined) {
      return { problem: `has an unknown placeholder {{${piece}}}; known are ${known}` };
    }
    parts.push({ placeholder: name });
  }
  return { parts };
}

const known = placeholderNames.map((name) => `{{${name}}}`).join(", ");
