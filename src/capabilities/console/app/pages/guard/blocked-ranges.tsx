import { createConnectQueryKey, useMutation, useQuery } from "@connectrpc/connect-query";
import { useState } from "react";
import { type GuardBlock, GuardService } from "#gen/byond/v1/guard_pb.ts";
import { inBothModes } from "../../api/in-both-modes.ts";
import { queryClient } from "../../api/query-client.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { notify } from "../../components/notify.tsx";
import { Time } from "../../components/time.tsx";

const columns: readonly Column<GuardBlock>[] = [
  { title: "Range", cell: ({ numberRange }) => numberRange },
  { title: "Started", cell: ({ started }) => started, align: "end" },
  { title: "Approved", cell: ({ approved }) => approved, align: "end" },
  { title: "Since", cell: ({ startsAt }) => <Time at={startsAt} relative />, align: "end", isSecondary: true },
  { title: "Until", cell: ({ endsAt }) => <Time at={endsAt} />, align: "end" },
];

/** The ranges of live mode to which no codes are sent now. */
export function BlockedRanges() {
  const [ending, setEnding] = useState<GuardBlock>();
  const list = useQuery(GuardService.method.listGuardBlocks, {}, inBothModes);
  return (
    <>
      <DataTable
        label="Blocked ranges"
        columns={columns}
        rows={list.data?.blocks}
        rowKey={({ id }) => id}
        rowActions={(block) => (
          <Button size="small" aria-label={`End the block of ${block.numberRange}`} onPress={() => setEnding(block)}>
            End
          </Button>
        )}
        error={list.error}
        onRetry={() => void list.refetch()}
        empty={
          <EmptyState icon="warning" title="No range is blocked">
            A range of numbers is blocked for some time when hardly any code that was sent to it is entered.
          </EmptyState>
        }
      />
      {ending && <EndDialog block={ending} onClose={() => setEnding(undefined)} />}
    </>
  );
}

function EndDialog({ block, onClose }: { readonly block: GuardBlock; readonly onClose: () => void }) {
  const remove = useMutation(GuardService.method.deleteGuardBlock, inBothModes);
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title="End this block?"
      confirmLabel="End block"
      onConfirm={async () => {
        await remove.mutateAsync({ id: block.id });
        await queryClient.invalidateQueries({
          queryKey: createConnectQueryKey({ schema: GuardService.method.listGuardBlocks, cardinality: undefined }),
        });
        notify(`Codes are sent to ${block.numberRange} again.`);
      }}
    >
      Codes are then sent to {block.numberRange} again. If hardly any of them is entered, the range is blocked again,
      for longer. Put it on the safe list to prevent that.
    </ConfirmDialog>
  );
}
