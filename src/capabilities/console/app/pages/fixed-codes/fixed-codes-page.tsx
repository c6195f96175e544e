import { useMutation } from "@connectrpc/connect-query";
import { useState } from "react";
import { type FixedCode, FixedCodeService } from "#gen/byond/v1/fixed_code_pb.ts";
import { refreshFixedCodes, useFixedCodes } from "../../api/fixed-codes.ts";
import { inBothModes } from "../../api/in-both-modes.ts";
import { Button } from "../../components/button.tsx";
import { Id } from "../../components/code-block.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { notify } from "../../components/notify.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Time } from "../../components/time.tsx";
import { CreateFixedCodeDialog } from "./create-fixed-code-dialog.tsx";

const columns: readonly Column<FixedCode>[] = [
  { title: "Recipient", cell: ({ recipient }) => <span className="break-anywhere">{recipient}</span> },
  { title: "Code", cell: ({ code }) => (code === undefined ? "–" : <Id id={code} label="code" />) },
  { title: "Note", cell: ({ description }) => <span className="break-anywhere">{description ?? "–"}</span> },
  { title: "Created", cell: ({ createdAt }) => <Time at={createdAt} relative />, align: "end", isSecondary: true },
  { title: "Ends", cell: ({ expiresAt }) => <Time at={expiresAt} />, align: "end" },
];

/** Recipients whose codes are always the same, where the server's operator allows that. They are of live mode, whatever mode is shown. */
export default function FixedCodesPage() {
  const { codes, isForbidden, error, retry } = useFixedCodes();
  const [isCreating, setCreating] = useState(false);
  const [ending, setEnding] = useState<FixedCode>();
  const create = (
    <Button tone="primary" icon="plus" onPress={() => setCreating(true)}>
      Create fixed code
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Fixed codes"
        description="Live recipients whose code is always the same, and to whom nothing is sent: for the review of an app, and for end-to-end tests."
        actions={!isForbidden && create}
      />
      {isForbidden ? (
        <EmptyState icon="lock" title="This server does not allow fixed codes">
          Whoever knows a fixed code passes as its recipient, so the server’s operator has to allow them, with the
          setting <code>ALLOW_FIXED_CODES=1</code>. Test mode needs none: there, every code is all zeros.
        </EmptyState>
      ) : (
        <DataTable
          label="Fixed codes"
          columns={columns}
          rows={codes}
          rowKey={({ id }) => id}
          rowActions={(fixedCode) => (
            <Button
              size="small"
              aria-label={`Delete the fixed code of ${fixedCode.recipient}`}
              onPress={() => setEnding(fixedCode)}
            >
              Delete
            </Button>
          )}
          error={error}
          onRetry={retry}
          empty={
            <EmptyState icon="lock" title="No fixed codes" actions={create}>
              Ten at most, each for 30 days at most. Choose recipients that reach nobody, such as an address under{" "}
              <code>example.com</code>.
            </EmptyState>
          }
        />
      )}
      {isCreating && <CreateFixedCodeDialog onClose={() => setCreating(false)} />}
      {ending && <DeleteDialog fixedCode={ending} onClose={() => setEnding(undefined)} />}
    </>
  );
}

function DeleteDialog({ fixedCode, onClose }: { readonly fixedCode: FixedCode; readonly onClose: () => void }) {
  const remove = useMutation(FixedCodeService.method.deleteFixedCode, inBothModes);
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title="Delete this fixed code?"
      confirmLabel="Delete fixed code"
      onConfirm={async () => {
        await remove.mutateAsync({ id: fixedCode.id });
        await refreshFixedCodes();
        notify("Fixed code deleted.");
      }}
    >
      From then on, <span className="break-anywhere">{fixedCode.recipient}</span> gets codes like any other recipient.
      Its pending verifications are canceled. This cannot be undone.
    </ConfirmDialog>
  );
}
