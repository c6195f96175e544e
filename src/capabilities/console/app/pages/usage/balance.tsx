import { useInfiniteQuery, useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { type BalanceEntry, BalanceEntryKind, BalanceService } from "#gen/byond/v1/balance_pb.ts";
import { firstPage } from "../../api/first-page.ts";
import { toHouseError } from "../../api/house-error.ts";
import { inBothModes } from "../../api/in-both-modes.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { Facts } from "../../components/facts.tsx";
import { PageLink } from "../../components/page-link.tsx";
import { Panel } from "../../components/panel.tsx";
import { Skeleton } from "../../components/skeleton.tsx";
import { Time } from "../../components/time.tsx";
import { SpendCaps } from "./spend-caps.tsx";

const kinds: Partial<Readonly<Record<BalanceEntryKind, string>>> = {
  [BalanceEntryKind.TOP_UP]: "Top-up",
  [BalanceEntryKind.CORRECTION]: "Correction",
  [BalanceEntryKind.CHARGE]: "Charge",
  [BalanceEntryKind.REFUND]: "Refund",
};

const columns: readonly Column<BalanceEntry>[] = [
  { title: "Time", cell: ({ createdAt }) => <Time at={createdAt} /> },
  { title: "Kind", cell: ({ kind }) => kinds[kind] ?? "Other" },
  {
    title: "For",
    cell: ({ item, reference, verificationId }) => {
      const text = item ?? reference;
      return verificationId === undefined ? (
        <span className="break-anywhere">{text}</span>
      ) : (
        <PageLink to={`/verifications/${verificationId}`}>{text}</PageLink>
      );
    },
  },
  { title: "API key", cell: ({ apiKeyId }) => apiKeyId ?? "–", isSecondary: true },
  { title: "Amount", cell: ({ amount }) => amount, align: "end" },
];

/** What the workspace has, may spend, and spent. Live calls cost something, in whatever mode the console is. */
export function Balance() {
  const { data, error, refetch } = useQuery(BalanceService.method.getBalance, {}, inBothModes);
  const balance = data?.balance;
  if (balance === undefined) {
    if (error && toHouseError(error).code === "not_found") {
      return (
        <EmptyState icon="check" title="Nothing costs anything here">
          This server has no prices. Messages and lookups are counted all the same.
        </EmptyState>
      );
    }
    return error ? (
      <ErrorNotice error={error} onRetry={() => void refetch()} />
    ) : (
      <Skeleton lines={6} label="Loading the balance" />
    );
  }
  const { amount, reserved, currency } = balance;
  return (
    <div className="stack">
      <Panel title="Balance">
        <Facts
          facts={{ Balance: `${amount} ${currency}`, "Of that, set aside by servers": `${reserved} ${currency}` }}
        />
      </Panel>
      <SpendCaps currency={currency} />
      <Entries />
    </div>
  );
}

function Entries() {
  const list = useInfiniteQuery(
    BalanceService.method.listBalanceEntries,
    { pageSize: 50, pageToken: firstPage },
    {
      ...inBothModes,
      pageParamKey: "pageToken",
      getNextPageParam: (last) => last.nextPageToken,
      placeholderData: keepPreviousData,
    },
  );
  return (
    <DataTable
      label="Entries"
      columns={columns}
      rows={list.data?.pages.flatMap(({ entries }) => entries)}
      rowKey={({ reference, kind }) => `${kind} ${reference}`}
      error={list.error}
      onRetry={() => void list.refetch()}
      onLoadMore={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
      isLoadingMore={list.isFetchingNextPage}
      empty={
        <EmptyState icon="check" title="No entries yet">
          Top-ups, charges and refunds appear here.
        </EmptyState>
      }
    />
  );
}
