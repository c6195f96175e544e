import { useInfiniteQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { useState } from "react";
import { type Verification, VerifyService } from "#gen/byond/v1/verify_pb.ts";
import { channelOptions, channels, channelText } from "../../api/channels.ts";
import { firstPage } from "../../api/first-page.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { SelectField } from "../../components/fields.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { PageLink } from "../../components/page-link.tsx";
import { Time } from "../../components/time.tsx";
import { TypedFilter } from "../../components/typed-filter.tsx";
import { useFilters } from "../../components/use-filters.ts";
import { useLiveVerifications } from "./use-live-verifications.ts";
import { FixedCodeBadge, statusFilters, VerificationStatusBadge } from "./verification-words.tsx";

const statusOptions = [["", "All statuses"], ...statusFilters.map(([name, text]) => [name, text] as const)] as const;

const columns: readonly Column<Verification>[] = [
  { title: "Recipient", cell: ({ recipient }) => recipient ?? <span className="muted">Erased</span> },
  {
    title: "Status",
    cell: (verification) => (
      <span className="row">
        <VerificationStatusBadge status={verification.status} />
        <FixedCodeBadge verification={verification} />
      </span>
    ),
  },
  { title: "Channel", cell: ({ channel }) => channelText(channel) },
  { title: "Messages", cell: ({ deliveries }) => deliveries.length, align: "end", isSecondary: true },
  { title: "Started", cell: ({ createdAt }) => <Time at={createdAt} relative />, align: "end" },
];

/** The verifications of a mode, newest first. */
export function VerificationList() {
  const [filters, setFilters] = useFilters(["status", "channel"]);
  const [recipient, setRecipient] = useState("");
  const status = statusFilters.find(([name]) => name === filters.status);
  const channel = channels.find(([name]) => name === filters.channel);
  const isFiltered = status !== undefined || channel !== undefined || recipient !== "";
  const list = useInfiniteQuery(
    VerifyService.method.listVerifications,
    {
      pageSize: 50,
      pageToken: firstPage,
      ...(status && { status: status[2] }),
      ...(channel && { channel: channel[2] }),
      ...(recipient !== "" && { recipient }),
    },
    {
      pageParamKey: "pageToken",
      getNextPageParam: (last) => last.nextPageToken,
      placeholderData: keepPreviousData,
    },
  );
  useLiveVerifications();
  return (
    <>
      <PageHeader title="Verifications" description="Codes that were sent, and what became of them." />
      <TypedFilter label="Recipient" placeholder="+6591234567 or ada@example.com" onSearch={setRecipient}>
        <SelectField
          label="Status"
          value={status?.[0] ?? ""}
          onChange={(value) => setFilters({ status: value })}
          options={statusOptions}
        />
        <SelectField
          label="Channel"
          value={channel?.[0] ?? ""}
          onChange={(value) => setFilters({ channel: value })}
          options={channelOptions}
        />
      </TypedFilter>
      <DataTable
        label="Verifications"
        columns={columns}
        rows={list.data?.pages.flatMap(({ verifications }) => verifications)}
        rowKey={({ verificationId }) => verificationId}
        rowLink={({ verificationId }) => `/verifications/${verificationId}`}
        error={list.error}
        onRetry={() => void list.refetch()}
        onLoadMore={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
        isLoadingMore={list.isFetchingNextPage}
        empty={
          isFiltered ? (
            <EmptyState icon="shield" title="No such verifications">
              None matches these filters. A recipient is matched as a whole.
            </EmptyState>
          ) : (
            <EmptyState
              icon="shield"
              title="No verifications yet"
              actions={<PageLink to="/playground/StartVerification">Start one in the playground</PageLink>}
            >
              Your server starts a verification with an API key; it appears here at once.
            </EmptyState>
          )
        }
      />
    </>
  );
}
