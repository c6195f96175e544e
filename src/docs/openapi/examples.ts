import type { DescField, JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { ExampleSource } from "../../rest/openapi/examples.ts";

/**
 * Examples of fields, by name or by message and name. They are those of the documented calls: the same verification,
 * number and keys run through the whole reference.
 */
const fields: Readonly<Record<string, JsonValue>> = {
  access_token: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c3JfMmJUIn0.kq3vYw0",
  approved_at: "2026-06-15T09:38:12Z",
  attempts: 1,
  attempts_left: 5,
  autofill_domain: "example.com",
  brand: "Acme",
  verified: true,
  role: "owner",
  revocation_reason: null,
  require_signature: false,
  requests_per_minute: 600,
  refresh_token: "rt_6hWmZq1xB9sVt0Lc.4nYpD8rJ2uKf7eTgAoXv",
  reason: "left the team",
  previous_key_expires_at: "2026-06-15T10:40:00Z",
  ip_allowlist: ["203.0.113.0/24", "2001:db8::7"],
  grace_seconds: 3600,
  new_password: "battery staple correct horse",
  current_password: "correct horse battery",
  created_by: "usr_2bTqL0x9VhRkZs5mWcYd1e",
  channel: "email",
  code: "084213",
  code_length: 6,
  country: "SG",
  country_code: "SG",
  created_after: "2026-06-01T00:00:00Z",
  created_at: "2026-06-15T09:40:00Z",
  created_before: "2026-07-01T00:00:00Z",
  email: "ada@example.com",
  end_user_ip: "203.0.113.7",
  erased: 3,
  expires_at: "2026-06-15T09:42:00Z",
  expires_in: 900,
  id: "key_7b2a6e0h8j",
  include_revoked: false,
  input: "+6591234567",
  key: "pk_live_8fa2.s3cr3t_9c1d4f7b2a6e0h8j",
  key_prefix: "pk_live_8fa2",
  last_used_at: "2026-06-15T11:02:14Z",
  line_type: "mobile",
  locale: "en",
  metadata: { order: "4711" },
  mode: "live",
  name: "prod-backend",
  national_format: "9123 4567",
  next_page_token: null,
  number: "+6591234567",
  number_e164: "+6591234567",
  page_size: 20,
  page_token: "eyJhZnRlciI6ImtleV8xZjNkOWEyYzRlIn0",
  password: "correct horse battery",
  possible: true,
  possible_line_types: ["mobile"],
  recipient: "ada@example.com",
  revoked: true,
  revoked_at: null,
  scopes: ["verify", "lookup"],
  source: "offline",
  ttl_seconds: 300,
  user_id: "usr_2bTqL0x9VhRkZs5mWcYd1e",
  valid: true,
  verification_id: "vrf_3kZ9c1d4f7b21bQ",
  workspace_id: "ws_7NfQpA3uJt0yXgHk6vBwEz",

  "ApiKey.expires_at": null,
  "ApiKeyChanges.expires_at": "2027-01-01T00:00:00Z",
  "CheckEmailVerificationResponse.status": "approved",
  "CreateApiKeyRequest.expires_at": "2027-01-01T00:00:00Z",
  "CreateApiKeyResponse.expires_at": null,
  "CreateApiKeyResponse.ip_allowlist": null,
  "ApiKey.ip_allowlist": null,
  "RotateApiKeyResponse.ip_allowlist": null,
  "RotateApiKeyResponse.expires_at": null,
  "GetMeResponse.key_prefix": null,
  "GetMeResponse.mode": null,
  "GetMeResponse.scopes": null,
  "Delivery.error": null,
  "Delivery.id": "dlv_0pGmYq8sTz4KdXe2RvNb7a",
  "Delivery.provider_message_id": "<b1f2@mail.example.com>",
  "Delivery.sent_at": "2026-06-15T09:37:01Z",
  "Delivery.status": "sent",
  "DeleteAccountResponse.message": "Account deleted successfully.",
  "LogoutAllResponse.message": "All sessions have been revoked.",
  "SignOutResponse.message": "The session has ended.",
  "StartEmailVerificationResponse.status": "pending",
  "LookupNumberResponse.country": "Singapore",
  "SignUpRequest.name": "Acme",
  "StartVerificationResponse.status": "pending",
  "CheckVerificationResponse.status": "approved",
  "Verification.approved_at": null,
  "Verification.created_at": "2026-06-15T09:37:00Z",
  "Verification.recipient": "a••@example.com",
  "Verification.status": "pending",
};

/** Examples of whole messages, where the documented body is not simply all of its fields. */
const messages: Readonly<Record<string, JsonObject>> = {
  StartVerificationRequest: {
    channel: "email",
    recipient: "ada@example.com",
    brand: "Acme",
    code_length: 6,
    ttl_seconds: 300,
  },
  CreateApiKeyRequest: { name: "prod-backend", scopes: ["verify", "lookup"] },
};

/** Lists of messages: what sets the items apart from the example of their type, one entry an item. */
const items: Readonly<Record<string, readonly JsonObject[]>> = {
  "ListApiKeysResponse.keys": [
    {},
    {
      id: "key_1f3d9a2c4e",
      name: "marketing-lookup",
      key_prefix: "pk_live_2c4e",
      scopes: ["lookup"],
      created_at: "2026-06-10T08:15:00Z",
      last_used_at: null,
    },
  ],
};

/** The examples of the reference. */
export const documentedExamples: ExampleSource = {
  field: (field) => (Object.hasOwn(fields, ownName(field)) ? fields[ownName(field)] : fields[field.name]),
  message: (message) => messages[message.name],
  items: (field) => items[ownName(field)],
};

function ownName({ parent, name }: DescField): string {
  return `${parent.name}.${name}`;
}
