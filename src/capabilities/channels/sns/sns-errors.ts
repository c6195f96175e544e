import type { ErrorMeaning } from "../error-meaning.ts";

const outage: ErrorMeaning = { reason: "Amazon SNS is out of service", effect: "retry-provider" };
const tooFast: ErrorMeaning = {
  reason: "Amazon SNS's rate limit is reached",
  effect: "retry-provider",
  afterMs: 1_000,
};
const refusedCredentials: ErrorMeaning = { reason: "Amazon SNS refused the credentials", effect: "retry-provider" };
const notAllowed: ErrorMeaning = {
  reason: "the AWS credentials may not publish with Amazon SNS",
  effect: "retry-provider",
};
/** It may be because of the account or the sender. */
const badRequest: ErrorMeaning = { reason: "Amazon SNS refused the request", effect: "fail-here" };
const wrongClock: ErrorMeaning = {
  reason: "Amazon SNS refused the time of the request: is the clock right?",
  effect: "retry-provider",
};
const noKey: ErrorMeaning = { reason: "Amazon SNS cannot use the encryption key", effect: "retry-provider" };

/**
 * The `Code` of an error: those of `Publish` (Amazon SNS API reference, and `OptedOut` and `Throttled`, which the service's model
 * has for numbers), and the common errors of AWS, in the spellings of both.
 */
export const snsErrors: Readonly<Record<string, ErrorMeaning>> = {
  AuthorizationError: notAllowed,
  EndpointDisabled: badRequest,
  InternalError: outage,
  InvalidParameter: badRequest,
  ParameterValueInvalid: badRequest,
  InvalidSecurity: refusedCredentials,
  KMSAccessDenied: noKey,
  KMSDisabled: noKey,
  KMSInvalidState: noKey,
  KMSNotFound: noKey,
  KMSOptInRequired: noKey,
  KMSThrottling: tooFast,
  NotFound: badRequest,
  OptedOut: { reason: "the recipient opted out of text messages", effect: "undeliverable" },
  PlatformApplicationDisabled: badRequest,
  Throttled: tooFast,
  UserError: badRequest,
  ValidationException: badRequest,

  AccessDenied: notAllowed,
  AccessDeniedException: notAllowed,
  ExpiredToken: refusedCredentials,
  ExpiredTokenException: refusedCredentials,
  IncompleteSignature: refusedCredentials,
  InternalFailure: outage,
  InvalidAction: badRequest,
  InvalidClientTokenId: refusedCredentials,
  InvalidParameterCombination: badRequest,
  InvalidParameterValue: badRequest,
  InvalidQueryParameter: badRequest,
  MalformedHttpRequestException: badRequest,
  MalformedQueryString: badRequest,
  MissingAction: badRequest,
  MissingAuthenticationToken: refusedCredentials,
  MissingParameter: badRequest,
  NotAuthorized: notAllowed,
  OptInRequired: notAllowed,
  RequestAbortedException: outage,
  RequestEntityTooLargeException: badRequest,
  RequestExpired: wrongClock,
  RequestTimeoutException: outage,
  ServiceUnavailable: outage,
  SignatureDoesNotMatch: refusedCredentials,
  Throttling: tooFast,
  ThrottlingException: tooFast,
  UnrecognizedClientException: refusedCredentials,
  UnknownOperationException: badRequest,
  ValidationError: badRequest,
};

/** The meaning of an HTTP status without a code that is known. */
export function snsStatusMeaning(status: number): ErrorMeaning {
  switch (status) {
    case 401:
    case 403:
      return refusedCredentials;
    case 429:
      return tooFast;
    default:
      return status >= 400 && status < 500 && status !== 408 ? badRequest : outage;
  }
}
