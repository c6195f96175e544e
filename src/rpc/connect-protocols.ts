/**
 * What of Connect's protocols the server takes from the library beside its handlers: functions that `@connectrpc/connect` exports for its
 * own packages, and may change in any release. So its version is pinned, they are imported here and nowhere else, and
 * `npm run test:conformance` is run before it is raised.
 */
export {
  compressedFlag,
  compressionNegotiate,
  encodeEnvelope,
  mergeNonProtocolHeaders,
} from "@connectrpc/connect/protocol";
export { codeToHttpStatus, errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
export { grpcStatusOk, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
export { trailerFlag, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
