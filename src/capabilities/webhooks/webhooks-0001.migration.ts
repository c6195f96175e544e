import { Migration } from "@mikro-orm/migrations";
import { outboxChannel } from "../../outbox/outbox.policy.ts";
import { deliveryExpiryDays, deliveryKind, laneGroup } from "./webhooks.policy.ts";

export class Webhooks0001 extends Migration {
  override up(): void {
    this.addSql(endpoint);
    this.addSql(secret);
    this.addSql(delivery);
    this.addSql(queueDeliveries);
    this.addSql(followEvents);
    this.addSql(writeEvent);
  }
}

const endpoint = `
  CREATE TABLE webhook_endpoint (
    id text PRIMARY KEY,
    workspace_id text NOT NULL REFERENCES workspace,
    mode text NOT NULL CHECK (mode IN ('live', 'test')),
    url text NOT NULL,
    events text[] CHECK (cardinality(events) > 0),
    description text,
    enabled boolean NOT NULL DEFAULT true,
    disabled_reason text CHECK (disabled_reason IN ('gone', 'failing')),
    disabled_at timestamptz,
    api_version text NOT NULL,
    created_at timestamptz NOT NULL,
    failing_since timestamptz,
    failed_at timestamptz
  );
  CREATE INDEX webhook_endpoint_newest_first ON webhook_endpoint (workspace_id, mode, created_at DESC, id DESC)`;

const secret = `
  CREATE TABLE webhook_secret (
    endpoint_id text NOT NULL REFERENCES webhook_endpoint ON DELETE CASCADE,
    number integer NOT NULL,
    secret_id text NOT NULL,
    sealed bytea NOT NULL,
    valid_until timestamptz,
    PRIMARY KEY (endpoint_id, number)
  );
  CREATE INDEX webhook_secret_of_master_secret ON webhook_secret (secret_id)`;

const delivery = `
  CREATE TABLE webhook_delivery (
    workspace_id text NOT NULL,
    id text NOT NULL,
    endpoint_id text NOT NULL,
    event_id text NOT NULL,
    event_type text NOT NULL,
    created_at timestamptz NOT NULL,
    response_status integer,
    response_body text,
    PRIMARY KEY (workspace_id, id)
  );
  CREATE INDEX webhook_delivery_of_endpoint ON webhook_delivery (endpoint_id, created_at, id);
  CREATE INDEX webhook_delivery_oldest ON webhook_delivery (created_at)`;

/**
 * Writes deliveries of events to endpoints, and their messages, which no server has claimed: they are told to look for them. The body
 * is written at the first attempt: the message is empty until then. Answers the deliveries' ids. In the order of the endpoints, so that two transactions that lock several lanes cannot wait for each other.
 */
const queueDeliveries = `
  CREATE FUNCTION webhook_queue_deliveries(
    workspaces text[], endpoints text[], events text[], types text[], subjects text[]
  ) RETURNS SETOF text
  LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    moment timestamptz := date_trunc('milliseconds', byond_now());
    time_of_ids text := id_time(moment);
  BEGIN
    RETURN QUERY WITH due AS MATERIALIZED (
      SELECT *, 'dlv_' || time_of_ids || id_random() AS delivery
      FROM unnest(workspaces, endpoints, events, types, subjects) AS asked (workspace, endpoint, event, type, subject)
    ), written AS (
      INSERT INTO webhook_delivery (workspace_id, id, endpoint_id, event_id, event_type, created_at)
      SELECT workspace, delivery, endpoint, event, type, moment FROM due
    )
    INSERT INTO outbox (
      workspace_id, id, kind, lane, subject_id, erased_with, payload_sealed, available_at, created_at, expires_at
    )
    SELECT
      workspace, delivery, '${deliveryKind}', '${laneGroup}/' || endpoint, delivery, subject, '', moment, moment,
      moment + interval '${deliveryExpiryDays} days'
    FROM due ORDER BY endpoint
    RETURNING id;
    IF FOUND THEN
      PERFORM pg_notify('${outboxChannel}', '');
    END IF;
  END $$`;

/** One delivery for each event and endpoint, in the transaction that gives the event its position: exactly once. */
const followEvents = `
  CREATE FUNCTION webhook_follow_events() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    PERFORM webhook_queue_deliveries(
      array_agg(numbered.workspace_id), array_agg(endpoint.id), array_agg(numbered.id), array_agg(numbered.type),
      array_agg(numbered.subject_id)
    )
    FROM numbered, LATERAL (
      SELECT id FROM webhook_endpoint
      WHERE workspace_id = numbered.workspace_id AND mode = numbered.mode AND enabled
        -- Not what happened before, even if it gets its position afterwards.
        AND created_at <= numbered.created_at
        AND (events IS NULL OR numbered.type = ANY (events))
      OFFSET 0
    ) AS endpoint
    HAVING count(*) > 0;
    RETURN NULL;
  END $$;
  CREATE TRIGGER webhook_deliveries AFTER INSERT ON event REFERENCING NEW TABLE AS numbered
    FOR EACH STATEMENT EXECUTE FUNCTION webhook_follow_events()`;

/** The event of an endpoint that the server disabled. Times are milliseconds since 1970, as in all snapshots. */
const writeEvent = `
  CREATE FUNCTION webhook_write_event() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    INSERT INTO event_pending (workspace_id, mode, type, subject_id, created_at, snapshot)
    VALUES (
      NEW.workspace_id, NEW.mode, 'webhook.disabled', NEW.id, NEW.disabled_at,
      json_build_object(
        'url', NEW.url, 'events', NEW.events, 'description', NEW.description, 'enabled', NEW.enabled,
        'disabledReason', NEW.disabled_reason, 'apiVersion', NEW.api_version,
        'disabledAt', floor(extract(epoch FROM NEW.disabled_at) * 1000)::bigint,
        'createdAt', floor(extract(epoch FROM NEW.created_at) * 1000)::bigint
      )
    );
    RETURN NULL;
  END $$;
  CREATE TRIGGER webhook_disabled AFTER UPDATE OF enabled ON webhook_endpoint
    FOR EACH ROW WHEN (OLD.enabled AND NOT NEW.enabled AND NEW.disabled_reason IS NOT NULL)
    EXECUTE FUNCTION webhook_write_event()`;
