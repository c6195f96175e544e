import { withoutDeadline } from "../../database/call-deadline.ts";
import type { Queryable } from "../../database/database.ts";
import { array, statement, text } from "../../database/statement.ts";

/**
 * SQL that is true unless the workspace was shut down, with its account or by the operator: what waits for it is not sent any more. The server's own
 * workspaces have no row.
 */
export const isOpen = (workspaceId: string) =>
  `(SELECT deactivated_at FROM workspace WHERE workspace.id = ${workspaceId} OFFSET 0) IS NULL`;

const readPending = statement<{ place: number }>("read_pending_verifications")(
  { workspaceIds: array(text), ids: array(text) },
  (p) => `
    SELECT place::integer
    FROM unnest(${p.workspaceIds}, ${p.ids}) WITH ORDINALITY AS asked (workspace_id, id, place),
      LATERAL (
        SELECT status FROM verification WHERE workspace_id = asked.workspace_id AND id = asked.id OFFSET 0
      ) AS verification
    WHERE status = 'pending' AND ${isOpen("asked.workspace_id")}`,
);

interface Question {
  readonly workspaceId: string;
  readonly id: string;
  readonly resolve: (isPending: boolean) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Tells whether verifications are pending, in a workspace that is not shut down, by one statement for all that is asked at the same moment: a batch of messages that is recorded
 * frees the places of as many that wait.
 */
export class PendingVerifications {
  readonly #database: Queryable;
  #asked: Question[] = [];

  constructor(database: Queryable) {
    this.#database = database;
  }

  has({ workspaceId, id }: Pick<Question, "workspaceId" | "id">): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ workspaceId, id, resolve, reject });
      if (this.#asked.length === 1) {
        // After whatever else goes on at this moment.
        withoutDeadline(() => setImmediate(() => void this.#answer()));
      }
    });
  }

  async #answer(): Promise<void> {
    const asked = this.#asked;
    this.#asked = [];
    try {
      const rows = await this.#database.run(readPending, {
        workspaceIds: asked.map(({ workspaceId }) => workspaceId),
        ids: asked.map(({ id }) => id),
      });
      const pending = new Set(rows.map(({ place }) => place - 1));
      for (const [index, { resolve }] of asked.entries()) {
        resolve(pending.has(index));
      }
    } catch (error) {
      for (const { reject } of asked) {
        reject(error);
      }
    }
  }
}
