import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  CheckVerificationRequest,
  ResendCodeRequest,
  VerificationSchema,
} from "../../../gen/byond/v1/verify_pb.ts";
import type { Caller } from "../../access/caller.ts";
import { AppError, invalidFields } from "../../errors.ts";
import { verificationMessage } from "./verification-proto.ts";
import type { VerificationView } from "./verification-view.ts";

/** Whether a page made the call, with a publishable key: the client is an end user, who may be anybody that knows the id. */
export function isOfPage(caller: Caller): boolean {
  return caller.kind === "key" && caller.origins !== null;
}

/** Throws `validation_error` for fields that only a server may fill in. */
export function requireFieldsOfPage(
  request: Partial<Pick<CheckVerificationRequest, "endUserIp" | "deviceId"> & Pick<ResendCodeRequest, "recipient">>,
  fields: readonly ("endUserIp" | "deviceId" | "recipient")[],
): void {
  const names = { endUserIp: "end_user_ip", deviceId: "device_id", recipient: "recipient" } as const;
  const given = fields.filter((field) => request[field] !== undefined);
  if (given.length > 0) {
    throw invalidFields(
      Object.fromEntries(given.map((field) => [names[field], "must be left out with a publishable key"])),
    );
  }
}

/** A verification as a page sees it: whether it is still worth asking for the code, and not whom it is about. */
export function verificationForPage(view: VerificationView): MessageInitShape<typeof VerificationSchema> {
  return verificationMessage({
    ...view,
    recipient: null,
    approvedAt: null,
    deliveries: [],
    metadata: {},
    fallback: [],
    hasFixedCode: false,
    approval: null,
  });
}

/**
 * Runs a send for a page, which does not learn what the server knows about the recipient or the account: neither what the guard has against a number,
 * nor why nothing arrives there, nor that the balance or a cap does not cover the price.
 */
export async function sendForPage<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    throw error instanceof AppError ? withoutReason(error) : error;
  }
}

function withoutReason(error: AppError): AppError {
  const { code, details } = error;
  if (code === "undeliverable" || code === "insufficient_balance" || code === "spend_cap_reached") {
    return new AppError("undeliverable", "The code cannot be sent over this channel.");
  }
  if (details.reason === undefined) {
    return error;
  }
  return code === "rate_limited"
    ? new AppError(code, "Too many codes. Try again later.", { retryAfterSeconds: details.retryAfterSeconds ?? 1 })
    : new AppError("recipient_blocked", "The code cannot be sent to this recipient.");
}
