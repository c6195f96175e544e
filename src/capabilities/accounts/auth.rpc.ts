import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { Mode as ModeMessage, ScopeSetSchema } from "../../../gen/byond/v1/api_key_pb.ts";
import {
  type AuthService,
  ChangePasswordRequestSchema,
  ChangePasswordResponseSchema,
  CheckEmailVerificationResponseSchema,
  CheckEmailVerificationResponse_Status as CheckStatus,
  ConfirmPasswordResetRequestSchema,
  LogoutAllResponseSchema,
  ConfirmPasswordResetResponse_Status as ResetStatus,
  Role,
  SignUpRequestSchema,
  StartEmailVerificationResponseSchema,
  StartPasswordResetRequestSchema,
  StartPasswordResetResponse_Status as StartResetStatus,
  StartEmailVerificationResponse_Status as StartStatus,
  UpdateWorkspaceRequestSchema,
  UpdateWorkspaceResponseSchema,
} from "../../../gen/byond/v1/auth_pb.ts";
import { exemptFromRevocation } from "../../access/abort-on-revocation.ts";
import { anyCaller, type KeyCaller, sessionCaller } from "../../access/caller.ts";
import { noSessionInCookie, type SessionCookie, type SessionCookies } from "../../access/session-cookie.ts";
import type { Clock } from "../../clock.ts";
import type { Database } from "../../database/database.ts";
import { AppError, invalidFields, problemOf } from "../../errors.ts";
import { storeAnswer } from "../../idempotency/idempotency-claim.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { type FieldCheck, fieldCheck } from "../../rpc/validation.ts";
import { clientAddressKey } from "../../server/client-address.ts";
import { senderNameProblem } from "../../text/display-name-rules.ts";
import { parseAccountAddress } from "../../text/mail-address.ts";
import { changePassword } from "./change-password.ts";
import type { PasswordDependencies } from "./check-password.ts";
import { deleteAccount } from "./delete-account.ts";
import { logoutAll, signOut } from "./end-sessions.ts";
import type { FailedCallLimits } from "./failed-call-limits.ts";
import { accountOf } from "./find-account.ts";
import type { SessionDependencies, SessionGrant } from "./open-session.ts";
import { confirmPasswordReset, startPasswordReset } from "./password-reset.ts";
import { newPasswordProblem } from "./password-rules.ts";
import { refreshSession } from "./refresh-session.ts";
import { signIn } from "./sign-in.ts";
import { type AccountDependencies, emailProblem, signUp } from "./sign-up.ts";
import type { EmailVerificationOutcome, EmailVerifications, StartedEmailVerification } from "./verify-account-email.ts";
import { type CheckedEmail, checkEmailVerification, startEmailVerification } from "./verify-account-email.ts";
import {
  getWorkspace,
  updateWorkspace,
  type Workspace,
  workspaceChangesOf,
  workspaceChangesProblems,
  workspaceMessage,
} from "./workspace.ts";

export interface AuthDependencies extends AccountDependencies, PasswordDependencies, SessionDependencies {
  readonly database: Database;
  readonly decoyHash: string;
  readonly revocation: Pick<RevocationService, "revoke" | "confirmEarlier">;
  readonly emailVerifications: EmailVerifications;
  readonly signUp: "open" | "closed";
  readonly signUpsPerHour: number;
  readonly sessionCookies: SessionCookies;
  readonly clock: Pick<Clock, "now">;
  /** Of calls without a credential. */
  readonly failedCallLimits: FailedCallLimits;
}

const startStatuses = {
  pending: StartStatus.PENDING,
  channel_unavailable: StartStatus.CHANNEL_UNAVAILABLE,
} as const satisfies Record<StartedEmailVerification["status"], StartStatus>;

const checkStatuses = {
  approved: CheckStatus.APPROVED,
  incorrect: CheckStatus.INCORRECT,
  expired: CheckStatus.EXPIRED,
  locked: CheckStatus.LOCKED,
} as const satisfies Record<EmailVerificationOutcome, CheckStatus>;

const startResetStatuses = {
  pending: StartResetStatus.PENDING,
  channel_unavailable: StartResetStatus.CHANNEL_UNAVAILABLE,
} as const satisfies Record<StartedEmailVerification["status"], StartResetStatus>;

