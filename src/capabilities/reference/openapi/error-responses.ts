import type { JsonObject } from "@bufbuild/protobuf";
import { type ErrorCode, errorKinds } from "../../../errors.ts";
import { errorBody, errorCodes, errorGuide } from "../error-guide.ts";

/** Collects the error responses of operations. Each combination of codes with the same status is a component. */
export class ErrorResponses {
  readonly #documentationUrl: string;
  readonly #responses = new Map<string, JsonObject>();
  readonly #codes = new Set<ErrorCode>();

  /** `documentationUrl` is the URL of the error page, without the fragment. */
  constructor(documentationUrl: string) {
    this.#documentationUrl = documentationUrl;
  }

  /** References to the responses of an operation with these errors, by HTTP status. */
  referTo(codes: readonly ErrorCode[]): JsonObject {
    const byStatus = Map.groupBy(codes, (code) => errorKinds[code].httpStatus);
    return Object.fromEntries(
      [...byStatus].map(([status, codesOfStatus]) => {
        const name = codesOfStatus.map(pascalCase).join("Or");
        this.#responses.set(name, this.#response(status, codesOfStatus));
        codesOfStatus.forEach((code) => void this.#codes.add(code));
        return [String(status), { $ref: `#/components/responses/${name}` }];
      }),
    );
  }

  /** The components that were referred to so far. */
  components(): { readonly responses: JsonObject; readonly schemas: JsonObject } {
    const codes = errorCodes.filter((code) => this.#codes.has(code));
    const byStatus = Map.groupBy(codes, (code) => errorKinds[code].httpStatus);
    return {
      responses: Object.fromEntries(this.#responses),
      schemas: Object.fromEntries(
        [...byStatus].map(([status, codesOfStatus]) => [schemaName(status), errorSchema(codesOfStatus)]),
      ),
    };
  }

  #response(status: number, codes: readonly ErrorCode[]): JsonObject {
    const example = (code: ErrorCode) => ({
      summary: errorGuide[code].title,
      value: errorBody(code, this.#documentationUrl),
    });
    return {
      description: codes.map((code) => `\`${code}\`: ${errorGuide[code].meaning}`).join("\n\n"),
      headers: {
        "X-Request-Id": { $ref: "#/components/headers/RequestId" },
        ...(codes.some(hasChallenge) ? { "WWW-Authenticate": { $ref: "#/components/headers/Authenticate" } } : {}),
        ...(hasRetryAfter(codes) ? { "Retry-After": { $ref: "#/components/headers/RetryAfter" } } : {}),
      },
      content: {
        "application/json": {
          schema: { $ref: `#/components/schemas/${schemaName(status)}` },
          examples: Object.fromEntries(codes.map((code) => [code, example(code)])),
        },
      },
    };
  }
}

/** `invalid_api_key` → `InvalidApiKey`. */
function pascalCase(code: ErrorCode): string {
  return code.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function schemaName(status: number): string {
  return `Error${status}`;
}

function errorSchema(codes: readonly ErrorCode[]): JsonObject {
  const has = (code: ErrorCode) => codes.includes(code);
  const extras = {
    ...(has("insufficient_scope")
      ? {
          required_scope: {
            type: "string",
            description: "The scope that the key lacks. With `insufficient_scope` only.",
          },
        }
      : {}),
    ...(has("validation_error")
      ? {
          fields: {
            type: "object",
            additionalProperties: { type: "string" },
            description:
              "What is wrong, by field. Nested fields are joined by dots, list elements are written `scopes[0]`. With `validation_error` only.",
          },
        }
      : {}),
    ...(hasRetryAfter(codes)
      ? {
          retry_after: {
            type: "integer",
            minimum: 1,
            description: "Whole seconds to wait before the call is worth repeating.",
          },
        }
      : {}),
  };
  return {
    type: "object",
    required: ["error"],
    properties: {
      error: {
        type: "object",
        required: ["code", "message", "request_id", "documentation_url"],
        properties: {
          code: {
            type: "string",
            enum: [...codes],
            description: "Stable and machine-readable. Branch on this one, never on `message`.",
            "x-enum-descriptions": Object.fromEntries(codes.map((code) => [code, errorGuide[code].title])),
          },
          message: { type: "string", description: "One sentence for a developer, in English. May change." },
          request_id: {
            type: "string",
            description: "The id of the request, also in `X-Request-Id`. Quote it when asking for support.",
          },
          documentation_url: { type: "string", format: "uri", description: "Where the code is explained." },
          ...extras,
        },
      },
    },
  };
}

function hasChallenge(code: ErrorCode): boolean {
  return errorKinds[code].httpStatus === 401 || code === "insufficient_scope";
}

function hasRetryAfter(codes: readonly ErrorCode[]): boolean {
  return codes.includes("rate_limited") || codes.includes("unavailable");
}
