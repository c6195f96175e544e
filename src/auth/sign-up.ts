import { type AccountDependencies, createAccount } from "./create-account.ts";
import { openSession, type SessionDependencies, type SessionGrant } from "./open-session.ts";

/** Makes an account and begins its first session. Throws what `createAccount` throws. */
export async function signUp(
  deps: SessionDependencies & AccountDependencies,
  input: { readonly email: string; readonly password: string; readonly name: string },
): Promise<SessionGrant> {
  const account = await createAccount(deps, input);
  const session = await openSession(deps, { ...account, tokenRevision: 0 });
  if (session === undefined) {
    throw new Error("an account that was just made has no session");
  }
  return session;
}
