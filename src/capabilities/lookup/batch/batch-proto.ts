import { create } from "@bufbuild/protobuf";
import { type BatchLookupResult, BatchLookupResultSchema } from "../../../../gen/byond/v1/lookup_pb.ts";
import { toLookupResponse } from "../lookup-proto.ts";
import type { BatchResult } from "./lookup-batch.ts";
import type { LookupItem } from "./lookup-item.ts";

/** Collects results as messages, as they are found. */
export function toBatchResults() {
  const results: BatchLookupResult[] = [];
  return {
    results,
    add({ result, duplicateOf }: BatchResult, { reference }: LookupItem): void {
      results.push(
        create(BatchLookupResultSchema, {
          ...(reference === undefined ? {} : { reference }),
          ...(duplicateOf === undefined ? {} : { duplicateOf }),
          ...(result.kind === "lookup"
            ? { lookup: toLookupResponse(result.lookup) }
            : { problems: { ...result.problems } }),
        }),
      );
    },
  };
}
