import type { DescMethod } from "@bufbuild/protobuf";
import { createContextValues, createHandlerContext } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { type Authenticator, accessOf, admit } from "../access/authorize.ts";
import { callMode } from "../access/call-mode.ts";
import { anyCaller, type Mode } from "../access/caller.ts";
import type { Chain } from "./chain.ts";

export interface PageAccess {
  readonly chain: Chain;
  readonly authenticator: Authenticator;
  /** The RPC whose callers may read the page. It is about one mode. */
  readonly method: DescMethod;
}

/** Whose data a page shows. */
export interface PageReader {
  readonly workspaceId: string;
  readonly mode: Mode;
}

/**
 * Admits a request for a page outside the API as the chain admits a call of an RPC: with the same credential, signature,
 * allowlists, scope and quota. Throws the error that such a call would get. Sets the answer's headers on `responseHeader`, also
 * if it throws.
 */
export async function authorizePage(
  { chain, authenticator, method }: PageAccess,
  request: UniversalServerRequest,
  responseHeader: Headers,
): Promise<PageReader> {
  const values = request.contextValues ?? createContextValues();
  const context = createHandlerContext({
    service: method.parent,
    method,
    protocolName: "rest",
    requestMethod: request.method,
    url: request.url,
    requestHeader: request.header,
    requestSignal: request.signal,
    contextValues: values,
  });
  try {
    await chain.requestGate(context);
    // Again, as the last asynchronous step: the key may have been revoked while the gate waited for its quota.
    await admit(authenticator, accessOf(method), { header: request.header, values, url: request.url });
    return { workspaceId: anyCaller(context).workspaceId, mode: callMode(context) };
  } finally {
    for (const [name, value] of context.responseHeader) {
      responseHeader.set(name, value);
    }
    context.abort();
  }
}
