import { placeholderOrigin } from "../openapi/placeholder.ts";
import { StaticFile } from "./static-file.ts";

/**
 * A text with the server's address in place of the placeholder. The address is asked for when the text is first wanted: the port is
 * open then. It never depends on the request: whoever names the host of one would write into a page that a cache keeps for
 * others. `escapeUrl` writes an address in the language of the text.
 */
export function liveText(
  type: string,
  text: string,
  url: () => string,
  escapeUrl: (url: string) => string,
): () => StaticFile {
  let file: StaticFile | undefined;
  return () => {
    if (file === undefined) {
      const escaped = escapeUrl(url());
      file = new StaticFile(type, Buffer.from(text.replaceAll(placeholderOrigin, () => escaped)));
    }
    return file;
  };
}
