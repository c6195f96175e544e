import { SingleChunk } from "@byond/rest/single-chunk";
import { createContextValues } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { AppError, errorKinds } from "../errors.ts";
import { requestRecordKey } from "../observe/request-record.ts";
import { clientAddressKey } from "../server/client-address.ts";
import { type IpRange, includesAddress, parseIpAddress } from "../server/ip-range.ts";
import type { AddressGate } from "../server/request-handler.ts";
import { errorToJsonBytes } from "./connect-protocols.ts";
import { wantsEnvelope, wrapInEnvelope } from "./envelope.ts";
import { restErrorAnswer } from "./rest-errors.ts";
import { answerGrpcError, isGrpc } from "./unknown-rpc.ts";
import { type ErrorReporter, toConnectError } from "./wire-errors.ts";

export interface AllowedNetworksOptions {
  readonly networks: readonly IpRange[];
  /** Paths that every address may call. */
  readonly isOpen: (path: string) => boolean;
  /** Whether a path is that of an RPC. */
  readonly isRpc: (path: string) => boolean;
  readonly errors: ErrorReporter;
}

/** Refuses requests from addresses beyond `ALLOWED_NETWORKS`, in the form of their protocol. An unknown address is in no network. */
export function createAddressGate({ networks, isOpen, isRpc, errors }: AllowedNetworksOptions): AddressGate {
  return {
    admits(path, clientAddress) {
      if (isOpen(path)) {
        return true;
      }
      const address = parseIpAddress(clientAddress() ?? "");
      return address !== undefined && networks.some((network) => includesAddress(network, address));
    },
    refuse: async (request) => answerIn(request, errors, isRpc),
  };
}

function answerIn(
  request: UniversalServerRequest,
  errors: ErrorReporter,
  isRpc: AllowedNetworksOptions["isRpc"],
): UniversalServerResponse {
  const values = request.contextValues ?? createContextValues();
  const clientAddress = values.get(clientAddressKey);
  const error = new AppError(
    "ip_not_allowed",
    clientAddress === undefined
      ? "This server is restricted to certain networks, and the IP address of this request is unknown."
      : `This server may not be called from the IP address ${clientAddress}.`,
  );
  if (isGrpc(request)) {
    return answerGrpcError(request, toConnectError(errors, error, values));
  }
  const { httpStatus: status } = errorKinds[error.code];
  const header = new Headers({ "Content-Type": "application/json" });
  if (isRpc(new URL(request.url).pathname)) {
    const body = errorToJsonBytes(toConnectError(errors, error, values), undefined);
    return { status, header, body: new SingleChunk(body) };
  }
  if (request.method === "HEAD") {
    return { status, header };
  }
  const text = JSON.stringify(restErrorAnswer(errors, error, values.get(requestRecordKey)).body);
  const body = wantsEnvelope(request.header) ? wrapInEnvelope(false, text) : text;
  return { status, header, body: new SingleChunk(Buffer.from(body)) };
}
