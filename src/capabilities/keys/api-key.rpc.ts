import type { ServiceImpl } from "@connectrpc/connect";
import {
  type ApiKeyService,
  CreateApiKeyRequestSchema,
  CreateApiKeyResponseSchema,
  Mode as ModeMessage,
  RevokeApiKeyRequestSchema,
  RotateApiKeyResponseSchema,
  UpdateApiKeyRequestSchema,
} from "../../../gen/byond/v1/api_key_pb.ts";
import { sessionCaller } from "../../access/caller.ts";
import { ipAllowlistProblems } from "../../access/ip-allowlist.ts";
import { originProblems } from "../../access/publishable-keys.ts";
import type { Hasher } from "../../crypto/argon2-hasher.ts";
import type { Database } from "../../database/database.ts";
import { problemOf } from "../../errors.ts";
import type { EventLog } from "../../events/event-log.ts";
import { storeAnswer } from "../../idempotency/idempotency-claim.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { timestampToDate } from "../../rpc/timestamp-to-date.ts";
import { type FieldCheck, fieldCheck } from "../../rpc/validation.ts";
import { lineProblem, nameProblem } from "../../text/display-name-rules.ts";
import { apiKeyMessage, createdKeyMessage, rotatedKeyMessage } from "./api-key-proto.ts";
import { createApiKey } from "./create-api-key.ts";
import { getApiKey, keyIdOf } from "./get-api-key.ts";
import { graceSeconds as grace } from "./keys.policy.ts";
import { listApiKeys } from "./list-api-keys.ts";
import { revokeApiKey } from "./revoke-api-key.ts";
import { rotateApiKey } from "./rotate-api-key.ts";
import {
  keyChangesOf,
  keyChangesProblems,
  requiredSignature,
  scopeProblems,
  secretKeyProblems,
  updateApiKey,
} from "./update-api-key.ts";

/** ApiKeyService: messages to operations and back. */
export function apiKeyService(deps: {
  readonly database: Database;
  readonly keyHasher: Hasher;
  readonly tagKey: Buffer;
  readonly revocation: Pick<RevocationService, "revoke">;
  readonly events: Pick<EventLog, "committed">;
}): ServiceImpl<typeof ApiKeyService> {
  return {
    async createApiKey(request, context) {
      const input = {
        name: request.name,
        mode: request.mode === ModeMessage.TEST ? "test" : "live",
        scopes: request.scopes?.scopes ?? null,
        ipAllowlist: request.ipAllowlist?.ranges ?? null,
        origins: request.origins?.origins ?? null,
        requestsPerMinute: request.requestsPerMinute ?? null,
        ...requiredSignature(request),
        expiresAt: request.expiresAt === undefined ? null : timestampToDate(request.expiresAt),
      } as const;
      const store = storeAnswer(context, CreateApiKeyResponseSchema, createdKeyMessage);
      const created = await createApiKey(deps, sessionCaller(context), input, store);
      deps.events.committed();
      return createdKeyMessage(created);
    },

    async listApiKeys(request, context) {
      const { workspaceId } = sessionCaller(context);
      const { keys, nextPageToken } = await listApiKeys(deps, {
        workspaceId,
        pageSize: request.pageSize,
        pageToken: request.pageToken,
        includeRevoked: request.includeRevoked,
      });
      return { keys: keys.map(apiKeyMessage), ...(nextPageToken === undefined ? {} : { nextPageToken }) };
    },

    async getApiKey({ id }, context) {
      const { workspaceId } = sessionCaller(context);
      return { apiKey: apiKeyMessage(await getApiKey(deps, { workspaceId, id: keyIdOf(id) })) };
    },

    async updateApiKey(request, context) {
      const key = await updateApiKey(deps, sessionCaller(context), keyIdOf(request.id), keyChangesOf(request));
      deps.events.committed();
      return { apiKey: apiKeyMessage(key) };
    },

    async rotateApiKey({ id, graceSeconds = grace.default }, context) {
      const store = storeAnswer(context, RotateApiKeyResponseSchema, rotatedKeyMessage);
      const input = { id: keyIdOf(id), graceSeconds };
      const rotated = await rotateApiKey(deps, sessionCaller(context), input, store);
      deps.events.committed();
      return rotatedKeyMessage(rotated);
    },

    async revokeApiKey({ id, reason }, context) {
      await revokeApiKey(deps, sessionCaller(context), { id: keyIdOf(id), reason });
      deps.events.committed();
      return { id, revoked: true };
    },
  };
}

/** Checks of requests that the schema cannot express. `known` are the scopes that a key can be given. */
export function apiKeyFieldChecks(known: readonly string[]): readonly FieldCheck[] {
  return [
    fieldCheck(CreateApiKeyRequestSchema, ({ name, scopes, ipAllowlist, origins, ...request }) => ({
      ...problemOf("name", nameProblem(name)),
      ...scopeProblems(scopes?.scopes ?? [], known, "scopes"),
      ...(ipAllowlist === undefined ? {} : ipAllowlistProblems(ipAllowlist.ranges, "ip_allowlist")),
      ...(origins === undefined
        ? {}
        : { ...secretKeyProblems({ scopes, ...request }, ""), ...originProblems(origins.origins, "origins") }),
    })),
    fieldCheck(UpdateApiKeyRequestSchema, (request) => keyChangesProblems(request, known)),
    fieldCheck(RevokeApiKeyRequestSchema, ({ reason }) =>
      problemOf("reason", reason === undefined ? undefined : lineProblem(reason)),
    ),
  ];
}
