import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { max_request_bytes as maxRequestBytesOption } from "../../gen/byond/v1/access_pb.ts";

/** The largest request of most RPCs, in bytes, and the largest message of a stream: as it is sent, and decompressed. */
export const maxMessageBytes = 64 * 1024;

const declared = new WeakMap<DescMethod, number>();

/** The largest request of an RPC, in bytes: as it is sent, and decompressed. */
export function maxRequestBytes(method: DescMethod): number {
  let bytes = declared.get(method);
  if (bytes === undefined) {
    bytes = (hasOption(method, maxRequestBytesOption) && getOption(method, maxRequestBytesOption)) || maxMessageBytes;
    declared.set(method, bytes);
  }
  return bytes;
}
