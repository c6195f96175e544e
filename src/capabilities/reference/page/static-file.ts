import { createHash } from "node:crypto";
import { compress, type Encoding, preferredEncoding } from "@byond/rest/compression";
import { matchesIfNoneMatch } from "@byond/rest/etag";
import type { NodeRequest, NodeResponse } from "../../../server/normalize-request.ts";
import type { Page } from "../../../server/request-handler.ts";
import { placeholderOrigin } from "../openapi/reference-document.ts";

/** Static content with its ETag. Each encoding is compressed once. */
export class StaticFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly etag: string;
  readonly #encoded = new Map<Encoding, Promise<Buffer>>();

  constructor(type: string, bytes: Buffer) {
    this.type = type;
    this.bytes = bytes;
    this.etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  }

  encoded(encoding: Encoding): Promise<Buffer> {
    const known = this.#encoded.get(encoding) ?? compress(this.bytes, encoding, 6);
    this.#encoded.set(encoding, known);
    return known;
  }
}

/**
 * A text with the server's address in place of the placeholder. `url` is called on first use, when the port is open. The address
 * never comes from the request: a forged Host would end up in a page that caches serve to others. `escapeUrl` escapes the
 * address for the format of the text.
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

export interface ServeOptions {
  readonly cacheControl: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Smaller files are not compressed. */
const minCompressedBytes = 1024;

/** A page that answers `GET` and `HEAD` with a file, or with 304 if the client has it. Other methods are not served. */
export function filePage(
  find: (request: NodeRequest) => StaticFile | Promise<StaticFile>,
  options: ServeOptions,
): Page {
  return async (request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return "hidden";
    }
    await serveFile(request, response, await find(request), options);
    return "served";
  };
}

async function serveFile(
  request: NodeRequest,
  response: NodeResponse,
  file: StaticFile,
  { cacheControl, headers = {} }: ServeOptions,
): Promise<void> {
  const encoding =
    file.bytes.length < minCompressedBytes
      ? undefined
      : preferredEncoding(String(request.headers["accept-encoding"] ?? ""));
  // A compressed file is another representation and needs an ETag of its own (RFC 9110 §8.8.3).
  const etag = encoding === undefined ? file.etag : `${file.etag.slice(0, -1)}-${encoding}"`;
  const all = {
    "Cache-Control": cacheControl,
    ETag: etag,
    Vary: "Accept-Encoding",
    ...headers,
  };
  for (const [name, value] of Object.entries(all)) {
    response.setHeader(name, value);
  }
  if (matchesIfNoneMatch(request.headers["if-none-match"] ?? "", etag)) {
    response.statusCode = 304;
    response.end();
    return;
  }
  const body = encoding === undefined ? file.bytes : await file.encoded(encoding);
  response.setHeader("Content-Type", file.type);
  response.setHeader("Content-Length", String(body.length));
  if (encoding !== undefined) {
    response.setHeader("Content-Encoding", encoding);
  }
  response.statusCode = 200;
  if (request.method === "HEAD") {
    response.end();
  } else {
    response.end(body);
  }
}
