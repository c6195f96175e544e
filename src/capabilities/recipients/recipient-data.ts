import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RecipientRecordSchema } from "../../../gen/byond/v1/recipient_pb.ts";
import type { Mode } from "../../access/caller.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { QueryableTables } from "../../database/database.ts";
import type { PageEnd } from "../../rpc/page-token.ts";

/** What a capability holds of recipients. There is no way to erase it without a way to export it. */
export interface RecipientData {
  readonly erasure: RecipientErasure;
  readonly export: RecipientExport;
}

/** What another capability erases with a recipient, in the statement of the erasure. */
export interface RecipientErasure {
  /** The name of its CTE. */
  readonly cte: string;
  /** Runs before the statement: writes what is not in the database yet. */
  prepare?(): Promise<void>;
  /** SQL that erases, and returns a column `id` for each row. `indexes` is a `text[]`: the exact index under each master secret. */
  sql(p: { readonly workspaceId: string; readonly mode: string; readonly indexes: string }): string;
}

/** What an export has of one kind of records. */
export interface RecipientExport {
  /** The prefix of the records' ids, with its underscore: a page token names the last record, and so the kind to go on with. */
  readonly idPrefix: string;
  /** The records of a recipient that come after `after`, newest first: `limit` at most. */
  read(deps: ExportDependencies, asked: AskedRecords): Promise<readonly ExportedRecord[]>;
}

export interface ExportDependencies {
  readonly database: QueryableTables;
  readonly keyring: Keyring;
}

export interface AskedRecords {
  readonly workspaceId: string;
  readonly mode: Mode;
  /** The exact index of the recipient under each master secret. */
  readonly indexes: readonly string[];
  readonly after: PageEnd | undefined;
  readonly limit: number;
}

export interface ExportedRecord extends PageEnd {
  /** Without its events. */
  readonly record: MessageInitShape<typeof RecipientRecordSchema>;
}
