import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  CheckVerificationResponse_Status as CheckStatus,
  type CheckVerificationRequest,
  CheckVerificationRequestSchema,
  CheckVerificationResponseSchema,
  type FallbackStep,
  ResendCodeResponseSchema,
  StartVerificationResponse_Status as StartStatus,
  StartVerificationRequestSchema,
  StartVerificationResponseSchema,
  type VerifyService,
} from "../../../gen/byond/v1/verify_pb.ts";
import { callMode } from "../../access/call-mode.ts";
import { anyCaller, credentialOf, keyCaller } from "../../access/caller.ts";
import { createId } from "../../crypto/ids.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { EventLog } from "../../events/event-log.ts";
import { commitWithAnswer } from "../../idempotency/idempotency-claim.ts";
import type { Quota } from "../../quota/quota.ts";
import { timestampToDate } from "../../rpc/timestamp-to-date.ts";
import { type FieldCheck, fieldCheck } from "../../rpc/validation.ts";
import { clientAddressKey } from "../../server/client-address.ts";
import { channelOf, findChannel } from "../channels/channel-proto.ts";
import type { EmailLookups } from "../email-lookup/look-up-email.ts";
import type { RecipientErasure } from "../recipients/recipient-data.ts";
import { approvalOf } from "./approval.ts";
import { cancelVerification } from "./cancel-verification.ts";
import {
  type CheckStatus as CheckOutcome,
  type CheckResult,
  checkProblems,
  type checkStatements,
  checkVerification,
} from "./check-verification.ts";
import { commitAndSend, type SendingDependencies } from "./commit-and-send.ts";
import { type EndUser, endUserOf } from "./end-user.ts";
import { eraseRecipient, type erasureStatement } from "./erase-recipient.ts";
import { fixedCodeOf } from "./fixed-codes/find-fixed-code.ts";
import { getVerification, verificationIdOf } from "./get-verification.ts";
import type { GuessCounter } from "./guessing/guess-counter.ts";
import { endUserSources, type GuessSource, guessSourcesOf } from "./guessing/guess-source.ts";
import { listVerifications } from "./list-verifications.ts";
import type { FallbackInput } from "./plan-sends.ts";
import { isOfPage, requireFieldsOfPage, sendForPage, verificationForPage } from "./publishable-calls.ts";
import { refuseEmails } from "./refused-emails.ts";
import { resendCode } from "./resend-code.ts";
import { countSource, endUserLimits, type SendLimitSettings } from "./send-limits.ts";
import { type StartedOrReused, startOrReuse } from "./start-or-reuse.ts";
import {
  type StartedVerification,
  startProblems,
  startVerification,
  type VerificationHolder,
  type VerificationOwner,
} from "./start-verification.ts";
import type { VerificationMetrics } from "./verification-metrics.ts";
import { findStatus, verificationMessage } from "./verification-proto.ts";
import { codeLength, fallbackAfterSeconds, pageSize, ttlSeconds } from "./verify.policy.ts";

const startStatuses = {
  pending: StartStatus.PENDING,
  channel_unavailable: StartStatus.CHANNEL_UNAVAILABLE,
} as const satisfies Record<StartedVerification["status"], StartStatus>;

const checkStatuses = {
  approved: CheckStatus.APPROVED,
  incorrect: CheckStatus.INCORRECT,
  expired: CheckStatus.EXPIRED,
  locked: CheckStatus.LOCKED,
} as const satisfies Record<CheckOutcome, CheckStatus>;

export interface VerifyServiceDependencies extends SendingDependencies {
  readonly events: Pick<EventLog, "committed">;
  readonly quota: Pick<Quota, "admit">;
  readonly sendLimits: SendLimitSettings;
  readonly erase: ReturnType<typeof erasureStatement>;
  readonly erasures: readonly RecipientErasure[];
  readonly checks: ReturnType<typeof checkStatements>;
  readonly guesses: Pick<GuessCounter, "note">;
  readonly allowsFixedCodes: boolean;
  readonly emails: EmailLookups;
  readonly metrics: Pick<VerificationMetrics, "started" | "checked">;
}

