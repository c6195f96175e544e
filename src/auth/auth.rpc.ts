import type { ServiceImpl } from "@connectrpc/connect";
import { type AuthService, SignUpRequestSchema } from "../../gen/byond/v1/auth_pb.ts";
import type { Database } from "../database/database.ts";
import { AppError } from "../errors.ts";
import type { Hasher } from "../hashing.ts";
import { parseMailAddress } from "../mail-address.ts";
import { type FieldCheck, fieldCheck } from "../rpc/validation.ts";
import { type Account, createAccount, emailProblem } from "./create-account.ts";
import { accessTokenSeconds, type SessionTokens } from "./session-tokens.ts";
import { signIn } from "./sign-in.ts";

/** AuthService: messages to operations and back. */
export function authService(deps: {
  readonly database: Database;
  readonly passwordHasher: Hasher;
  readonly decoyHash: string;
  readonly sessionTokens: SessionTokens;
  readonly signUp: "open" | "closed";
}): ServiceImpl<typeof AuthService> {
  const session = async (account: Account) => ({
    userId: account.userId,
    workspaceId: account.workspaceId,
    accessToken: await deps.sessionTokens.sign(account),
    expiresIn: accessTokenSeconds,
  });
  return {
    async signUp(request) {
      if (deps.signUp === "closed") {
        throw new AppError("not_found", "Sign-up is closed on this server. Ask its administrator for an account.");
      }
      return session(await createAccount(deps, request));
    },

    async signIn(request) {
      return session(await signIn(deps, request));
    },
  };
}

/** What the schema cannot say of the requests. */
export const authFieldChecks: readonly FieldCheck[] = [
  fieldCheck(SignUpRequestSchema, ({ email }) =>
    parseMailAddress(email) === undefined ? { email: emailProblem } : {},
  ),
];
