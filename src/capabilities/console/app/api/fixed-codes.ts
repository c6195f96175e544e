import { createConnectQueryKey, useQuery } from "@connectrpc/connect-query";
import { type FixedCode, FixedCodeService } from "#gen/byond/v1/fixed_code_pb.ts";
import { toHouseError } from "./house-error.ts";
import { inBothModes } from "./in-both-modes.ts";
import { queryClient } from "./query-client.ts";

export interface FixedCodes {
  /** Undefined until they are known, and where the server does not allow them. */
  readonly codes: readonly FixedCode[] | undefined;
  /** Whether the server has said that it does not allow them. */
  readonly isForbidden: boolean;
  /** Why they are not known. Null: they are, or are still asked for. */
  readonly error: unknown;
  readonly retry: () => void;
}

/** The fixed codes of the workspace. The page about them and the bar on every page ask once. */
export function useFixedCodes(): FixedCodes {
  const { data, error, refetch } = useQuery(FixedCodeService.method.listFixedCodes, {}, inBothModes);
  const isForbidden = error !== null && toHouseError(error).code === "not_found";
  return { codes: data?.fixedCodes, isForbidden, error: isForbidden ? null : error, retry: () => void refetch() };
}

/** After one was made or deleted. */
export function refreshFixedCodes(): Promise<void> {
  return queryClient.invalidateQueries({
    queryKey: createConnectQueryKey({ schema: FixedCodeService, cardinality: undefined }),
  });
}
