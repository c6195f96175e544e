/** One cause of an error that has several. */
export interface ErrorSituation {
  /** The messages that the error has then, word for word; `…` stands for what differs. None: the message depends on the request. */
  readonly messages: readonly string[];
  readonly when: string;
  readonly remedy: string;
}

/** The causes of errors whose code alone does not say what to do. `test/capabilities/reference/error-situations.test.ts` causes them. */
export const errorSituations = {
  invalid_api_key: [
    {
      messages: [
        "No API key was sent. Send one as X-API-Key: <key>, or as Authorization: Bearer <key>.",
        "No access token was sent. Send one as Authorization: Bearer <token>.",
        "No API key and no access token was sent. Send one as Authorization: Bearer <key or token>.",
      ],
      when: "The request carries no credential. Often the environment variable with the key is empty, or a proxy removed the header.",
      remedy: "Send the header that the message names.",
    },
    {
      messages: ["The provided API key is invalid or revoked.", "The credential was revoked during the call."],
      when: "The key is mistyped or incomplete, has expired, was revoked or rotated, or belongs to another server. A revocation also ends requests in progress.",
      remedy:
        "Send the whole key, `prefix.secret`, as it was shown when it was created. If you no longer have it, rotate the key or create a new one.",
    },
    {
      messages: ["The provided access token is invalid or expired."],
      when: "The access token is older than 15 minutes, or its session has ended.",
      remedy:
        "Get a new access token with `POST /api/v1/auth/refresh`. If that fails too, the session has ended: sign in again.",
    },
    {
      messages: [
        "This endpoint takes an API key, not an access token.",
        "This endpoint takes an access token, not an API key.",
      ],
      when: "The credential is of the other kind. The endpoint is not for API keys, or not for sessions.",
      remedy:
        "Use an API key to start and check verifications and to look up numbers; sign in to manage keys and the account.",
    },
    {
      messages: ["Send one credential: the request carries two different ones."],
      when: "`X-API-Key` and `Authorization` name different credentials. Often an HTTP client adds one of them by default.",
      remedy: "Remove one of the two headers.",
    },
    {
      messages: ['The Authorization header must be "Bearer" and one API key or access token.'],
      when: "The header `Authorization` has another scheme, such as `Basic`, no credential, or a space within it.",
      remedy: "Send `Authorization: Bearer <credential>`, or send the key as `X-API-Key`.",
    },
    {
      messages: ["The email address or the password is wrong."],
      when: "`POST /api/v1/auth/sign-in` was called with an unknown email address, or with a wrong password.",
      remedy: "Ask the user again, or reset the password with `POST /api/v1/auth/reset-password`.",
    },
    {
      messages: ["The refresh token is invalid, has expired, or was used before."],
      when: "The refresh token was already exchanged for a newer one, or its session has ended.",
      remedy: "Sign in again. Store the newest refresh token before you use it, and refresh in one place only.",
    },
    {
      messages: [
        "There is no session in the cookie. Sign in.",
        "A session in a cookie is only taken from pages of this server.",
      ],
      when: "The request has the header `Byond-Session: cookie`, which is for pages of this server such as its console.",
      remedy:
        "In a browser, sign in to the console again. In your own program, leave the header out and send a credential.",
    },
  ],
  signature_invalid: [
    {
      messages: [
        "This key takes signed requests only: the Byond-Signature header is missing.",
        "This key takes v2 signatures only: the Byond-Signature header has none.",
      ],
      when: "The key has `require_signature` or `min_signature_version`, and the request has no signature of that version.",
      remedy: "Sign the request with `v2`, or use a key that requires no signature.",
    },
    {
      messages: [
        "The v2 signature does not match the key and the request as they were received: …, its query and its body.",
        "The signature does not match the key and the body as they were received.",
      ],
      when: "You signed other bytes than the server received: with another key, before the body was serialized, or with a path or query that was changed on the way.",
      remedy:
        "Sign the exact bytes that you send. Compare the method and the path in the message with what you signed, and use the whole key, `prefix.secret`.",
    },
    {
      messages: ["The time of the signature is more than 5 minutes away from the server's."],
      when: "The clock of your server is wrong, `t` is in seconds instead of milliseconds, or the request was signed earlier.",
      remedy: "Synchronize the clock, and sign the request just before you send it.",
    },
    {
      messages: ["The signature was already used, and its call took effect. Sign each call anew."],
      when: "A call with this `v2` signature already took effect.",
      remedy: "Sign each request with a time of its own. To retry without a new signature, send an `Idempotency-Key`.",
    },
    {
      messages: [
        "The Byond-Signature header must be t=<unix milliseconds> and v1=<hexadecimal HMAC-SHA256>, v2=<…> or both.",
      ],
      when: "The header has another form: a part is missing, not hexadecimal, or of an unknown version.",
      remedy: "Send `t=<unix_ms>,v2=<hex>`.",
    },
    {
      messages: [
        "Requests over gRPC cannot be signed: its clients do not see the bytes they send. Use REST or Connect.",
      ],
      when: "The call came over gRPC or gRPC-Web, and has a signature or a key that requires one.",
      remedy: "Use REST or Connect with this key, or a key that requires no signature.",
    },
  ],
  insufficient_scope: [
    {
      messages: ["This key is not authorized for the '…' scope."],
      when: "The scopes of the key do not include the one that the endpoint requires. A key without scopes lacks those that have to be named: the authentication guide has the table.",
      remedy: "Add the scope to the key with `PATCH /api/v1/api-keys/{id}`, or use a key that has it.",
    },
    {
      messages: ["Sandbox keys do not act on the account. Use a live key, or sign in."],
      when: "A sandbox key called an endpoint that acts on the account, which both modes share.",
      remedy: "Use a live key with that scope, or an access token.",
    },
  ],
  not_found: [
    {
      messages: ["There is nothing at this path."],
      when: "The path is not one of the API's.",
      remedy: "Compare the path with the reference. All paths of the API begin with `/api/v1/`.",
    },
    {
      messages: ["There is no … with this id."],
      when: "The id is mistyped, or the resource belongs to another workspace or to the other mode, or was deleted after its retention.",
      remedy:
        "Use the id as it was returned, and a credential of the same workspace and mode. A session names the mode in the header `Byond-Mode`.",
    },
    {
      messages: [
        "There is no event with the id in after: it is of another workspace or mode, or was deleted after its retention. To read all that is kept, pass after=start.",
      ],
      when: "A stream of events cannot continue after this event.",
      remedy: "Begin again with `?after=start`, and skip the events that you already have.",
    },
    {
      messages: ["Sign-up is closed on this server. Ask its administrator for an account."],
      when: "The server creates no accounts over the API.",
      remedy: "Ask the operator of the server for an account.",
    },
  ],
  validation_error: [
    {
      messages: ["One or more fields are invalid."],
      when: "An entry of `fields` is `is required`: the field is missing, null or empty, or its name is misspelled.",
      remedy: "Send the field. Names of fields are written as in the reference, in `snake_case` over REST.",
    },
    {
      messages: ["One or more fields are invalid."],
      when: "An entry of `fields` names a field that you did not expect: the endpoint does not have it, or it was sent twice.",
      remedy: "Remove the field, or use one of the names that the entry lists.",
    },
    {
      messages: ["One or more fields are invalid."],
      when: "An entry of `fields` says what the value must be.",
      remedy: "Send a value of that type and range. Enum values are lower-case words over REST.",
    },
  ],
  idempotency_key_reused: [
    {
      messages: ["This Idempotency-Key was used for another request."],
      when: "The call or its fields differ from those of the first request with this key.",
      remedy: "Send a new `Idempotency-Key` with every new request.",
    },
    {
      messages: ["The stored response of this Idempotency-Key can no longer be decrypted."],
      when: "The operator removed the secret with which the response was encrypted.",
      remedy: "Check whether the first request took effect. If it did not, send it again with a new key.",
    },
  ],
  rate_limited: [
    {
      messages: ["Too many requests. Try again later."],
      when: "The workspace or the key used up its requests of the last 60 seconds. `RateLimit` says which limit it is.",
      remedy:
        "Spread the requests, watch `X-RateLimit-Remaining`, or ask the operator of the server for a higher tier.",
    },
    {
      messages: [
        "Too many requests: this call counts as 10. Try again later, or send less at once.",
        "This call counts as 100 requests, and the limit of the key is 60 per minute. Send less at once.",
      ],
      when: "A batch of lookups counts as one request for every 10 numbers, and there is no room for all of them. Nothing was looked up.",
      remedy: "Send smaller batches, or wait as long as `retry_after` says: then all of the limit is free.",
    },
    {
      messages: ["Too many verifications for this recipient. Try again later."],
      when: "The recipient got a burst of three codes and then one per minute, or ten wrong codes were entered for it in a short time.",
      remedy: "Show the user how long to wait before they can ask for another code.",
    },
    {
      messages: ["Too many codes for this end user. Try again later."],
      when: "Codes were sent for too many starts with this `end_user_ip`, or with this `device_id`.",
      remedy:
        "Ask for a code only after a user's action, and pass the address of that user, not one of your own servers.",
    },
    {
      messages: ["Too many wrong codes from this source. Try again later."],
      when: "Codes from this device, end user, IP address or API key were wrong for many verifications, and right for few. The event `guessing.detected` names the source. No attempt was counted.",
      remedy:
        "Show the user how long to wait. Pass `device_id` or `end_user_ip` with every check, so that one of your users cannot slow down the others.",
    },
    {
      messages: ["Too many codes from this IP address. Try again later."],
      when: "The server limits how many codes one IP address may send (`SOURCE_SEND_LIMIT`).",
      remedy: "Spread the starts, or ask the operator of the server to raise the limit.",
    },
    {
      messages: [
        "Too many wrong passwords. Try again later.",
        "Too many failed calls from this IP address. Try again later.",
        "Too many sign-ups from this IP address. Try again later.",
        "Too many password resets. Try again later.",
      ],
      when: "Too many attempts to sign in, sign up or reset a password, from this IP address or for this account.",
      remedy: "Wait. While the limit is used up, the right password is refused too.",
    },
    {
      messages: [
        "Too many event streams of this workspace are open. Close one, or try again later.",
        "Too many lookup streams of this workspace are open. Close one, or try again later.",
      ],
      when: "The workspace has 1,000 streams of events, or 100 of lookups, open on this server.",
      remedy: "Close streams that are no longer read.",
    },
  ],
} as const satisfies Readonly<Record<string, readonly ErrorSituation[]>>;
