import type { JsonObject } from "@bufbuild/protobuf";
import { rulesOf } from "@byond/rest/field-rules";
import type { OperationFacts } from "@byond/rest/openapi/operation";
import type { ErrorCode } from "../../../errors.ts";
import { errorBody } from "../error-guide.ts";
import type { UsableCredential } from "./operation-credentials.ts";

/** The part of an operation that examples of its errors depend on. */
export interface FailingOperation extends Pick<OperationFacts, "route" | "parameters"> {
  /** Empty: it needs none. */
  readonly scope: string;
  /** The one that the samples use. */
  readonly credential: UsableCredential | undefined;
}

/** What an example has other than that of every operation, and a word for it, which tells responses apart. */
interface Variant {
  readonly word: string;
  readonly details: JsonObject;
}

/** An example body of an error, as the operation answers it. `word` is empty if every operation answers so. */
export function errorExample(
  code: ErrorCode,
  operation: FailingOperation,
  documentationUrl: string,
): { readonly word: string; readonly body: JsonObject } {
  const { error } = errorBody(code, documentationUrl);
  const variant = variants[code]?.(operation);
  return {
    word: variant?.word ?? "",
    body: { error: { ...Object(error), ...variant?.details } },
  };
}

const variants: Partial<Record<ErrorCode, (operation: FailingOperation) => Variant | undefined>> = {
  invalid_api_key: ({ route, credential }) => {
    const message = signInMessages[route.method.name];
    if (message !== undefined) {
      return { word: route.method.name, details: { message } };
    }
    return credential === "session"
      ? { word: "Session", details: { message: "The provided access token is invalid or expired." } }
      : undefined;
  },
  insufficient_scope: ({ scope }) =>
    scope === ""
      ? undefined
      : {
          word: scope === "*" ? "AllScopes" : capitalized(scope),
          details: { message: `This key is not authorized for the '${scope}' scope.`, required_scope: scope },
        },
  not_found: ({ route }) => {
    const [, word, message] = absent.find(([pattern]) => pattern.test(route.method.name)) ?? [];
    return word === undefined ? undefined : { word, details: { message: message ?? "" } };
  },
  already_exists: ({ route }) =>
    route.method.name === "StartEmailVerification"
      ? { word: "Verified", details: { message: "The email address of this account is already verified." } }
      : undefined,
  rate_limited: ({ route }) =>
    sends.has(route.method.name)
      ? { word: "Sends", details: {} }
      : { word: "", details: { message: "Too many requests. Try again later.", retry_after: 7 } },
  validation_error: (operation) => {
    const { parameters, route } = operation;
    if (route.method.name === "StartVerification") {
      return { word: "Start", details: {} };
    }
    if (parameters.some(({ name }) => name === "page_size")) {
      return { word: "PageSize", details: { fields: { page_size: "must be between 1 and 100" } } };
    }
    const missing = requiredField(operation);
    return missing === undefined
      ? { word: "UnknownField", details: { fields: { verbose: "is not a known field" } } }
      : { word: missing.split("_").map(capitalized).join(""), details: { fields: { [missing]: "is required" } } };
  },
};

const signInMessages: Readonly<Record<string, string>> = {
  SignIn: "The email address or the password is wrong.",
  RefreshSession: "The refresh token is invalid, has expired, or was used before.",
};

/** What is not there: the first that matches the RPC. */
const absent: readonly (readonly [rpc: RegExp, word: string, message: string])[] = [
  [/Redeliver/, "Delivery", "There is no delivery with this id."],
  [/Webhook/, "Webhook", "There is no webhook with this id."],
  [/Balance|ListSpendCaps/, "Prices", "This server has no prices: nothing costs anything."],
  [/SpendCap/, "SpendCap", "There is no spend cap for this."],
  [/ApiKey/, "ApiKey", "There is no API key with this id."],
  [/Event/, "Event", "There is no event with this id."],
  [/SignUp/, "SignUp", "Sign-up is closed on this server. Ask its administrator for an account."],
  [/GetMe|DeleteAccount/, "Account", "No user record found for this workspace."],
];

/** Operations that send a code, which the recipient's limits are for. */
const sends = new Set(["StartVerification", "ResendCode"]);

/** A required field of the query or the body. */
function requiredField({ route, parameters }: FailingOperation): string | undefined {
  const inPath = new Set(parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name));
  return route.method.input.fields.find((field) => rulesOf(field).required && !inPath.has(field.name))?.name;
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
