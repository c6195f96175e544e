import { createConnectQueryKey, useMutation, useQuery } from "@connectrpc/connect-query";
import { useState } from "react";
import { GuardService, type SafeListEntry } from "#gen/byond/v1/guard_pb.ts";
import { useMode } from "../../api/mode.ts";
import { queryClient } from "../../api/query-client.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { HouseForm, TextField } from "../../components/fields.tsx";
import { notify } from "../../components/notify.tsx";
import { Panel } from "../../components/panel.tsx";
import { Time } from "../../components/time.tsx";
import styles from "./guard-page.module.css";

const textOf = ({ recipient, numberRange }: SafeListEntry) => numberRange ?? recipient ?? "Unreadable";

const columns: readonly Column<SafeListEntry>[] = [
  { title: "Number or range", cell: textOf },
  { title: "Since", cell: ({ createdAt }) => <Time at={createdAt} relative />, align: "end" },
];

function refresh(): Promise<void> {
  return queryClient.invalidateQueries({
    queryKey: createConnectQueryKey({ schema: GuardService.method.listSafeListEntries, cardinality: undefined }),
  });
}

/** Numbers and ranges that the guard never refuses. The list of one mode begins anew in the other. */
export function SafeList() {
  return <Entries key={useMode()} />;
}

function Entries() {
  const list = useQuery(GuardService.method.listSafeListEntries, {});
  const remove = useMutation(GuardService.method.deleteSafeListEntry);
  const removal = useSubmit(async (entry: SafeListEntry) => {
    await remove.mutateAsync({ id: entry.id });
    await refresh();
    notify(`${textOf(entry)} is no longer on the safe list.`);
  });
  return (
    <div className="stack">
      <AddForm />
      <DataTable
        label="Safe list"
        columns={columns}
        rows={list.data?.entries}
        rowKey={({ id }) => id}
        rowActions={(entry) => (
          <Button
            size="small"
            aria-label={`Remove ${textOf(entry)} from the safe list`}
            isDisabled={removal.isPending}
            onPress={() => void removal.submit(entry)}
          >
            Remove
          </Button>
        )}
        error={removal.error ?? list.error}
        onRetry={() => void list.refetch()}
        empty={
          <EmptyState icon="check" title="Nobody is on the safe list">
            The guard judges every number and every range.
          </EmptyState>
        }
      />
    </div>
  );
}

function AddForm() {
  const [number, setNumber] = useState("");
  const add = useMutation(GuardService.method.addSafeListEntry);
  const { submit, isPending, error } = useSubmit(async () => {
    const { entry } = await add.mutateAsync({ number: number.trim() });
    await refresh();
    setNumber("");
    notify(`${entry === undefined ? "It" : textOf(entry)} is on the safe list.`);
  });
  return (
    <Panel title="Add to the safe list" description="The guard never refuses codes to what is on it.">
      <div className={styles.form}>
        <HouseForm
          label="Add to the safe list"
          error={error}
          onSubmit={() => void submit()}
          actions={
            <Button type="submit" isPending={isPending} isDisabled={number.trim() === ""}>
              Add
            </Button>
          }
        >
          <TextField
            label="Number or range"
            name="number"
            autoComplete="off"
            placeholder="+6591234567 or +65912x"
            description="A range is the first digits of its numbers, and an x."
            value={number}
            onChange={setNumber}
          />
        </HouseForm>
      </div>
    </Panel>
  );
}
