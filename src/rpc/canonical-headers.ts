import { parseContentCodings } from "@byond/rest/compression";
import { utf8MediaType } from "@byond/rest/media-type";
import { removeEndlessDeadline } from "./deadline.ts";
import { rpcMediaTypes } from "./negotiation.ts";

const codingHeaders = ["content-encoding", "connect-content-encoding", "grpc-encoding"];

/**
 * Rewrites the headers of a call over Connect, gRPC or gRPC-Web to the spelling that Connect expects. Connect compares media
 * types and encodings as text, and would refuse equivalent spellings (RFC 9110 §5.6.6, §8.3.1, §8.4.1). Unknown values are left
 * alone.
 */
export function canonicalizeHeaders(header: Headers): void {
  const contentType = header.get("content-type");
  if (contentType !== null && !rpcMediaTypes.has(contentType)) {
    const type = utf8MediaType(contentType);
    if (type !== undefined && rpcMediaTypes.has(type)) {
      header.set("content-type", type);
    }
  }
  for (const name of codingHeaders) {
    const codings = header.get(name);
    if (codings !== null) {
      header.set(name, parseContentCodings(codings).join(", ") || "identity");
    }
  }
  removeEndlessDeadline(header);
}
