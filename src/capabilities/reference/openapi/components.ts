import type { JsonObject } from "@bufbuild/protobuf";
import { exampleIds } from "./example-ids.ts";

const integer = { type: "integer" };

/** An unquoted key. Quoted keys (RFC 9651) are accepted too. */
const idempotencyKey = { type: "string", minLength: 1, maxLength: 255, pattern: "^[!#-~][ -~]*$" };

/** The components that operations refer to, other than schemas and errors. */
export const sharedComponents: Readonly<Record<string, JsonObject>> = {
  securitySchemes: {
    ApiKeyAuth: {
      type: "apiKey",
      in: "header",
      name: "X-API-Key",
      description:
        "An API key, `prefix.secret`. Keys begin with `pk_live_`, or with `pk_test_` for the sandbox. `Authorization: Bearer <key>` means the same; a request carries one of the two.",
    },
    SessionAuth: {
      type: "http",
      scheme: "bearer",
      bearerFormat: "JWT",
      description: "The access token of a signed-in session. Signing up and signing in return one.",
    },
  },
  parameters: {
    IdempotencyKeyHeader: {
      in: "header",
      name: "Idempotency-Key",
      description:
        "Makes the call safe to retry for 24 hours: a retry with the same key returns the response of the first call, and nothing is done twice. Choose a random key of 1 to 255 printable characters for every new request.",
      schema: idempotencyKey,
    },
    AcceptedIdempotencyKeyHeader: {
      in: "header",
      name: "Idempotency-Key",
      description:
        "Accepted without effect, because the call has no credential: no response is stored. The description of the operation says what a retry does. A malformed key is refused with `invalid_request`.",
      schema: idempotencyKey,
    },
    ModeHeader: {
      in: "header",
      name: "Byond-Mode",
      description:
        "With an access token: the mode of the call, `live` (the default) or `test`. An API key has a mode of its own; the call fails with `invalid_request` if the header names the other one.",
      schema: { $ref: "#/components/schemas/Mode" },
    },
  },
  headers: {
    RequestId: {
      description: "The id of the request. Quote it when you ask for support.",
      schema: { type: "string", pattern: "^req_[0-9A-Za-z]{22}$" },
      example: exampleIds.request,
    },
    Version: {
      description: "The API version of the response.",
      schema: { type: "string", format: "date" },
      example: "2026-06-15",
    },
    Authenticate: {
      description:
        "How to authenticate (RFC 6750): `invalid_token` if the credential is not valid, `insufficient_scope` with the scope that the endpoint requires.",
      schema: { type: "string" },
      example: 'Bearer realm="Byond", error="invalid_token"',
    },
    RetryAfter: {
      description: "How many seconds to wait before you retry.",
      schema: integer,
      example: 60,
    },
    RateLimitLimit: {
      description: "Requests allowed per rolling 60 seconds, by the limit that has the fewest requests left.",
      schema: integer,
      example: 1000,
    },
    RateLimitRemaining: { description: "Requests left of that limit.", schema: integer, example: 998 },
    RateLimitReset: {
      description: "When more requests are possible, in Unix seconds.",
      schema: integer,
      example: 1781516520,
    },
    IdempotentReplayed: {
      description: "`true` if this is the stored response of an earlier call with the same `Idempotency-Key`.",
      schema: { type: "string" },
      example: "true",
    },
  },
};
