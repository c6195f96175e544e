import { ApiKeyService } from "../../../gen/byond/v1/api_key_pb.ts";
import { type Capability, Offer } from "../../capability.ts";
import { Hasher, keyCost } from "../../crypto/argon2-hasher.ts";
import { hashMetrics } from "../../crypto/hash-metrics.ts";
import type { QueryableTables } from "../../database/database.ts";
import { bindService } from "../../rpc/router.ts";
import type { EventObjects } from "../events/event-messages.ts";
import { ApiKeyEntity } from "./api-key.entity.ts";
import { apiKeyFieldChecks, apiKeyService } from "./api-key.rpc.ts";
import { ApiKeySecretEntity } from "./api-key-secret.entity.ts";
import { KeyAuthenticator } from "./authenticate-api-key.ts";
import { createSecret, insertApiKey } from "./create-api-key.ts";
import { keyEvents } from "./key-events.ts";
import { type KeySettings, keySettings, readKeySettings } from "./key-settings.ts";
import { hashing } from "./keys.policy.ts";
import { Keys0001 } from "./keys-0001.migration.ts";
import { Keys0002 } from "./keys-0002.migration.ts";
import { LastUsed } from "./last-used.ts";
import { checkRestoredKeys } from "./restored-keys.ts";

/** What keys offer to others. */
export interface KeyIssuing {
  /** Prepares an unrestricted sandbox key. The result inserts it for a workspace, and returns the key. */
  prepareSandboxKey(): Promise<(transaction: QueryableTables, workspaceId: string) => Promise<string>>;
}

/** API keys: created, changed, rotated, revoked, and authenticated in calls. */
export function keysCapability() {
  const offer = new Offer<KeyIssuing>("keys");
  const eventsOffer = new Offer<EventObjects>("keys");
  const capability: Capability<KeySettings> = {
    name: "keys",
    entities: [ApiKeyEntity, ApiKeySecretEntity],
    migrations: [
      { name: "keys-0001", class: Keys0001 },
      { name: "keys-0002", class: Keys0002 },
    ],
    // Secrets are deleted with their key, by the foreign key.
    workspaceTables: { api_key: "created_at DESC, id DESC" },
    settings: [keySettings],
    readSettings: readKeySettings,
    afterRestore: checkRestoredKeys,
    start({ database, clock, events, logger, tagKey, revocation, scopes }, { keyRequestsPerMinute }) {
      eventsOffer.give(keyEvents);
      const keyHasher = new Hasher({ cost: keyCost, ...hashing });
      const lastUsed = new LastUsed({ database, clock, logger });
      const keys = new KeyAuthenticator({
        database,
        clock,
        logger,
        keyHasher,
        tagKey,
        lastUsed,
        revocation,
        keyRequestsPerMinute,
      });
      offer.give({
        async prepareSandboxKey() {
          const secret = await createSecret({ keyHasher, tagKey }, { mode: "test", isPublishable: false });
          return async (transaction, workspaceId) => {
            await insertApiKey(transaction, secret, { workspaceId, name: "sandbox", mode: "test", scopes: null });
            return secret.key;
          };
        },
      });
      return {
        services: [
          {
            binding: bindService(ApiKeyService, apiKeyService({ database, events, keyHasher, tagKey, revocation })),
            fieldChecks: apiKeyFieldChecks(scopes),
            beforeReplay: () => revocation.confirmEarlier(),
          },
        ],
        authenticator: { authenticateKey: (key) => keys.authenticateKey(key) },
        metrics: hashMetrics("key", keyHasher),
        close: () => lastUsed.flush(),
      };
    },
  };
  return { ...capability, offer, events: eventsOffer };
}
