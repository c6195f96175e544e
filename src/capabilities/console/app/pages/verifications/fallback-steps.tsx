import type { Verification, VerificationFallback } from "#gen/byond/v1/verify_pb.ts";
import { channelText } from "../../api/channels.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { Time } from "../../components/time.tsx";
import { DeliveryStatusBadge, FallbackStatusBadge, fallbackReasonText } from "./verification-words.tsx";

/** The other channels that the start named for its code, and what became of each. Nothing if it named none. */
export function FallbackSteps({ verification: { fallback, deliveries } }: { readonly verification: Verification }) {
  if (fallback.length === 0) {
    return null;
  }
  const deliveryOf = ({ deliveryId }: VerificationFallback) => deliveries.find(({ id }) => id === deliveryId);
  const columns: readonly Column<VerificationFallback>[] = [
    { title: "Channel", cell: ({ channel }) => channelText(channel) },
    { title: "Recipient", cell: ({ recipient }) => <span className="break-anywhere">{recipient ?? "–"}</span> },
    { title: "Status", cell: ({ status }) => <FallbackStatusBadge status={status} /> },
    {
      title: "Outcome",
      cell: (step) => {
        const delivery = deliveryOf(step);
        return delivery ? <DeliveryStatusBadge status={delivery.status} /> : (fallbackReasonText(step.reason) ?? "–");
      },
    },
    { title: "After", cell: ({ afterSeconds }) => `${afterSeconds} s`, align: "end" },
    { title: "Taken", cell: ({ takenAt }) => <Time at={takenAt} />, align: "end" },
  ];
  return (
    <>
      <h2 className="section-title">Fallback</h2>
      <DataTable
        label="Fallback"
        columns={columns}
        rows={fallback}
        rowKey={(step) => String(fallback.indexOf(step))}
        empty={null}
      />
    </>
  );
}
