import { StaticFile } from "../../../server/static-file.ts";
import { placeholderOrigin } from "../openapi/reference-document.ts";

/**
 * A text with the server's address in place of the placeholder. `text` and `url` are called on first use, when the port is open. The
 * address never comes from the request: a forged Host would end up in a page that caches serve to others. `escapeUrl` escapes the
 * address for the format of the text.
 */
export function liveText(
  type: string,
  text: () => string,
  url: () => string,
  escapeUrl: (url: string) => string,
): () => StaticFile {
  let file: StaticFile | undefined;
  return () => {
    if (file === undefined) {
      const escaped = escapeUrl(url());
      file = new StaticFile(type, Buffer.from(text().replaceAll(placeholderOrigin, () => escaped)));
    }
    return file;
  };
}
