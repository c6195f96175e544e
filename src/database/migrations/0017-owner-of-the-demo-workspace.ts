import { Migration } from "@mikro-orm/migrations";

/**
 * The workspace that a first start made had no owner, so that nothing could be told of who calls with its key. It gets one, with
 * the hash of 64 random bytes that nobody kept as its password: `npm run reset-password` sets one.
 */
export class OwnerOfTheDemoWorkspace extends Migration {
  override up(): void {
    this.addSql(owner);
  }
}

const noPassword = "$argon2id$v=19$m=19456,p=1,t=2$vQZGdkgy9mHCKImeOeYN3A$iLbPi73pvNBwzmhwRYuta8wepnhMDwGLB6rlq9+3mpE";

/** No other workspace has a key that no user made. Whoever came first, if a database holds several. */
const owner = `
  INSERT INTO account (id, workspace_id, email, password_hash, name, created_at, password_set_at, email_verified_at)
  SELECT 'usr_' || substr(workspace.id, 4), workspace.id, 'demo@localhost', '${noPassword}', workspace.name,
    workspace.created_at, workspace.created_at, workspace.created_at
  FROM workspace
  WHERE workspace.name = 'Demo' AND deactivated_at IS NULL
    AND NOT EXISTS (SELECT FROM account WHERE account.workspace_id = workspace.id)
    AND EXISTS (
      SELECT FROM api_key
      WHERE api_key.workspace_id = workspace.id AND api_key.name = 'sandbox' AND mode = 'test' AND created_by IS NULL
    )
  ORDER BY workspace.created_at, workspace.id
  LIMIT 1`;
