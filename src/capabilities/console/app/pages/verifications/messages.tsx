import type { Delivery } from "#gen/byond/v1/verify_pb.ts";
import { channelText } from "../../api/channels.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Time } from "../../components/time.tsx";
import { DeliveryStatusBadge } from "./verification-words.tsx";

const columns: readonly Column<Delivery>[] = [
  { title: "Channel", cell: ({ channel }) => channelText(channel) },
  { title: "Recipient", cell: ({ recipient }) => <span className="break-anywhere">{recipient ?? "–"}</span> },
  { title: "Status", cell: ({ status }) => <DeliveryStatusBadge status={status} /> },
  { title: "Last error", cell: ({ error }) => <span className="break-anywhere">{error ?? "–"}</span> },
  { title: "Attempts", cell: ({ attempts }) => attempts, align: "end" },
  { title: "Sent", cell: ({ sentAt }) => <Time at={sentAt} />, align: "end" },
];

/** The messages that carried the code of a verification, oldest first. */
export function Messages({ deliveries }: { readonly deliveries: readonly Delivery[] }) {
  return (
    <>
      <h2 className="section-title">Messages</h2>
      <DataTable
        label="Messages"
        columns={columns}
        rows={deliveries}
        rowKey={({ id }) => id}
        empty={
          <EmptyState icon="inbox" title="Nothing was sent">
            The channel has no provider on this server.
          </EmptyState>
        }
      />
    </>
  );
}