const resetStatuses = {
  approved: ResetStatus.APPROVED,
  incorrect: ResetStatus.INCORRECT,
  expired: ResetStatus.EXPIRED,
  locked: ResetStatus.LOCKED,
} as const satisfies Record<EmailVerificationOutcome, ResetStatus>;

/** AuthService: messages to operations and back. */
export function authService(deps: AuthDependencies): ServiceImpl<typeof AuthService> {
  const cookieOf = (context: HandlerContext) => deps.sessionCookies.ofCall(context.requestHeader, context);
  /** The answer with a session's tokens, which are in the cookie instead if the call is about it. */
  const give = (grant: SessionGrant, cookie: SessionCookie | undefined, context: HandlerContext) => {
    if (cookie !== undefined) {
      const maxAgeSeconds = (grant.sessionExpiresAt.getTime() - deps.clock.now().getTime()) / 1_000;
      context.responseHeader.append("Set-Cookie", cookie.write(grant, maxAgeSeconds));
    }
    return grantMessage(grant, cookie);
  };
  const forget = (cookie: SessionCookie | undefined, context: HandlerContext) => {
    if (cookie !== undefined) {
      context.responseHeader.append("Set-Cookie", cookie.clear());
    }
  };
  return {
    async signUp({ email, password, name }, context) {
      if (deps.signUp === "closed") {
        throw new AppError("not_found", "Sign-up is closed on this server. Ask its administrator for an account.");
      }
      const cookie = cookieOf(context);
      const origin = originOf(context);
      const grant = await deps.failedCallLimits.runFrom(origin, () =>
        signUp(deps, { email, password, name, ...origin }),
      );
      return give(grant, cookie, context);
    },

    async signIn({ email, password }, context) {
      const cookie = cookieOf(context);
      const origin = originOf(context);
      const grant = await deps.failedCallLimits.runFrom(origin, () => signIn(deps, { email, password, ...origin }));
      return give(grant, cookie, context);
    },

    async refreshSession(request, context) {
      const cookie = cookieOf(context);
      const refreshToken = refreshTokenOf(request, cookie, context);
      if (refreshToken === undefined) {
        throw noSessionInCookie();
      }
      return give(await refreshSession(deps, { refreshToken, ...originOf(context) }), cookie, context);
    },

    async signOut(request, context) {
      const cookie = cookieOf(context);
      const refreshToken = refreshTokenOf(request, cookie, context);
      if (refreshToken !== undefined) {
        await signOut(deps, { refreshToken, ...originOf(context) });
      }
      forget(cookie, context);
      return { message: "The session has ended." };
    },

    async getMe(_request, context) {
      const caller = anyCaller(context);
      const account = await accountOf(deps, caller);
      return {
        userId: account.userId,
        email: account.email,
        workspaceId: account.workspaceId,
        role: Role.OWNER,
        verified: account.isVerified,
        createdAt: timestampFromDate(account.createdAt),
        ...(caller.kind === "key" ? describeKey(caller) : {}),
      };
    },

    async logoutAll(_request, context) {
      const answer = { message: "All sessions have been revoked." };
      const store = storeAnswer(context, LogoutAllResponseSchema, () => answer);
      const exempt = () => exemptFromRevocation(context);
      await logoutAll(deps, anyCaller(context), exempt, (transaction) => store(transaction, undefined));
      forget(cookieOf(context), context);
      return answer;
    },

    async changePassword({ currentPassword, newPassword }, context) {
      const input = { currentPassword, newPassword, ...originOf(context) };
      const exempt = () => exemptFromRevocation(context);
      const cookie = cookieOf(context);
      const store = storeAnswer(context, ChangePasswordResponseSchema, (grant: SessionGrant) =>
        grantMessage(grant, cookie),
      );
      return give(await changePassword(deps, sessionCaller(context), input, exempt, store), cookie, context);
    },

    async startPasswordReset({ email }, context) {
      const origin = originOf(context);
      const { id, status, expiresAt } = await deps.failedCallLimits.runFrom(origin, () =>
        startPasswordReset(deps, { email, ...origin }),
      );
      return { resetId: id, status: startResetStatuses[status], expiresAt: timestampFromDate(expiresAt) };
    },

    async confirmPasswordReset({ resetId, code, newPassword }, context) {
      const origin = originOf(context);
      const outcome = await deps.failedCallLimits.runFrom(
        origin,
        () => confirmPasswordReset(deps, { resetId, code, newPassword, ...origin }),
        (outcome) => outcome !== "approved",
      );
      return { status: resetStatuses[outcome] };
    },

    async startEmailVerification(_request, context) {
      const answerOf = ({ status, expiresAt }: StartedEmailVerification) => ({
        status: startStatuses[status],
        expiresAt: timestampFromDate(expiresAt),
      });
      const store = storeAnswer(context, StartEmailVerificationResponseSchema, answerOf);
      return answerOf(await startEmailVerification(deps, sessionCaller(context), store));
    },

    async checkEmailVerification({ code }, context) {
      const input = { code, ...originOf(context) };
      const answerOf = ({ outcome, isVerified }: CheckedEmail) => ({
        status: checkStatuses[outcome],
        verified: isVerified,
      });
      const store = storeAnswer(context, CheckEmailVerificationResponseSchema, answerOf);
      return answerOf(await checkEmailVerification(deps, sessionCaller(context), input, store));
    },

    async getWorkspace(_request, context) {
      const { workspaceId } = sessionCaller(context);
      return { workspace: workspaceMessage(await getWorkspace(deps, workspaceId)) };
    },

    async updateWorkspace(request, context) {
      const answerOf = (workspace: Workspace) => ({ workspace: workspaceMessage(workspace) });
      const store = storeAnswer(context, UpdateWorkspaceResponseSchema, answerOf);
      return answerOf(await updateWorkspace(deps, sessionCaller(context), workspaceChangesOf(request), store));
    },

    async deleteAccount({ password }, context) {
      const input = { password, ...originOf(context) };
      await deleteAccount(deps, anyCaller(context), input, () => exemptFromRevocation(context));
      forget(cookieOf(context), context);
      return { message: "Account deleted successfully." };
    },
  };
}