/** VerifyService: translates messages to operations and back. */
export function verifyService(deps: VerifyServiceDependencies): ServiceImpl<typeof VerifyService> {
  return {
    async startVerification(request, context) {
      await refuseEmails(deps.emails, request, anyCaller(context).workspaceId);
      const endUser = endUserOf(deps.keyring, anyCaller(context).workspaceId, request);
      const input = {
        // Before the work, which may run again: the hook is told the id that the call answers.
        id: createId("vrf"),
        channel: channelOf(request.channel),
        recipient: request.recipient,
        brand: request.brand,
        codeLength: request.codeLength ?? codeLength.default,
        ttlSeconds: request.ttlSeconds ?? ttlSeconds.default,
        locale: request.locale,
        // Browsers compare it with a host name without the trailing dot.
        autofillDomain: request.autofillDomain?.replace(/\.$/, ""),
        codeInSubject: request.codeInSubject,
        metadata: request.metadata,
        endUser,
        originLimits: endUserLimits(deps.sendLimits, endUser),
        originLimitsOf: (merged: EndUser) => endUserLimits(deps.sendLimits, merged),
        fallback: request.fallback.map(fallbackInput),
        approval: approvalOf(request),
      };
      const answer = await countSource(deps, originOf(context), () =>
        commitAndSend(deps, context, StartVerificationResponseSchema, async (committing) => {
          const owner = ownerOf(context);
          const fixedCode = deps.allowsFixedCodes ? await fixedCodeOf(committing, owner, input) : undefined;
          const started: StartedVerification & Partial<StartedOrReused> =
            request.reuse === undefined
              ? await startVerification(committing, owner, { ...input, fixedCode })
              : await startOrReuse(committing, owner, { ...input, fixedCode });
          return {
            verificationId: started.id,
            channel: request.channel,
            status: startStatuses[started.status],
            expiresAt: timestampFromDate(started.expiresAt),
            ...(started.isReused === undefined ? {} : { reused: started.isReused }),
          };
        }),
      );
      if (answer.reused !== true) {
        deps.metrics.started(ownerOf(context).mode, input.channel);
      }
      deps.events.committed();
      return answer;
    },

    async checkVerification(request, context) {
      const { code, recipient, payee, amount } = request;
      const verificationId = verificationIdOf(request.verificationId);
      const owner = ownerOf(context);
      const isPage = isOfPage(anyCaller(context));
      if (isPage) {
        requireFieldsOfPage(request, ["endUserIp", "deviceId"]);
      }
      const sources = checkSourcesOf(deps.keyring, request, context);
      let checked: CheckResult | undefined;
      const answer = await commitWithAnswer(
        context,
        deps.database,
        CheckVerificationResponseSchema,
        async (database) => {
          const input = { verificationId, code, recipient, payee, amount, sources };
          checked = await checkVerification({ ...deps, database }, owner, input);
          const { status, hasFixedCode } = checked;
          return {
            verificationId,
            status: checkStatuses[status],
            ...(hasFixedCode && !isPage ? { fixedCode: true } : {}),
          };
        },
      );
      if (checked !== undefined) {
        deps.metrics.checked(owner.mode, checked.status);
      }
      deps.guesses.note(owner.workspaceId, checked?.guessed ?? [], "guessed");
      deps.guesses.note(owner.workspaceId, checked?.approved ?? [], "approved");
      if (answer.status === CheckStatus.APPROVED || answer.status === CheckStatus.LOCKED) {
        deps.events.committed();
      }
      return answer;
    },

    async getVerification(request, context) {
      const { workspaceId, mode } = realmOf(context);
      const verificationId = verificationIdOf(request.verificationId);
      const view = await getVerification(deps, { workspaceId, mode, verificationId });
      return { verification: verificationMessage(view) };
    },

    async resendCode(request, context) {
      const { verificationId, channel, recipient } = request;
      const origin = originOf(context);
      const isPage = isOfPage(anyCaller(context));
      if (isPage) {
        requireFieldsOfPage(request, ["recipient"]);
      }
      const input = {
        verificationId: verificationIdOf(verificationId),
        channel: channel === undefined ? undefined : channelOf(channel),
        recipient,
        originLimitsOf: (endUser: EndUser) => endUserLimits(deps.sendLimits, endUser),
        ...(isPage
          ? {
              onlyListedChannels: true,
              endUser: endUserOf(deps.keyring, origin.workspaceId, { endUserIp: origin.clientAddress }),
            }
          : {}),
      };
      const messageOf = isPage ? verificationForPage : verificationMessage;
      const resend = () =>
        countSource(deps, origin, (takeBack) =>
          commitAndSend(deps, context, ResendCodeResponseSchema, async (committing) => {
            const { wasSent, verification } = await resendCode(committing, holderOf(context), input);
            if (!wasSent) {
              takeBack();
            }
            return { verification: messageOf(verification) };
          }),
        );
      return isPage ? sendForPage(resend) : resend();
    },

    async cancelVerification(request, context) {
      const { workspaceId, mode, credential } = holderOf(context);
      const verificationId = verificationIdOf(request.verificationId);
      const view = await cancelVerification(deps, { workspaceId, mode, verificationId }, credential);
      deps.events.committed();
      return { verification: verificationMessage(view) };
    },

    async listVerifications(request, context) {
      const { workspaceId, mode } = realmOf(context);
      const { verifications, nextPageToken } = await listVerifications(deps, {
        workspaceId,
        mode,
        status: request.status === undefined ? undefined : findStatus(request.status),
        channel: request.channel === undefined ? undefined : channelOf(request.channel),
        recipient: request.recipient,
        createdAfter: request.createdAfter === undefined ? undefined : timestampToDate(request.createdAfter),
        createdBefore: request.createdBefore === undefined ? undefined : timestampToDate(request.createdBefore),
        pageSize: request.pageSize ?? pageSize.default,
        pageToken: request.pageToken,
      });
      return {
        verifications: verifications.map(verificationMessage),
        ...(nextPageToken === undefined ? {} : { nextPageToken }),
      };
    },

    async eraseRecipient({ recipient }, context) {
      const erased = await eraseRecipient(deps, ownerOf(context), { recipient });
      deps.events.committed();
      return { erased };
    },
  };
}

