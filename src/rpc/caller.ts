import { createContextKey, type HandlerContext } from "@connectrpc/connect";

/** Which of a workspace's two worlds a call belongs to. */
export type Mode = "live" | "test";

/** A service that called with an API key. */
export interface KeyCaller {
  readonly kind: "key";
  readonly workspaceId: string;
  readonly workspaceName: string;
  readonly keyId: string;
  /** The part of the key before the dot. Not a secret. */
  readonly keyPrefix: string;
  readonly mode: Mode;
  /** Null: unrestricted. */
  readonly scopes: readonly string[] | null;
}

/** A user who signed in. */
export interface SessionCaller {
  readonly kind: "session";
  readonly workspaceId: string;
  readonly userId: string;
}

export type Caller = KeyCaller | SessionCaller;

/** Set by the gate, before anything of the body is read. */
export const callerKey = createContextKey<Caller | undefined>(undefined, { description: "caller" });

/** The key that made the call. Throws if the RPC does not take keys: its `access` option is what guarantees one. */
export function keyCaller(context: Pick<HandlerContext, "values">): KeyCaller {
  const caller = context.values.get(callerKey);
  if (caller?.kind !== "key") {
    throw new TypeError("the RPC is not declared to take an API key");
  }
  return caller;
}

/** The session that made the call. Throws if the RPC does not take sessions. */
export function sessionCaller(context: Pick<HandlerContext, "values">): SessionCaller {
  const caller = context.values.get(callerKey);
  if (caller?.kind !== "session") {
    throw new TypeError("the RPC is not declared to take a session");
  }
  return caller;
}
