import { createHash } from "node:crypto";
import { compress, type Encoding, preferredEncoding } from "@byond/rest/compression";
import { matchesIfNoneMatch } from "@byond/rest/etag";
import type { NodeRequest, NodeResponse } from "./normalize-request.ts";
import type { Page } from "./request-handler.ts";

/** Static content with its ETag. Each encoding is compressed once, unless it was before. */
export class StaticFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly etag: string;
  readonly #encoded = new Map<Encoding, Promise<Buffer>>();

  constructor(type: string, bytes: Buffer, compressed: Partial<Readonly<Record<Encoding, Buffer>>> = {}) {
    this.type = type;
    this.bytes = bytes;
    for (const encoding of ["br", "gzip"] as const) {
      const content = compressed[encoding];
      if (content !== undefined) {
        this.#encoded.set(encoding, Promise.resolve(content));
      }
    }
    this.etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  }

  encoded(encoding: Encoding): Promise<Buffer> {
    const known = this.#encoded.get(encoding);
    if (known !== undefined) {
      return known;
    }
    const made = compress(this.bytes, encoding, 6);
    this.#encoded.set(encoding, made);
    // A failure is not kept: the next request compresses again.
    made.catch(() => this.#encoded.delete(encoding));
    return made;
  }
}

export interface ServeOptions {
  readonly cacheControl: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Smaller files are not compressed. */
const minCompressedBytes = 1024;

/**
 * A page that answers `GET` and `HEAD` with a file, or with 304 if the client has it. Other methods are not served, and nothing is
 * where there is no file.
 */
export function filePage(
  find: (request: NodeRequest) => StaticFile | undefined | Promise<StaticFile | undefined>,
  options: ServeOptions,
): Page {
  return async (request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return "hidden";
    }
    const file = await find(request);
    if (file === undefined) {
      return "hidden";
    }
    await serveFile(request, response, file, options);
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
    file.bytes.length < minCompressedBytes || file.type === "application/gzip"
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
