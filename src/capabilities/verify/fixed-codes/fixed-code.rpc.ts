import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  CreateFixedCodeRequestSchema,
  CreateFixedCodeResponseSchema,
  type FixedCodeService,
} from "../../../../gen/byond/v1/fixed_code_pb.ts";
import { type SessionCaller, sessionCaller } from "../../../access/caller.ts";
import type { Keyring } from "../../../crypto/keyring.ts";
import type { Database } from "../../../database/database.ts";
import { AppError, problemOf } from "../../../errors.ts";
import type { EventLog } from "../../../events/event-log.ts";
import { storeAnswer } from "../../../idempotency/idempotency-claim.ts";
import type { Repetition } from "../../../idempotency/idempotency-interceptor.ts";
import { type FieldCheck, fieldCheck } from "../../../rpc/validation.ts";
import { clientAddressKey } from "../../../server/client-address.ts";
import { lineProblem } from "../../../text/display-name-rules.ts";
import { parseAnyRecipient } from "../recipient.ts";
import { codeLength } from "../verify.policy.ts";
import { createFixedCode } from "./create-fixed-code.ts";
import { deleteFixedCode } from "./delete-fixed-code.ts";
import { type FixedCodeView, fixedCodeMessage } from "./fixed-code-proto.ts";
import { fixedCodeDays } from "./fixed-codes.policy.ts";
import { listFixedCodes } from "./list-fixed-codes.ts";

/** What accounts know of passwords. */
export interface PasswordCheck {
  /** Throws `invalid_password` for a wrong password of the user who is signed in, and `rate_limited` after too many of those. */
  requirePassword(
    caller: SessionCaller,
    attempt: { readonly password: string; readonly clientAddress: string | undefined },
  ): Promise<void>;
  /** See `CapabilityService.beforeComparison`: a repeated call could otherwise be used to guess the password. */
  beforeComparison(repetition: Repetition): Promise<void>;
}

interface Dependencies {
  readonly database: Database;
  readonly keyring: Keyring;
  readonly events: Pick<EventLog, "committed">;
  readonly passwords: PasswordCheck;
  readonly areAllowed: boolean;
}

/** FixedCodeService: translates messages to operations and back. */
export function fixedCodeService(deps: Dependencies): ServiceImpl<typeof FixedCodeService> {
  /** The user who is signed in, where the server allows fixed codes. */
  const callerOf = (context: HandlerContext): SessionCaller => {
    const caller = sessionCaller(context);
    if (!deps.areAllowed) {
      throw new AppError(
        "not_found",
        "This server does not allow fixed codes. Its operator can, with ALLOW_FIXED_CODES.",
      );
    }
    return caller;
  };
  return {
    async createFixedCode(request, context) {
      const caller = callerOf(context);
      const { password } = request;
      await deps.passwords.requirePassword(caller, { password, clientAddress: context.values.get(clientAddressKey) });
      const input = {
        recipient: request.recipient,
        codeLength: request.codeLength ?? codeLength.default,
        days: request.days ?? fixedCodeDays.default,
        description: request.description ?? null,
      };
      const store = storeAnswer(context, CreateFixedCodeResponseSchema, created);
      const view = await createFixedCode(deps, caller, input, store);
      deps.events.committed();
      return created(view);
    },

    async listFixedCodes(_, context) {
      const views = await listFixedCodes(deps, callerOf(context).workspaceId);
      return { fixedCodes: views.map(fixedCodeMessage) };
    },

    async deleteFixedCode({ id }, context) {
      await deleteFixedCode(deps, callerOf(context), id);
      deps.events.committed();
      return { id, deleted: true };
    },
  };
}

function created(view: FixedCodeView) {
  return { fixedCode: fixedCodeMessage(view) };
}

/** The rules of the requests that the schema cannot express. */
export const fixedCodeFieldChecks: readonly FieldCheck[] = [
  fieldCheck(CreateFixedCodeRequestSchema, ({ recipient, description }) => {
    const parsed = parseAnyRecipient(recipient);
    return {
      ...("problem" in parsed ? { recipient: parsed.problem } : {}),
      ...problemOf("description", description === undefined ? undefined : lineProblem(description)),
    };
  }),
];
