import type { Tier } from "../access/tiers.ts";
import { insertAccount } from "../capabilities/accounts/insert-account.ts";
import { createDecoyHash } from "../capabilities/accounts/sign-in.ts";
import { insertApiKey } from "../capabilities/keys/insert-api-key.ts";
import { createSecret } from "../capabilities/keys/new-secret.ts";
import type { Hasher } from "../crypto/hashing.ts";
import { createId } from "../crypto/ids.ts";
import type { Database } from "../database/database.ts";
import { statement } from "../database/statement.ts";
import { demoAddress } from "../text/mail-address.ts";

const anyWorkspace = statement<{ id: string }>("read_any_workspace")({}, () => "SELECT id FROM workspace LIMIT 1");

/**
 * Makes a demo workspace with a sandbox key in a database that has none. The key, or undefined if there was one. Its owner has
 * no password until `npm run reset-password` sets one.
 */
export async function createDemoKey(deps: {
  readonly database: Database;
  readonly keyHasher: Hasher;
  readonly passwordHasher: Hasher;
  readonly tagKey: Buffer;
  readonly defaultTier: Tier;
}): Promise<string | undefined> {
  if ((await deps.database.run(anyWorkspace, {})).length > 0) {
    return undefined;
  }
  const owner = { userId: createId("usr"), workspaceId: createId("ws"), email: demoAddress, name: "Demo" };
  const passwordHash = await createDecoyHash(deps.passwordHasher);
  const secret = await createSecret(deps, "test");
  return deps.database.transaction(async (transaction) => {
    await insertAccount(transaction, { ...owner, passwordHash, tier: deps.defaultTier, isVerified: true });
    const { workspaceId } = owner;
    await insertApiKey(transaction, secret, { workspaceId, name: "sandbox", mode: "test", scopes: null });
    return secret.key;
  });
}

/** What the first start tells: how to make the first call. All of its lines work when pasted, one after the other. */
export function firstStartBanner(url: string, sandboxKey: string, inboxLink: string | undefined): string {
  return `
  Byond is listening on ${url}

  A sandbox key, shown this once (nothing leaves the server, every code is zeros):

    export BYOND_URL="${url}"
    export BYONDAPI_KEY="${sandboxKey}"

  Start a verification, then read the message that was sent:

    curl -X POST "$BYOND_URL/api/v1/verify/start" -H "X-API-Key: $BYONDAPI_KEY" -H "Content-Type: application/json" -d '{"channel": "email", "recipient": "ada@example.com"}'
    curl "$BYOND_URL/dev/inbox" -H "X-API-Key: $BYONDAPI_KEY"
${pageLines(url, inboxLink)}
`;
}

/** What every later start tells. */
export function startBanner(url: string, inboxLink: string | undefined): string {
  return `
  Byond is listening on ${url}

    export BYOND_URL="${url}"
${pageLines(url, inboxLink)}
`;
}

function pageLines(url: string, inboxLink: string | undefined): string {
  const reference = `\n  The reference: ${url}/docs\n`;
  return inboxLink === undefined
    ? reference
    : `${reference}\n  Every message that stays here, in a browser (the link works once): ${inboxLink}\n`;
}
