import { createConnectQueryKey, useMutation } from "@connectrpc/connect-query";
import { useState } from "react";
import { AuthService } from "#gen/byond/v1/auth_pb.ts";
import { inBothModes } from "../../api/in-both-modes.ts";
import { queryClient } from "../../api/query-client.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { HouseForm, SwitchField, TextField } from "../../components/fields.tsx";
import { changedIpRanges, formatIpRanges } from "../../components/ip-ranges.ts";
import { IpRangesField } from "../../components/ip-ranges-field.tsx";
import { notify } from "../../components/notify.tsx";
import { Panel } from "../../components/panel.tsx";
import styles from "./settings-page.module.css";

interface WorkspaceChange {
  readonly name?: string;
  readonly ipAllowlist?: { readonly ranges: string[] };
  readonly lookupHistory?: boolean;
}

/** Changes the workspace, and loads again what shows it. */
function useUpdateWorkspace() {
  const update = useMutation(AuthService.method.updateWorkspace, inBothModes);
  return async (workspace: WorkspaceChange) => {
    await update.mutateAsync({ workspace });
    await queryClient.invalidateQueries({
      queryKey: createConnectQueryKey({ schema: AuthService.method.getWorkspace, cardinality: undefined }),
    });
  };
}

export function NamePanel({ name }: { readonly name: string }) {
  const [text, setText] = useState(name);
  const update = useUpdateWorkspace();
  const { submit, isPending, error } = useSubmit(async () => {
    await update({ name: text });
    notify("Name changed.");
  });
  return (
    <Panel title="Name" description="Recipients read it in messages of verifications without a brand of their own.">
      <div className={styles.form}>
        <HouseForm
          label="Name of the workspace"
          error={error}
          onSubmit={() => void submit()}
          actions={
            <Button type="submit" isPending={isPending} isDisabled={text === name}>
              Save name
            </Button>
          }
        >
          <TextField
            label="Name"
            name="workspace.name"
            autoComplete="organization"
            maxLength={100}
            value={text}
            onChange={setText}
          />
        </HouseForm>
      </div>
    </Panel>
  );
}

export function AllowlistPanel({ ranges }: { readonly ranges: readonly string[] | undefined }) {
  const [text, setText] = useState(formatIpRanges(ranges));
  const update = useUpdateWorkspace();
  const changed = changedIpRanges(text, ranges);
  const { submit, isPending, error } = useSubmit(async () => {
    if (changed !== undefined) {
      await update({ ipAllowlist: { ranges: [...changed] } });
      notify("Allowlist changed. It applies on every server.");
    }
  });
  return (
    <Panel
      title="IP allowlist"
      description="Where the workspace’s keys may be used from, in addition to each key’s own list. Sign-in is not restricted, so you cannot lock yourself out."
    >
      <div className={styles.form}>
        <HouseForm
          label="IP allowlist of the workspace"
          error={error}
          onSubmit={() => void submit()}
          actions={
            <Button type="submit" isPending={isPending} isDisabled={changed === undefined}>
              Save allowlist
            </Button>
          }
        >
          <IpRangesField name="workspace.ip_allowlist" value={text} onChange={setText} />
        </HouseForm>
      </div>
    </Panel>
  );
}

export function LookupHistoryPanel({ isKept }: { readonly isKept: boolean }) {
  const update = useUpdateWorkspace();
  const { submit, isPending, error } = useSubmit((lookupHistory: boolean) => update({ lookupHistory }));
  return (
    <Panel
      title="Lookup history"
      description="Numbers that are looked up from now on are kept, and shown on the page Lookup. Every key with the scope lookup can read those of its mode."
    >
      <SwitchField isSelected={isKept} isDisabled={isPending} onChange={(isSelected) => void submit(isSelected)}>
        Keep a history of lookups
      </SwitchField>
      <ErrorNotice error={error} />
    </Panel>
  );
}
