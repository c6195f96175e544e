import type { Tier } from "../../access/tiers.ts";
import type { Hasher } from "../../crypto/hashing.ts";
import { createId } from "../../crypto/ids.ts";
import type { Database } from "../../database/database.ts";
import { statement } from "../../database/statement.ts";
import { demoAddress } from "../../text/mail-address.ts";
import type { KeyIssuing } from "../keys/keys.capability.ts";
import { createDecoyHash } from "./check-password.ts";
import { insertAccount } from "./sign-up.ts";

const anyWorkspace = statement<{ id: string }>("read_any_workspace")({}, () => "SELECT id FROM workspace LIMIT 1");

/**
 * Makes a demo workspace with a sandbox key in a database that has no workspace. The key, or undefined if there was one. Its owner
 * has no password until `npm run reset-password` sets one.
 */
export async function createDemoWorkspace(deps: {
  readonly database: Database;
  readonly passwordHasher: Hasher;
  readonly keys: KeyIssuing;
  readonly defaultTier: Tier;
}): Promise<string | undefined> {
  if ((await deps.database.run(anyWorkspace, {})).length > 0) {
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
