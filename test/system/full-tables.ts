/** Rows of each table that grows: all of its pages are more than a statement may read. `npm run test:all` fills in four times as many. */
const rowCount = Number(process.env.TABLE_ROWS ?? 25_000);

/** SQL that fills each table that grows, most of them with rows of one workspace. Sent by a session without checks of foreign keys. */
export function fullTables({
  workspaceId,
  userId,
}: {
  readonly workspaceId: string;
  readonly userId: string;
}): string[] {
  const own = `'${workspaceId}'`;
  const many = `FROM generate_series(1, ${rowCount}) AS i`;
  return [
    `INSERT INTO workspace (id, name, created_at) SELECT 'ws_' || i, '', now() ${many}`,
    `INSERT INTO account (id, workspace_id, email, password_hash, name, created_at)
     SELECT 'usr_' || i, 'ws_' || i, i || '@example.com', '', '', now() ${many}`,
    `INSERT INTO api_key (id, workspace_id, prefix, name, mode, created_at)
     SELECT 'key_' || i, CASE WHEN i % 2 = 0 THEN ${own} ELSE 'ws_' || i END, 'p' || i, '', 'live',
       now() - i * interval '1 second' ${many}`,
    `INSERT INTO api_key_secret (prefix, key_id, secret_hash) SELECT 'p' || i, 'key_' || i, '' ${many}`,
    `INSERT INTO session (
       workspace_id, id, account_id, token_revision, refresh_hash, created_at, refreshed_at, expires_at
     )
     SELECT CASE WHEN i % 100 = 0 THEN ${own} ELSE 'ws_' || i END, 's' || i,
       CASE WHEN i % 100 = 0 THEN '${userId}' ELSE 'usr_' || i END, 0, '', now(), now(), now() + interval '1 hour' ${many}`,
    `INSERT INTO known_source
     SELECT CASE WHEN i % 2 = 0 THEN '${userId}' ELSE 'usr_' || i END, i::text::bytea, now() + interval '1 day' ${many}`,
    // The channel of one in a thousand is email, and no verification is locked or canceled.
    `INSERT INTO verification (
       workspace_id, id, mode, channel, status, recipient_index, second_recipient_index, brand, metadata, code_length,
       secret_id, max_attempts, created_at, expires_at
     )
     SELECT ${own}, 'vrf_' || i, CASE WHEN i % 10 = 0 THEN 'test' ELSE 'live' END,
       CASE WHEN i % 1000 = 0 THEN 'email' ELSE 'sms' END, CASE WHEN i % 2 = 0 THEN 'approved' ELSE 'pending' END,
       'first-' || i, 'second-' || i, 'Acme', '{}', 6, 'secret', 5, now() - i * interval '1 second',
       now() - i * interval '1 second' + interval '5 minutes' ${many}`,
    `INSERT INTO suppression (
       workspace_id, id, mode, channel, recipient_index, recipient_sealed, verification_id, is_second, reason, created_at
     )
     SELECT ${own}, 'sup_' || i, CASE WHEN i % 10 = 0 THEN 'test' ELSE 'live' END,
       CASE WHEN i % 1000 = 0 THEN 'sms' ELSE 'email' END, 'first-' || i, '', 'vrf_' || i, false, 'gone',
       now() - i * interval '1 second' ${many}`,
    // A workspace has ten at most.
    `INSERT INTO fixed_code (
       workspace_id, id, recipient_sealed, recipient_index, code_length, secret_id, created_by, created_at, expires_at
     )
     SELECT CASE WHEN i < 10 THEN ${own} ELSE 'ws_' || i END, 'fix_' || i, '', 'first-' || i, 6, 'secret', '${userId}', now(),
       now() + i * interval '1 second' ${many}`,
    `INSERT INTO lookup (workspace_id, id, mode, number_index, sealed, created_at)
     SELECT ${own}, 'lkp_' || i, CASE WHEN i % 10 = 0 THEN 'test' ELSE 'live' END, 'number-' || i, '',
       now() - i * interval '1 second' ${many}`,
    `INSERT INTO ledger_entry (
       workspace_id, reserve_id, reference, kind, debit, credit, amount, item, day, is_counted, created_at
     )
     SELECT ${own}, 'rsv_' || i / 100, 'dlv_' || i, 'charge', 'reserve', 'spent', 1, 'sms/DE', now()::date, true,
       now() - i * interval '1 second' ${many}`,
    `INSERT INTO wallet SELECT 'ws_' || i, 0 ${many}`,
    `INSERT INTO spend_period SELECT ${own}, 'key_' || i, 'day', now()::date, 1 ${many}`,
    `INSERT INTO spend_cap SELECT 'ws_' || i, '', 'day', 1, now() ${many}`,
    `INSERT INTO throttle SELECT ${own}, 'send:live:' || i, now() ${many}`,
    `INSERT INTO guess_source SELECT ${own}, 'end_user_ip:' || i, now(), 1, 0, now() + interval '1 hour' ${many}`,
    ...["ws_byond", "sign-up", "sign-in", "sessions"].map(
      (realm) => `INSERT INTO throttle SELECT '${realm}', 'source:' || i, now() ${many}`,
    ),
    `INSERT INTO quota SELECT ${own}, 'key:' || i, now(), 0, array_fill(0, ARRAY[70]) ${many}`,
    `INSERT INTO outbox (
       workspace_id, id, kind, lane, subject_id, payload_sealed, status, available_at, created_at, expires_at, finished_at
     )
     SELECT ${own}, 'dlv_' || i, 'kind', 'email', 'vrf_' || i, '', CASE WHEN i % 2 = 0 THEN 'sent' ELSE 'pending' END,
       now() + i * interval '1 second', now(), now() + interval '1 hour', CASE WHEN i % 2 = 0 THEN now() END ${many}`,
    // The next steps of verifications with a fallback.
    `INSERT INTO outbox (
       workspace_id, id, kind, lane, subject_id, payload_sealed, status, available_at, created_at, expires_at, finished_at
     )
     SELECT ${own}, 'vrf_' || i || '/1', 'verification_step', 'fallback', 'vrf_' || i, '', CASE WHEN i % 2 = 0 THEN 'sent' ELSE 'pending' END,
       now() + i * interval '1 second', now(), now() + interval '1 hour', CASE WHEN i % 2 = 0 THEN now() END ${many}`,
    `INSERT INTO delivery_attempt (
       workspace_id, subject_id, outbox_id, claim, lane, state, provider_message_id, started_at, finished_at
     )
     SELECT ${own}, 'vrf_' || i, 'dlv_' || i, 1, 'whatsapp', 'sent', 'pm_' || i, now(), now() ${many}`,
    `INSERT INTO event (position, id, workspace_id, mode, type, subject_id, created_at, snapshot)
     SELECT 1000000 + i, 'evt_' || i, CASE WHEN i % 10 = 0 THEN 'ws_' || i ELSE ${own} END, 'live', 'verification.started', 'vrf_' || i,
       now(), '{}' ${many}`,
    `INSERT INTO verification_hour
     SELECT CASE WHEN i % 2 = 0 THEN 'ws_' || i ELSE ${own} END, CASE WHEN i % 4 = 1 THEN 'test' ELSE 'live' END,
       date_trunc('hour', now(), 'UTC') - i * interval '1 hour', 'email', 1, 1, 1, 0, 0, 0, 0, 0,
       array_fill(0, ARRAY[14]), array_fill(0, ARRAY[14]) ${many} ON CONFLICT DO NOTHING`,
    `INSERT INTO verification_slot
     SELECT CASE WHEN i % 2 = 0 THEN 'ws_' || i ELSE ${own} END, CASE WHEN i % 4 = 1 THEN 'test' ELSE 'live' END, 15,
       date_trunc('hour', now(), 'UTC') - i * interval '15 minutes', 'email', '', '', 'key_1', ${Array.from({ length: 24 }, () => 1).join(", ")} ${many}`,
    `INSERT INTO usage_day
     SELECT CASE WHEN i % 2 = 0 THEN 'ws_' || i ELSE ${own} END, CASE WHEN i % 4 = 1 THEN 'test' ELSE 'live' END,
       now()::date - i % 1000, 'sms', 'SG', 'key_' || i, 1 ${many}`,
    `INSERT INTO guard_count
     SELECT CASE WHEN i % 2 = 0 THEN 'ws_' || i ELSE ${own} END, '+' || i || 'x', now() - i * interval '1 second', 1, 0, 0 ${many}`,
    `INSERT INTO guard_approval SELECT 'ws_' || i, now() ${many}`,
    `INSERT INTO request_hour
     SELECT CASE WHEN i % 2 = 0 THEN 'ws_' || i ELSE ${own} END, CASE WHEN i % 4 = 1 THEN 'test' ELSE 'live' END,
       date_trunc('hour', now(), 'UTC') - i * interval '1 hour', 'ok', 1 ${many} ON CONFLICT DO NOTHING`,
    `INSERT INTO idempotency SELECT ${own}, 'live', 'key' || i, '', '', now(), now() ${many}`,
    `INSERT INTO used_signature SELECT ${own}, i::text::bytea, now() ${many}`,
    `INSERT INTO revocation (seq, subject, created_at) SELECT -i, 'key:' || i, now() ${many}`,
  ];
}
