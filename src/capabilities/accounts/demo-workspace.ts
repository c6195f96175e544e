import type { Tier } from "../../access/tiers.ts";
import type { Hasher } from "../../crypto/argon2-hasher.ts";
import { createId } from "../../crypto/ids.ts";
import type { Database } from "../../database/database.ts";
import { demoAddress } from "../../text/mail-address.ts";
import type { KeyIssuing } from "../keys/keys.capability.ts";
import type { AccountTables } from "./account-tables.ts";
import { createDecoyHash } from "./check-password.ts";
import { findAccountsByEmail } from "./find-account.ts";
import { insertAccount } from "./sign-up.ts";

/** Whether the database has the demo workspace, with its owner. */
export async function hasDemoWorkspace(deps: { readonly database: Pick<Database, "query"> }): Promise<boolean> {
  return (await findAccountsByEmail(deps, demoAddress)).length > 0;
}

/**
 * Makes a demo workspace with a sandbox key in a database without workspaces. Returns the key, or undefined if there was a
 * workspace. Its owner has no password until `npm run reset-password` sets one.
 */
export async function createDemoWorkspace(deps: {
  readonly database: Database;
  readonly passwordHasher: Hasher;
  readonly keys: KeyIssuing;
  readonly defaultTier: Tier;
}): Promise<string | undefined> {
  const [any] = await deps.database.query((tables: AccountTables) =>
    tables.selectFrom("workspace").select("id").limit(1),
  );
  if (any !== undefined) {
    return undefined;
  }
  const owner = { userId: createId("usr"), workspaceId: createId("ws"), email: demoAddress, name: "Demo" };
  const passwordHash = await createDecoyHash(deps.passwordHasher);
  const insertKey = await deps.keys.prepareSandboxKey();
  return deps.database.transaction(async (transaction) => {
    await insertAccount(transaction, { ...owner, passwordHash, tier: deps.defaultTier, isVerified: true });
    return insertKey(transaction, owner.workspaceId);
  });
}
