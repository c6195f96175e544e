/** An id of the form of a request's, in place of which others are put. */
const placeholder = `req_${"0".repeat(22)}`;

/** A text for any request id: made once, so that it costs little to make it again. */
export type RefusalText = (requestId: string) => string;

/** What base64 may look like that is long enough to hold an id. */
const base64 = /([A-Za-z0-9+/]{48,}={0,2})/;

/**
 * Renders a text once, and puts other ids in the place of the id that it was rendered with: where it is readable, and where it is part of base64, as in the
 * details of Connect's and gRPC's errors.
 */
export function refusalText(render: (requestId: string) => string): RefusalText {
  const parts = render(placeholder)
    .split(base64)
    .flatMap((part, index) => (index % 2 === 1 ? (encodedPart(part) ?? readableParts(part)) : readableParts(part)));
  return (requestId) => {
    let text = "";
    for (const part of parts) {
      text += typeof part === "string" ? part : part(requestId);
    }
    return text;
  };
}

function readableParts(text: string): (string | RefusalText)[] {
  return text
    .split(placeholder)
    .flatMap((part, index) => (index === 0 ? [part] : [(requestId: string) => requestId, part]));
}

/** Undefined for a text that only looks like base64 or holds no id. */
function encodedPart(text: string): RefusalText | undefined {
  const bytes = Buffer.from(text, "base64");
  const offset = bytes.indexOf(placeholder, 0, "latin1");
  if (offset === -1) {
    return undefined;
  }
  const isPadded = bytes.toString("base64") === text;
  return (requestId) => {
    bytes.write(requestId, offset, "latin1");
    const encoded = bytes.toString("base64");
    return isPadded ? encoded : encoded.replace(/=+$/, "");
  };
}
