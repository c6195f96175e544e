import { createId } from "../../crypto/ids.ts";
import { unseal } from "../../crypto/keyring.ts";
import type { Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import { AppError, invalidFields } from "../../errors.ts";
import type { OutboxItem } from "../../outbox/outbox.ts";
import { type CheckDependencies, checkVerification } from "./check-verification.ts";
import type { OriginLimit } from "./define-send-step.ts";
import { unknownEndUser } from "./end-user.ts";
import { verificationIdOf, verificationNotFound } from "./get-verification.ts";
import { parseRecipient, recipientContext } from "./recipient.ts";
import { type StartDependencies, type StartInput, startVerification } from "./start-verification.ts";
import { accountSendLimit, codeLength, ttlSeconds } from "./verify.policy.ts";

/**
 * The owner of verifications that the server starts. Each account and each reset has an owner of its own, so that wrong codes
 * are counted separately. It is not a workspace, so no key can read them.
 */
const serverOwner = (subjectId: string) =>
  ({
    workspaceId: `ws_byond/${subjectId}`,
    workspaceName: "Byond",
    mode: "live",
    isVerified: true,
    credential: null,
  }) as const;

/** Accounts with one unverified address share a bucket for that recipient (`sharesRecipientLimit`). */
const accountOwner = (userId: string) => ({ ...serverOwner(userId), isVerified: false });

/** The kind of outbox messages that carry the code of a password reset. */
export const resetMessageKind = "password_reset_code";

const accountLimit: OriginLimit = {
  bucket: "account",
  keys: ["account"],
  limit: accountSendLimit,
  message: "Too many codes for this account. Try again later.",
};

const readReset = statement<{ recipientSealed: Buffer | null; createdAt: Date }>("read_password_reset")(
  { workspaceId: text, id: text },
  (p) => `SELECT recipient_sealed, created_at FROM verification WHERE workspace_id = ${p.workspaceId} AND id = ${p.id}`,
);

/** Verifications of the accounts' mail addresses and of password resets, by the same rules as those of workspaces. */
export function accountVerifications(deps: StartDependencies & Pick<CheckDependencies, "checks">) {
  const { database, keyring } = deps;
  const inputOf = (
    recipient: string,
    input: Pick<StartInput, "codeLength" | "originLimits" | "id" | "messageKind">,
  ): StartInput => ({
    channel: "email",
    recipient,
    brand: undefined,
    ttlSeconds: ttlSeconds.ofAccounts,
    locale: undefined,
    autofillDomain: undefined,
    metadata: {},
    endUser: unknownEndUser,
    ...input,
  });
  const check = (
    transaction: Queryable,
    subjectId: string,
    { id, code }: { readonly id: string; readonly code: string },
  ) => {
    const input = { verificationId: id, code, recipient: undefined, sources: [] };
    // Recipients of the server's own verifications have no fixed codes.
    const checking = { ...deps, database: transaction, allowsFixedCodes: false };
    return checkVerification(checking, serverOwner(subjectId), input).then(
      ({ status }) => status,
      (error: unknown) => {
        // The sweep removes the server's own verifications after a day.
        if (error instanceof AppError && error.code === "not_found") {
          return "expired" as const;
        }
        throw error;
      },
    );
  };
  return {
    /**
     * Starts a verification of an account's address. The caller calls `send` after the commit. Throws `invalid_request` for an
     * address that is malformed by today's rules.
     */
    async start(transaction: Queryable, { userId, email }: { readonly userId: string; readonly email: string }) {
      if ("problem" in parseRecipient("email", email)) {
        throw new AppError("invalid_request", "No email can be sent to the address of this account.");
      }
      const queued: OutboxItem[] = [];
      const codes = { ...deps.codes, dispatch: (item: OutboxItem) => void queued.push(item) };
      const started = await startVerification(
        { ...deps, database: transaction, codes },
        accountOwner(userId),
        inputOf(email, { codeLength: codeLength.ofAccounts, originLimits: [accountLimit] }),
      );
      return { ...started, send: () => queued.forEach((item) => void deps.codes.dispatch(item)) };
    },

    check,

    /** Starts a password reset. Throws `validation_error` for a malformed address. */
    async startReset(email: string) {
      const recipient = parseRecipient("email", email);
      if ("problem" in recipient) {
        throw invalidFields({ email: recipient.problem });
      }
      const id = createId("vrf");
      const input = {
        id,
        codeLength: codeLength.ofAccounts,
        originLimits: [],
        messageKind: resetMessageKind,
      };
      return startVerification(deps, serverOwner(id), inputOf(email, input));
    },

    /** Returns the address and the start of a password reset. Throws `not_found`. */
    async findReset(presented: string): Promise<{ readonly email: string; readonly startedAt: Date }> {
      const resetId = verificationIdOf(presented);
      const { workspaceId } = serverOwner(resetId);
      const [row] = await database.run(readReset, { workspaceId, id: resetId });
      const sealed = row?.recipientSealed ?? undefined;
      const email = sealed && unseal(keyring, "recipient-seal", recipientContext(workspaceId, resetId), sealed);
      if (row === undefined || email === undefined) {
        throw verificationNotFound();
      }
      return { email, startedAt: row.createdAt };
    },

    checkReset: (transaction: Queryable, reset: { readonly id: string; readonly code: string }) =>
      check(transaction, reset.id, reset),
  };
}
