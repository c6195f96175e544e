import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { FixedCodeSchema } from "../../../../gen/byond/v1/fixed_code_pb.ts";

/** A fixed code as its workspace sees it. */
export interface FixedCodeView {
  readonly id: string;
  /** Null: deleted. */
  readonly recipient: string | null;
  /** Null: not shown. */
  readonly code: string | null;
  readonly description: string | null;
  readonly expiresAt: Date;
  readonly createdAt: Date;
  readonly createdBy: string;
}

/** A fixed code as a message of the schema. */
export function fixedCodeMessage(view: FixedCodeView): MessageInitShape<typeof FixedCodeSchema> {
  const { id, recipient, code, description, expiresAt, createdAt, createdBy } = view;
  return {
    id,
    ...(recipient === null ? {} : { recipient }),
    ...(code === null ? {} : { code }),
    ...(description === null ? {} : { description }),
    expiresAt: timestampFromDate(expiresAt),
    createdAt: timestampFromDate(createdAt),
    createdBy,
  };
}
