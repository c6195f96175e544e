import type { JsonObject } from "@bufbuild/protobuf";
import { exampleIds } from "./example-ids.ts";

const sentMessage = {
  id: exampleIds.message,
  channel: "email",
  status: "sent",
  attempts: 1,
  provider: "smtp",
  provider_message_id: "<b1f2@mail.example.com>",
  segments: null,
  error: null,
  created_at: "2026-06-15T09:37:00Z",
  sent_at: "2026-06-15T09:37:01Z",
  recipient: "a•••@example.com",
};

/** An hour of the report: a part of what the whole day has. */
const lastHour = {
  started: 51,
  delivered: 51,
  approved: 46,
  expired: 4,
  locked: 1,
  canceled: 0,
  channel_unavailable: 0,
  failed_messages: 0,
  conversion_percent: 90,
};

/** By RPC: what its reply has other than the example of the type, because of what the call does or what its request says. */
export const replyExamples: Readonly<Record<string, JsonObject>> = {
  ResendCode: {
    deliveries: [
      sentMessage,
      {
        ...sentMessage,
        id: exampleIds.resentMessage,
        provider_message_id: "<c7d4@mail.example.com>",
        created_at: "2026-06-15T09:38:10Z",
        sent_at: "2026-06-15T09:38:11Z",
      },
    ],
  },
  CancelVerification: { status: "canceled", attempts_left: 0 },
  RedeliverWebhook: {
    id: exampleIds.redelivery,
    status: "pending",
    attempts: 0,
    next_attempt_at: "2026-06-15T09:40:00Z",
    response_status: null,
    response_body: null,
    created_at: "2026-06-15T09:40:00Z",
  },
  UpdateApiKey: {
    expires_at: "2027-01-01T00:00:00Z",
    ip_allowlist: ["203.0.113.0/24", "2001:db8::7"],
    requests_per_minute: 600,
  },
  GetOverview: {
    buckets: [
      {
        start: "2026-06-15T09:00:00Z",
        verifications: lastHour,
        channels: [{ channel: "email", verifications: lastHour }],
        requests: 102,
        failed_requests: 1,
      },
    ],
  },
};
