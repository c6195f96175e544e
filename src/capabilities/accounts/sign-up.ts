import { type AccountDependencies, createAccount } from "./create-account.ts";
import { openSession, type SessionDependencies, type SessionGrant } from "./open-session.ts";
import { countSignUp } from "./sign-up-attempts.ts";

/**
 * Makes an account and begins its first session. Throws `rate_limited` after too many sign-ups from where the call comes
 * from, and what `createAccount` throws.
 */
export async function signUp(
  deps: SessionDependencies & AccountDependencies & { readonly signUpsPerHour: number },
  input: {
    readonly email: string;
    readonly password: string;
    readonly name: string;
    readonly clientAddress: string | undefined;
  },
): Promise<SessionGrant> {
  await countSignUp(deps, input);
  const account = await createAccount(deps, input);
  const session = await deps.database.transaction((database) =>
    openSession({ ...deps, database }, { ...account, tokenRevision: 0 }, input),
  );
  if (session === undefined) {
    throw new Error("an account that was just made has no session");
  }
  return session;
}
