import { Migration } from "@mikro-orm/migrations";

/** Publishable keys: they have origins, and no secret. And what happens to keys becomes events. */
export class Keys0002 extends Migration {
  override up(): void {
    this.addSql(publishable);
    this.addSql(writeEvent);
    this.addSql(triggers);
  }
}

const publishable = `
  ALTER TABLE api_key
    ADD COLUMN origins text[] CHECK (cardinality(origins) BETWEEN 1 AND 20);
  -- Servers of before read no key of this kind as one of theirs: its prefix is none that they know.
  -- squawk-ignore ban-drop-not-null
  ALTER TABLE api_key_secret ALTER COLUMN secret_hash DROP NOT NULL;
  -- Keys are few: to read them takes a moment.
  -- squawk-ignore constraint-missing-not-valid
  ALTER TABLE api_key_secret ADD CONSTRAINT api_key_secret_none_if_publishable
    CHECK ((secret_hash IS NULL) = starts_with(prefix, 'pk_pub_'))`;

/** The event has the key's columns at this moment, as `api-key-proto.ts` shows them. None of them is a secret. */
const writeEvent = `
  CREATE FUNCTION write_key_event() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    INSERT INTO event_pending (workspace_id, mode, type, subject_id, created_at, snapshot)
    VALUES (
      NEW.workspace_id, NEW.mode,
      CASE
        WHEN TG_OP = 'INSERT' THEN 'api_key.created'
        WHEN OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL THEN 'api_key.revoked'
        WHEN OLD.prefix <> NEW.prefix THEN 'api_key.rotated'
        ELSE 'api_key.updated'
      END,
      NEW.id, date_trunc('milliseconds', byond_now()),
      jsonb_build_object(
        'prefix', NEW.prefix,
        'name', NEW.name,
        'scopes', NEW.scopes,
        'expiresAt', (extract(epoch FROM NEW.expires_at) * 1000)::bigint,
        'createdBy', NEW.created_by,
        'ipAllowlist', NEW.ip_allowlist,
        'origins', NEW.origins,
        'requestsPerMinute', NEW.requests_per_minute,
        'requireSignature', NEW.require_signature,
        'minSignatureVersion', NEW.min_signature_version,
        'createdAt', (extract(epoch FROM NEW.created_at) * 1000)::bigint,
        'lastUsedAt', (extract(epoch FROM NEW.last_used_at) * 1000)::bigint,
        'revokedAt', (extract(epoch FROM NEW.revoked_at) * 1000)::bigint,
        'revocationReason', NEW.revocation_reason
      )
    );
    RETURN NULL;
  END $$`;

/** Not of `last_used_at`, and not of the columns that requests do not show. A change to the same values is none. */
const shown = [
  "prefix",
  "name",
  "scopes",
  "expires_at",
  "ip_allowlist",
  "origins",
  "requests_per_minute",
  "require_signature",
  "min_signature_version",
  "revoked_at",
];
const rowOf = (row: "OLD" | "NEW") => `(${shown.map((column) => `${row}.${column}`).join(", ")})`;

const triggers = `
  CREATE TRIGGER api_key_created AFTER INSERT ON api_key FOR EACH ROW EXECUTE FUNCTION write_key_event();
  CREATE TRIGGER api_key_changed AFTER UPDATE OF ${shown.join(", ")} ON api_key
    FOR EACH ROW WHEN (${rowOf("OLD")} IS DISTINCT FROM ${rowOf("NEW")}) EXECUTE FUNCTION write_key_event()`;
