import { useInfiniteQuery, useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { useState } from "react";
import { AuthService } from "#gen/byond/v1/auth_pb.ts";
import { type LookupRecord, LookupService } from "#gen/byond/v1/lookup_pb.ts";
import { firstPage } from "../../api/first-page.ts";
import { inBothModes } from "../../api/in-both-modes.ts";
import { useMode } from "../../api/mode.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { PageLink } from "../../components/page-link.tsx";
import { Time } from "../../components/time.tsx";
import { TypedFilter } from "../../components/typed-filter.tsx";
import { lineTypeText } from "./lookup-words.ts";
import { ValidityBadge } from "./validity-badge.tsx";

const columns: readonly Column<LookupRecord>[] = [
  {
    title: "Number",
    cell: ({ result }) => <span className="break-anywhere">{result?.numberE164 ?? result?.input ?? "Unreadable"}</span>,
  },
  { title: "Result", cell: ({ result }) => (result ? <ValidityBadge lookup={result} /> : "–") },
  { title: "Country", cell: ({ result }) => result?.country ?? "–" },
  { title: "Line type", cell: ({ result }) => (result?.valid === true ? lineTypeText(result) : "–") },
  {
    title: "Reference",
    cell: ({ reference }) => <span className="break-anywhere">{reference ?? "–"}</span>,
    isSecondary: true,
  },
  { title: "Looked up", cell: ({ createdAt }) => <Time at={createdAt} relative />, align: "end" },
];

const refreshMs = 5_000;

/** The lookups of the mode, if the workspace keeps them. */
export function LookupHistory() {
  return <HistoryOfMode key={useMode()} />;
}

function HistoryOfMode() {
  const [number, setNumber] = useState("");
  const workspace = useQuery(AuthService.method.getWorkspace, {}, inBothModes).data?.workspace;
  const list = useInfiniteQuery(
    LookupService.method.listLookups,
    { pageSize: 50, pageToken: firstPage, ...(number !== "" && { number }) },
    {
      pageParamKey: "pageToken",
      getNextPageParam: (last) => last.nextPageToken,
      placeholderData: keepPreviousData,
      refetchInterval: refreshMs,
    },
  );
  return (
    <>
      <TypedFilter label="Number" placeholder="+6591234567" onSearch={setNumber} />
      <DataTable
        label="Lookups"
        columns={columns}
        rows={list.data?.pages.flatMap(({ lookups }) => lookups)}
        rowKey={({ lookupId }) => lookupId}
        error={list.error}
        onRetry={() => void list.refetch()}
        onLoadMore={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
        isLoadingMore={list.isFetchingNextPage}
        empty={
          number !== "" ? (
            <EmptyState icon="phone" title="No such lookups">
              A number is matched as a whole.
            </EmptyState>
          ) : (
            <EmptyState
              icon="phone"
              title="No lookups"
              actions={
                workspace?.lookupHistory === false && (
                  <PageLink to="/settings">Keep a history, in the settings</PageLink>
                )
              }
            >
              {workspace?.lookupHistory === false
                ? "The workspace keeps no history of lookups."
                : "Numbers that are looked up with a key of this mode appear here, about a second later."}
            </EmptyState>
          )
        }
      />
    </>
  );
}
