import type { VerificationFallback } from "#gen/byond/v1/verify_pb.ts";
import { channelText } from "../../api/channels.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { Time } from "../../components/time.tsx";
import { FallbackStatusBadge, fallbackReason } from "./verification-words.tsx";

const columns: readonly Column<VerificationFallback>[] = [
  { title: "Channel", cell: ({ channel }) => channelText(channel) },
  { title: "Recipient", cell: ({ recipient }) => <span className="break-anywhere">{recipient ?? "–"}</span> },
  { title: "Status", cell: ({ status }) => <FallbackStatusBadge status={status} /> },
  { title: "Reason", cell: ({ reason }) => fallbackReason(reason) },
  { title: "Waits", cell: ({ afterSeconds }) => `${afterSeconds} s`, align: "end" },
  { title: "Taken", cell: ({ takenAt }) => <Time at={takenAt} />, align: "end" },
];

/** The other ways of the code, if the start named any. */
export function FallbackSteps({ steps }: { readonly steps: readonly VerificationFallback[] }) {
  if (steps.length === 0) {
    return null;
  }
  return (
    <>
      <h2 className="section-title">Fallback</h2>
      <DataTable
        label="Fallback"
        columns={columns}
        rows={steps}
        rowKey={({ channel }) => String(channel)}
        empty={undefined}
      />
    </>
  );
}
