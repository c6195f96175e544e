/** What `byond top` shows of the metrics of two moments. */
import { expect, test } from "vitest";
import { readSamples } from "../../src/process/top/metric-samples.ts";
import { topScreen } from "../../src/process/top/top-screen.ts";

const call = (route: string, status: number, count: number, seconds: number) => `
byond_http_request_duration_seconds_count{route="${route}",status="${status}"} ${count}
byond_http_request_duration_seconds_sum{route="${route}",status="${status}"} ${seconds}`;

const before = `
# HELP byond_overloaded x
byond_overloaded 0
${call("POST /api/v1/verify/start", 201, 100, 1)}
${call("GET /readyz", 200, 50, 0.05)}
byond_calls_shed_total{route="GET /api/v1/lookup"} 3
byond_outbox_messages{channel="sms"} 7
byond_outbox_oldest_message_age_seconds{channel="sms"} 12
`;

const now = `
byond_overloaded 1
byond_event_loop_delay_seconds 0.25
${call("POST /api/v1/verify/start", 201, 140, 1.8)}
${call("GET /readyz", 200, 2, 0.001)}
${call('a "quoted" \\\\ route'.replaceAll('"', '\\"'), 200, 1, 0.002)}
byond_delivery_duration_seconds_count{channel="sms",provider="twilio",outcome="sent"} 8
byond_outbox_messages{channel="sms"} 7
byond_outbox_messages{channel="email"} 0
byond_outbox_oldest_message_age_seconds{channel="sms"} 12
`;

test("shows rates between the two and totals, the busiest first, and what waits", () => {
  const screen = topScreen({ samples: readSamples(before), atMs: 0 }, { samples: readSamples(now), atMs: 2_000 });
  expect(screen).toBe(
    [
      "overloaded; event loop late by 250 ms, wait for the database 0 ms",
      "",
      "calls",
      "  /s  total  route                      status  took",
      "20.0    140  POST /api/v1/verify/start  201     20.0 ms",
      // Started again since: it counts from 0.
      " 1.0      2  GET /readyz                200     0.5 ms",
      ' 0.5      1  a "quoted" \\ route         200     2.0 ms',
      "",
      "refusals: none",
      "",
      "deliveries",
      " /s  total  channel  provider  outcome",
      "4.0      8  sms      twilio    sent",
      "",
      "waiting messages",
      "7  sms, the oldest for 12 s",
    ].join("\n"),
  );
});

test("refusals are counted by code, or by status where a server does not count codes; an idle server has none that wait", () => {
  const screen = (text: string) => {
    const reading = { samples: readSamples(text), atMs: 0 };
    return topScreen(reading, reading);
  };
  const refused = call("GET /api/v1/lookup", 401, 3, 0.1);
  expect(screen(refused)).toContain("refusals\n /s  total  status\n0.0      3  401");
  const codes = 'byond_errors_total{code="invalid_api_key"} 3\nbyond_errors_total{code="internal"} 0';
  expect(screen(`${refused}\n${codes}`)).toContain("refusals\n /s  total  code\n0.0      3  invalid_api_key");
  expect(screen('byond_outbox_messages{channel="sms"} 0')).toMatch(/waiting messages: none$/);
});

test("servers are added up; a message that all of them see counts once", () => {
  const samples = readSamples(`${now}${now}`);
  const screen = topScreen({ samples, atMs: 0 }, { samples, atMs: 1_000 });
  expect(screen).toContain("0.0    280  POST /api/v1/verify/start  201");
  expect(screen).toContain("7  sms, the oldest for 12 s");
});
