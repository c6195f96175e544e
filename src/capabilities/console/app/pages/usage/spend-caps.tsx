import { createConnectQueryKey, useMutation, useQuery } from "@connectrpc/connect-query";
import { useState } from "react";
import { BalanceService, type SpendCap, SpendPeriod } from "#gen/byond/v1/balance_pb.ts";
import { inBothModes } from "../../api/in-both-modes.ts";
import { queryClient } from "../../api/query-client.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { HouseForm, SelectField, TextField } from "../../components/fields.tsx";
import { notify } from "../../components/notify.tsx";
import { Panel } from "../../components/panel.tsx";
import { Time } from "../../components/time.tsx";

const periods = [
  ["day", "A day", SpendPeriod.DAY],
  ["month", "A month", SpendPeriod.MONTH],
] as const;

const workspace = "workspace";
const ownerText = (owner: string) => (owner === workspace ? "The workspace" : owner);

const columns: readonly Column<SpendCap>[] = [
  { title: "Whose", cell: ({ owner }) => ownerText(owner) },
  { title: "Cap", cell: ({ amount }) => amount, align: "end" },
  { title: "Period", cell: ({ period }) => periods.find(([, , value]) => value === period)?.[1] ?? "Unknown" },
  { title: "Spent", cell: ({ spent }) => spent, align: "end" },
  { title: "Begins anew", cell: ({ resetsAt }) => <Time at={resetsAt} />, align: "end" },
];

const reload = () =>
  queryClient.invalidateQueries({
    queryKey: createConnectQueryKey({ schema: BalanceService, cardinality: undefined }),
  });

/** How much the workspace and its keys may spend, and how that is changed. */
export function SpendCaps({ currency }: { readonly currency: string }) {
  const list = useQuery(BalanceService.method.listSpendCaps, {}, inBothModes);
  const remove = useMutation(BalanceService.method.deleteSpendCap, inBothModes);
  const removal = useSubmit(async (owner: string) => {
    await remove.mutateAsync({ owner });
    await reload();
    notify("The cap was removed.");
  });
  return (
    <Panel title="Spend caps" description={`In ${currency}. Days and months are those of UTC.`}>
      <div className="stack">
        <ErrorNotice error={removal.error} />
        <DataTable
          label="Spend caps"
          columns={columns}
          rows={list.data?.spendCaps}
          rowKey={({ owner }) => owner}
          rowActions={({ owner }) => (
            <Button
              size="small"
              aria-label={`Remove the cap of ${ownerText(owner)}`}
              onPress={() => void removal.submit(owner)}
            >
              Remove
            </Button>
          )}
          error={list.error}
          onRetry={() => void list.refetch()}
          empty={
            <EmptyState icon="lock" title="No caps">
              The balance alone limits what is spent.
            </EmptyState>
          }
        />
        <CapForm />
      </div>
    </Panel>
  );
}

function CapForm() {
  const [owner, setOwner] = useState(workspace);
  const [amount, setAmount] = useState("");
  const [period, setPeriod] = useState<string>("month");
  const set = useMutation(BalanceService.method.setSpendCap, inBothModes);
  const { submit, error, isPending } = useSubmit(async () => {
    const [, , chosen] = periods.find(([name]) => name === period) ?? periods[1];
    await set.mutateAsync({ owner, amount, period: chosen });
    await reload();
    setAmount("");
    notify("The cap is set.");
  });
  return (
    <HouseForm
      label="Set a cap"
      error={error}
      onSubmit={() => void submit()}
      actions={
        <Button type="submit" tone="primary" isPending={isPending}>
          Set cap
        </Button>
      }
    >
      <TextField
        name="owner"
        label="Whose"
        description="workspace, or the id of a key."
        value={owner}
        onChange={setOwner}
      />
      <TextField name="amount" label="Cap" value={amount} onChange={setAmount} />
      <SelectField
        label="Period"
        value={period}
        onChange={setPeriod}
        options={periods.map(([name, title]) => [name, title] as const)}
      />
    </HouseForm>
  );
}
