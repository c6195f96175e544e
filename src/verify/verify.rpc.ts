import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  CheckVerificationResponse_Status as CheckStatus,
  StartVerificationResponse_Status as StartStatus,
  StartVerificationRequestSchema,
  type VerifyService,
} from "../../gen/byond/v1/verify_pb.ts";
import { keyCaller } from "../rpc/caller.ts";
import { type FieldCheck, fieldCheck } from "../rpc/validation.ts";
import { channelOf, findChannel } from "./channel.ts";
import { type CheckResult, checkVerification } from "./check-verification.ts";
import {
  type StartDependencies,
  type StartedVerification,
  startProblems,
  startVerification,
} from "./start-verification.ts";

const defaultCodeLength = 6;
const defaultTtlSeconds = 300;

const startStatuses = {
  pending: StartStatus.PENDING,
  channel_unavailable: StartStatus.CHANNEL_UNAVAILABLE,
} as const satisfies Record<StartedVerification["status"], StartStatus>;

const checkStatuses = {
  approved: CheckStatus.APPROVED,
  incorrect: CheckStatus.INCORRECT,
  expired: CheckStatus.EXPIRED,
  locked: CheckStatus.LOCKED,
} as const satisfies Record<CheckResult, CheckStatus>;

/** VerifyService: messages to operations and back. */
export function verifyService(deps: StartDependencies): ServiceImpl<typeof VerifyService> {
  return {
    async startVerification(request, context) {
      const started = await startVerification(deps, keyCaller(context), {
        channel: channelOf(request.channel),
        recipient: request.recipient,
        brand: request.brand,
        codeLength: request.codeLength ?? defaultCodeLength,
        ttlSeconds: request.ttlSeconds ?? defaultTtlSeconds,
      });
      return {
        verificationId: started.id,
        channel: request.channel,
        status: startStatuses[started.status],
        expiresAt: timestampFromDate(started.expiresAt),
      };
    },

    async checkVerification(request, context) {
      const { workspaceId, mode } = keyCaller(context);
      const { verificationId, code } = request;
      const result = await checkVerification(deps, { workspaceId, mode, verificationId, code });
      return { verificationId, status: checkStatuses[result] };
    },
  };
}

/** What the schema cannot say of the requests. */
export const verifyFieldChecks: readonly FieldCheck[] = [
  fieldCheck(StartVerificationRequestSchema, ({ channel, recipient, brand }) => {
    const name = findChannel(channel);
    return name === undefined ? {} : startProblems({ channel: name, recipient, brand });
  }),
];
