import { decompressBrotli } from "@byond/rest/compression";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import { AppError } from "../errors.ts";

/** Connect's, but for bytes behind the end of what is compressed, which that drops. Its errors are as Connect's. */
const brotli: Compression = {
  ...compressionBrotli,
  async decompress(bytes, readMaxBytes) {
    try {
      return new Uint8Array(await decompressBrotli(bytes, { maxOutputLength: readMaxBytes }));
    } catch (cause) {
      const code = cause instanceof RangeError ? Code.ResourceExhausted : Code.InvalidArgument;
      throw new ConnectError("decompression failed", code, undefined, undefined, cause);
    }
  },
};

/** The encodings of messages that are known here. */
export const compressions: readonly Compression[] = [compressionGzip, brotli];

const names = compressions.map(({ name }) => name);

/** Where a call names the encoding of its messages, and the header in which an answer says which are known. */
function encodingHeaders({ protocolName, method }: HandlerContext): { readonly given: string; readonly known: string } {
  if (protocolName !== "connect") {
    return { given: "grpc-encoding", known: "grpc-accept-encoding" };
  }
  return method.methodKind === "unary"
    ? { given: "content-encoding", known: "accept-encoding" }
    : { given: "connect-content-encoding", known: "connect-accept-encoding" };
}

/** The encoding that a call over Connect, gRPC or gRPC-Web says its messages are in. Undefined for none. */
export function encodingOf(context: HandlerContext): string | undefined {
  const { requestMethod, url, requestHeader } = context;
  const given =
    requestMethod === "GET"
      ? new URL(url).searchParams.get("compression")
      : requestHeader.get(encodingHeaders(context).given);
  return given === null || given === "identity" ? undefined : given;
}

/** The encodings that the client of a call takes answers in, and the header that says so. Null: it says nothing. */
export function acceptedEncodings(context: HandlerContext): { readonly header: string; readonly names: string | null } {
  const header = encodingHeaders(context).known;
  return { header, names: context.requestHeader.get(header) };
}

/**
 * Throws `unsupported_media_type` if the messages of a call are in an encoding that is not known here; over RPC that is
 * "unimplemented" (gRPC Compression; Connect). The headers of the answer say which are known.
 */
export function requireKnownEncoding(context: HandlerContext): void {
  const encoding = encodingOf(context);
  if (encoding !== undefined && !names.includes(encoding)) {
    context.responseHeader.set(encodingHeaders(context).known, names.join(","));
    throw new AppError(
      "unsupported_media_type",
      `Messages must be encoded with ${names.join(" or ")}, or not at all.`,
      {
        rpcCode: Code.Unimplemented,
      },
    );
  }
}
