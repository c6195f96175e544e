import { createConnectQueryKey, useInfiniteQuery, useMutation } from "@connectrpc/connect-query";
import { keepPreviousData, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Suppression, SuppressionService } from "#gen/byond/v1/suppression_pb.ts";
import { channelOptions, channels, channelText } from "../../api/channels.ts";
import { firstPage } from "../../api/first-page.ts";
import { useMode } from "../../api/mode.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { SelectField } from "../../components/fields.tsx";
import { notify } from "../../components/notify.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Time } from "../../components/time.tsx";
import { TypedFilter } from "../../components/typed-filter.tsx";
import { useFilters } from "../../components/use-filters.ts";

const columns: readonly Column<Suppression>[] = [
  { title: "Recipient", cell: ({ recipient }) => recipient ?? "Unreadable" },
  { title: "Channel", cell: ({ channel }) => channelText(channel) },
  { title: "Reason", cell: ({ reason }) => <span className="break-anywhere">{reason}</span> },
  { title: "Since", cell: ({ createdAt }) => <Time at={createdAt} relative />, align: "end" },
  { title: "Until", cell: ({ expiresAt }) => <Time at={expiresAt} />, align: "end" },
];

/** The recipients that nothing is sent to, since a message could not be delivered for good. The list of one mode begins anew in the other. */
export default function SuppressionsPage() {
  return <SuppressionList key={useMode()} />;
}

function SuppressionList() {
  const [filters, setFilters] = useFilters(["channel"]);
  const [recipient, setRecipient] = useState("");
  const [ending, setEnding] = useState<Suppression>();
  const channel = channels.find(([name]) => name === filters.channel);
  const list = useInfiniteQuery(
    SuppressionService.method.listSuppressions,
    {
      pageSize: 50,
      pageToken: firstPage,
      ...(channel && { channel: channel[2] }),
      ...(recipient !== "" && { recipient }),
    },
    { pageParamKey: "pageToken", getNextPageParam: (last) => last.nextPageToken, placeholderData: keepPreviousData },
  );
  return (
    <>
      <PageHeader
        title="Suppressions"
        description="Recipients that cannot be reached on a channel, as a message to them has shown. No code is sent to them there until the suppression ends."
      />
      <TypedFilter label="Recipient" placeholder="+6591234567 or ada@example.com" onSearch={setRecipient}>
        <SelectField
          label="Channel"
          value={channel?.[0] ?? ""}
          onChange={(value) => setFilters({ channel: value })}
          options={channelOptions}
        />
      </TypedFilter>
      <DataTable
        label="Suppressions"
        columns={columns}
        rows={list.data?.pages.flatMap(({ suppressions }) => suppressions)}
        rowKey={({ suppressionId }) => suppressionId}
        rowLink={({ verificationId }) => `/verifications/${verificationId}`}
        rowActions={(suppression) => (
          <Button
            size="small"
            aria-label={`Delete the suppression of ${suppression.recipient ?? "an unreadable recipient"}`}
            onPress={() => setEnding(suppression)}
          >
            Delete
          </Button>
        )}
        error={list.error}
        onRetry={() => void list.refetch()}
        onLoadMore={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
        isLoadingMore={list.isFetchingNextPage}
        empty={
          channel !== undefined || recipient !== "" ? (
            <EmptyState icon="ban" title="No such suppressions">
              None matches these filters. A recipient is matched as a whole.
            </EmptyState>
          ) : (
            <EmptyState icon="ban" title="Nobody is suppressed">
              A recipient appears here when the mail server or the carrier says that there is no such mailbox or number.
            </EmptyState>
          )
        }
      />
      {ending && <DeleteDialog suppression={ending} onClose={() => setEnding(undefined)} />}
    </>
  );
}

function DeleteDialog({ suppression, onClose }: { readonly suppression: Suppression; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const remove = useMutation(SuppressionService.method.deleteSuppression);
  const { suppressionId, recipient = "this recipient", channel } = suppression;
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title="Delete this suppression?"
      confirmLabel="Delete suppression"
      onConfirm={async () => {
        await remove.mutateAsync({ suppressionId });
        await queries.invalidateQueries({
          queryKey: createConnectQueryKey({ schema: SuppressionService, cardinality: undefined }),
        });
        notify(`Codes are sent to ${recipient} again.`);
      }}
    >
      Codes are then sent to <span className="break-anywhere">{recipient}</span> by {channelText(channel)} again. If the
      next message fails in the same way, the recipient is suppressed again.
    </ConfirmDialog>
  );
}
