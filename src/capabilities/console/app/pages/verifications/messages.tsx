import type { Delivery, Verification } from "#gen/byond/v1/verify_pb.ts";
import { channelText } from "../../api/channels.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Time } from "../../components/time.tsx";
import { DeliveryStatusBadge } from "./verification-words.tsx";

const columns: readonly Column<Delivery>[] = [
  { title: "Channel", cell: ({ channel }) => channelText(channel) },
  { title: "Recipient", cell: ({ recipient }) => <span className="break-anywhere">{recipient ?? "–"}</span> },
  { title: "Status", cell: ({ status }) => <DeliveryStatusBadge status={status} /> },
  { title: "Provider", cell: ({ provider, segments }) => providerText(provider, segments) },
  { title: "Last error", cell: ({ error }) => <span className="break-anywhere">{error ?? "–"}</span> },
  { title: "Attempts", cell: ({ attempts }) => attempts, align: "end" },
  { title: "Sent", cell: ({ sentAt }) => <Time at={sentAt} />, align: "end" },
];

/** "twilio", or "twilio, 2 parts": carriers charge for each part of a text message. */
function providerText(provider = "–", segments: number | undefined): string {
  return segments === undefined ? provider : `${provider}, ${segments} ${segments === 1 ? "part" : "parts"}`;
}

/** The messages that carried the code of a verification, oldest first. */
export function Messages({ verification }: { readonly verification: Verification }) {
  return (
    <>
      <h2 className="section-title">Messages</h2>
      <DataTable
        label="Messages"
        columns={columns}
        rows={verification.deliveries}
        rowKey={({ id }) => id}
        empty={
          <EmptyState icon="inbox" title="Nothing was sent">
            {verification.fixedCode === true
              ? "The recipient has a fixed code."
              : "The channel has no provider on this server."}
          </EmptyState>
        }
      />
    </>
  );
}
