import type { NodeRequest } from "../../server/request-gate.ts";
import { placeholderOrigin } from "../openapi/placeholder.ts";
import { StaticFile } from "./static-file.ts";

/** Addresses whose texts are kept. There are few; only somebody who makes names up has more. */
const maxKept = 8;

/**
 * A text with the live address in place of the placeholder: the configured `publicUrl` or, without one, the address that
 * the request came to. `escapeUrl` writes an address in the language of the text.
 */
export function liveText(
  type: string,
  text: string,
  publicUrl: string | undefined,
  escapeUrl: (url: string) => string,
): (request: NodeRequest) => StaticFile {
  const kept = new Map<string, StaticFile>();
  return (request) => {
    const url = publicUrl ?? originOf(request);
    const known = kept.get(url);
    if (known !== undefined) {
      return known;
    }
    const escaped = escapeUrl(url);
    const file = new StaticFile(type, Buffer.from(text.replaceAll(placeholderOrigin, () => escaped)));
    if (kept.size >= maxKept) {
      kept.clear();
    }
    kept.set(url, file);
    return file;
  };
}

/** Where a request was sent: its scheme and its host. */
function originOf(request: NodeRequest): string {
  const isEncrypted: unknown = Reflect.get(request.socket, "encrypted");
  const scheme = isEncrypted === true ? "https" : "http";
  const authority = request.headers[":authority"] ?? request.headers.host ?? "";
  const url = `${scheme}://${String(authority)}`;
  return URL.canParse(url) ? new URL(url).origin : placeholderOrigin;
}
