/** The counts of a row of `verification_slot`. */
export const slotCounts = Array.from({ length: 24 }, () => 0).join(", ");

/**
 * SQL for so many rows of most tables, in turns of two workspaces: all but limits and suppressions are old. It leaves a temporary table `filled`.
 */
export const rowsOfTwoWorkspaces = ([first, second]: readonly [string, string], count: number) => `
  CREATE TEMPORARY TABLE filled AS SELECT
      i, (ARRAY['${first}', '${second}'])[i % 2 + 1] AS workspace_id, 'vrf_' || md5(i::text) AS id, now - interval '400 days' - i * interval '1 second' AS old,
      now
    FROM generate_series(1, ${count}) AS i, (SELECT byond_now() AS now) AS clock;
  INSERT INTO verification (
      workspace_id, id, mode, channel, status, recipient_index, brand, metadata, code_length, secret_id, max_attempts,
      created_at, expires_at
    ) SELECT owner, id, 'live', 'email', 'approved', md5(id), '', '{}', 6, '', 5, old, old
    FROM filled, unnest(ARRAY[workspace_id, 'ws_byond/usr_' || i]) AS owner;
  INSERT INTO outbox (
      workspace_id, id, kind, lane, subject_id, status, available_at, created_at, expires_at
    ) SELECT workspace_id, 'dlv_' || id, '', '', id, 'sent', old, old, old FROM filled;
  INSERT INTO delivery_attempt (workspace_id, subject_id, outbox_id, claim, lane, state, started_at, finished_at)
    SELECT workspace_id, id, 'dlv_' || id, 1, '', 'sent', old, old FROM filled;
  INSERT INTO idempotency SELECT workspace_id, 'live', id, '', '', old, old FROM filled;
  INSERT INTO throttle SELECT workspace_id, id, now + interval '1 hour' FROM filled;
  INSERT INTO guess_source SELECT workspace_id, id, now, 1, 0 FROM filled;
  INSERT INTO quota SELECT workspace_id, id, now, 0, array_fill(0, ARRAY[70]) FROM filled;
  INSERT INTO used_signature SELECT workspace_id, id::bytea, old FROM filled;
  INSERT INTO verification_hour
    SELECT workspace_id, 'live', old - i * interval '1 hour', 'email', 1, 1, 1, 0, 0, 0, 0, 0, '{}', '{}' FROM filled;
  INSERT INTO verification_slot
    SELECT workspace_id, 'live', 15, old - i * interval '1 hour', 'email', '', '', '', ${slotCounts} FROM filled;
  INSERT INTO verification_refund SELECT workspace_id, 'dlv_' || i, id, 'live', old, 'email', '', '', 1 FROM filled;
  INSERT INTO lookup SELECT workspace_id, 'lkp_' || id, 'live', id, '', old FROM filled;
  INSERT INTO guard_count SELECT workspace_id, '+' || i || 'x', old, 1, 0, 0 FROM filled;
  INSERT INTO spend_period SELECT workspace_id, 'key_' || i, 'day', old::date, 1 FROM filled;
  INSERT INTO spend_reserve SELECT workspace_id, 'rsv_' || i, '', 'srv_1', old::date, 1, old FROM filled;
  INSERT INTO ledger_entry (workspace_id, reserve_id, reference, kind, debit, credit, amount, day, created_at)
    SELECT workspace_id, 'rsv_' || i, 'dlv_' || i, 'charge', 'reserve', 'spent', 1, old::date, old FROM filled;
  INSERT INTO message_template
    SELECT workspace_id, 'live', 'email', 'x' || i, NULL, '', NULL, NULL, NULL, NULL, NULL, old FROM filled;
  INSERT INTO usage_day SELECT workspace_id, 'live', old::date - i, 'sms', 'SG', '', 1 FROM filled;
  INSERT INTO request_hour SELECT workspace_id, 'live', old - i * interval '1 hour', 'ok', 1 FROM filled;
  INSERT INTO suppression SELECT workspace_id, 'sup_' || i, 'live', 'email', id, '', id, false, '', now FROM filled;
  INSERT INTO fixed_code SELECT workspace_id, 'fix_' || i, '', '', 6, '', NULL, '', old, old FROM filled;
  INSERT INTO session (workspace_id, id, account_id, token_revision, refresh_hash, created_at, refreshed_at, expires_at)
    SELECT workspace_id, id, '', 0, '', old, old, old FROM filled;
  INSERT INTO api_key (id, workspace_id, prefix, name, mode, created_at)
    SELECT 'key_' || id, workspace_id, id, '', 'live', old FROM filled`;
