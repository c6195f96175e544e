import type { JsonObject } from "@bufbuild/protobuf";
import { errorCodes, errorGuide } from "../error-guide.ts";

const description = (text: string, schema: JsonObject): JsonObject => ({ ...schema, description: text });

/**
 * The body of every error: one schema for all, so that a client has one type. Not called `Error`, which is a class of its own in most
 * languages. What an operation can answer is in its responses, with an example of each code.
 */
export const errorSchemas: Readonly<Record<string, JsonObject>> = {
  ErrorResponse: {
    type: "object",
    description: "The body of every error.",
    required: ["error"],
    properties: { error: { $ref: "#/components/schemas/ErrorInfo" } },
  },
  ErrorInfo: {
    type: "object",
    description: "What went wrong.",
    required: ["code", "message", "request_id", "documentation_url"],
    properties: {
      code: { $ref: "#/components/schemas/ErrorCode" },
      message: description("One sentence for a developer, in English. May change.", { type: "string" }),
      request_id: description("The id of the request, also in `X-Request-Id`. Quote it when you ask for support.", {
        type: "string",
      }),
      documentation_url: description("The address of the explanation of the code.", { type: "string", format: "uri" }),
      required_scope: description("The scope that the endpoint requires. With `insufficient_scope` only.", {
        type: "string",
      }),
      fields: description(
        "What is wrong, by field. Nested fields are joined by dots, list elements are written `scopes[0]`. With `validation_error` only.",
        { type: "object", additionalProperties: { type: "string" } },
      ),
      retry_after: description(
        "How many seconds to wait before you retry. With `rate_limited` and `unavailable` only.",
        { type: "integer", format: "int32", minimum: 1 },
      ),
      reason: description(
        "Why the fraud guard refused the send, such as `range_blocked`. With `recipient_blocked`, and with `validation_error` and `rate_limited` where the guard answers so.",
        { type: "string" },
      ),
      spent: description("What was spent in the period of the cap, such as `25.00`. With `spend_cap_reached` only.", {
        type: "string",
      }),
      resets_at: description("When the next period begins. With `spend_cap_reached` only.", {
        type: "string",
        format: "date-time",
      }),
    },
  },
  ErrorCode: {
    type: "string",
    // No `enum`: clients in strict languages fail on a code that it does not list, in place of the error.
    "x-extensible-enum": [...errorCodes],
    description:
      "Stable and machine-readable. Branch on it, never on `message`. More codes may be added: treat one that you do not know by the HTTP status.",
    "x-enum-descriptions": errorCodes.map((code) => errorGuide[code].title),
  },
};