function fallbackInput({ channel, recipient, afterSeconds }: FallbackStep): FallbackInput {
  return { channel: findChannel(channel), recipient, afterSeconds: afterSeconds ?? fallbackAfterSeconds.default };
}

function originOf(context: HandlerContext) {
  return { workspaceId: anyCaller(context).workspaceId, clientAddress: context.values.get(clientAddressKey) };
}

/** The sources of a check. In the sandbox, where everybody knows the code, they are not judged. */
function checkSourcesOf(
  keyring: Keyring,
  { endUserIp, deviceId }: CheckVerificationRequest,
  context: HandlerContext,
): readonly GuessSource[] {
  const caller = keyCaller(context);
  const { workspaceId, mode, keyId } = caller;
  if (mode === "test") {
    return [];
  }
  const clientAddress = context.values.get(clientAddressKey);
  if (isOfPage(caller)) {
    return endUserSources({ endUserIp: clientAddress });
  }
  const { deviceIndexes } = endUserOf(keyring, workspaceId, { deviceId });
  return guessSourcesOf({
    keyId,
    clientAddress,
    endUserIp,
    deviceId,
    deviceIndexes,
  });
}

/** Whose verifications the call is about. */
function realmOf(context: HandlerContext): Pick<VerificationOwner, "workspaceId" | "mode"> {
  return { workspaceId: anyCaller(context).workspaceId, mode: callMode(context) };
}

/** The same, for a call of a key or a session that changes something. */
function holderOf(context: HandlerContext): VerificationHolder {
  const caller = anyCaller(context);
  const { isVerified } = caller;
  return {
    ...realmOf(context),
    isVerified,
    credential: credentialOf(caller),
    ...(caller.kind === "key" ? { keyId: caller.keyId } : {}),
  };
}

function ownerOf(context: HandlerContext): VerificationOwner {
  const caller = keyCaller(context);
  return { ...caller, credential: credentialOf(caller) };
}

/** The rules of the requests that the schema cannot express. */
export const verifyFieldChecks: readonly FieldCheck[] = [
  fieldCheck(StartVerificationRequestSchema, ({ channel, brand, fallback, ...request }) => {
    const name = findChannel(channel);
    return name === undefined
      ? {}
      : startProblems({ ...request, brand, channel: name, fallback: fallback.map(fallbackInput) });
  }),
  fieldCheck(CheckVerificationRequestSchema, checkProblems),
];