function originOf({ values }: HandlerContext): { readonly clientAddress: string | undefined } {
  return { clientAddress: values.get(clientAddressKey) };
}

/** A session's tokens as a message: without them, if they are in the cookie. */
function grantMessage({ sessionExpiresAt, ...grant }: SessionGrant, cookie: SessionCookie | undefined) {
  const tokens = cookie === undefined ? {} : { accessToken: "", refreshToken: "" };
  return { ...grant, ...tokens, sessionExpiresAt: timestampFromDate(sessionExpiresAt) };
}

/** The refresh token that a call names, or the one of the cookie. Undefined: the cookie has none. */
function refreshTokenOf(
  { refreshToken }: { readonly refreshToken: string },
  cookie: SessionCookie | undefined,
  { requestHeader }: HandlerContext,
): string | undefined {
  if (refreshToken === "" && cookie === undefined) {
    throw invalidFields({ refresh_token: "is required" });
  }
  return refreshToken === "" ? cookie?.read(requestHeader)?.refreshToken : refreshToken;
}

function describeKey({ mode, scopes, keyPrefix }: KeyCaller) {
  return {
    mode: mode === "test" ? ModeMessage.TEST : ModeMessage.LIVE,
    ...(scopes === null ? {} : { scopes: create(ScopeSetSchema, { scopes: [...scopes] }) }),
    keyPrefix,
  };
}

/** Checks of requests that the schema cannot express. */
export const authFieldChecks: readonly FieldCheck[] = [
  fieldCheck(SignUpRequestSchema, ({ email, password, name }) => ({
    ...problemOf("email", addressProblem(email)),
    ...problemOf("password", newPasswordProblem(password, email)),
    ...problemOf("name", senderNameProblem(name)),
  })),
  fieldCheck(ChangePasswordRequestSchema, ({ newPassword }) =>
    problemOf("new_password", newPasswordProblem(newPassword, undefined)),
  ),
  fieldCheck(StartPasswordResetRequestSchema, ({ email }) => problemOf("email", addressProblem(email))),
  fieldCheck(ConfirmPasswordResetRequestSchema, ({ newPassword }) =>
    problemOf("new_password", newPasswordProblem(newPassword, undefined)),
  ),
  fieldCheck(UpdateWorkspaceRequestSchema, workspaceChangesProblems),
];

function addressProblem(email: string): string | undefined {
  return parseAccountAddress(email) === undefined ? emailProblem : undefined;
}
