import { createContextKey, type HandlerContext } from "@connectrpc/connect";
import { AppError } from "../errors.ts";
import type { Caller, Mode } from "./caller.ts";

/** Set together with `callerKey`, for RPCs that declare `by_mode`. */
export const callModeKey = createContextKey<Mode | undefined>(undefined, { description: "mode of the call" });

/**
 * The mode that a call is about: that of its key, or the one that a session names in the header `Byond-Mode`. A key may name its own.
 * Throws `invalid_request` for another value, and for a mode that is not the key's: whoever names it expects other data.
 */
export function readCallMode(caller: Caller, header: Headers): Mode {
  const named = header.get("byond-mode");
  if (named !== null && named !== "live" && named !== "test") {
    throw new AppError("invalid_request", 'The header Byond-Mode must be "live" or "test".');
  }
  if (caller.kind === "session") {
    return named ?? "live";
  }
  if (named !== null && named !== caller.mode) {
    throw new AppError(
      "invalid_request",
      `The header Byond-Mode names the mode ${named}, and the API key is of the mode ${caller.mode}. Leave the header out, or use another key.`,
    );
  }
  return caller.mode;
}

/** The mode that the call is about. Throws if the RPC does not declare `by_mode`. */
export function callMode({ values }: Pick<HandlerContext, "values">): Mode {
  const mode = values.get(callModeKey);
  if (mode === undefined) {
    throw new TypeError("the RPC does not declare by_mode");
  }
  return mode;
}
