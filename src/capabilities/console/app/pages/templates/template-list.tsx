import { createConnectQueryKey, useMutation, useQuery } from "@connectrpc/connect-query";
import { useState } from "react";
import { TemplateService, type TemplateSummary } from "#gen/byond/v1/template_pb.ts";
import { useMode } from "../../api/mode.ts";
import { queryClient } from "../../api/query-client.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { notify } from "../../components/notify.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { useGoTo } from "../../components/page-link.tsx";
import { Time } from "../../components/time.tsx";
import { channelNameOf, channelTextOf } from "./template-channels.ts";

const nameOf = ({ channel, locale }: TemplateSummary) => `${channelTextOf(channel)}, ${locale}`;

const columns: readonly Column<TemplateSummary>[] = [
  { title: "Message", cell: nameOf },
  { title: "Text", cell: ({ text }) => <span className="break-anywhere">{shortened(text)}</span>, isSecondary: true },
  { title: "Parts", cell: ({ segments }) => segments ?? "–", align: "end" },
  { title: "Changed", cell: ({ updatedAt }) => <Time at={updatedAt} relative />, align: "end" },
];

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** Reads anew what shows templates. */
export function refreshTemplates(): Promise<void> {
  return queryClient.invalidateQueries({
    queryKey: createConnectQueryKey({ schema: TemplateService, cardinality: undefined }),
  });
}

/** The templates of the mode. The list of one mode begins anew in the other. */
export function TemplateList() {
  return <Templates key={useMode()} />;
}

function Templates() {
  const goTo = useGoTo();
  const [ending, setEnding] = useState<TemplateSummary>();
  const list = useQuery(TemplateService.method.listTemplates, {});
  const create = (
    <Button tone="primary" icon="plus" onPress={() => goTo("/templates/new")}>
      Create template
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Templates"
        description="Texts of your own for the messages with codes. Languages without one have ours."
        actions={create}
      />
      <DataTable
        label="Templates"
        columns={columns}
        rows={list.data?.templates}
        rowKey={nameOf}
        rowLink={({ channel, locale }) => `/templates/${channelNameOf(channel)}/${locale}`}
        rowActions={(template) => (
          <Button
            size="small"
            aria-label={`Delete the template ${nameOf(template)}`}
            onPress={() => setEnding(template)}
          >
            Delete
          </Button>
        )}
        error={list.error}
        onRetry={() => void list.refetch()}
        empty={
          <EmptyState icon="book" title="No templates" actions={create}>
            Messages have our texts, in 21 languages. WhatsApp words its messages itself.
          </EmptyState>
        }
      />
      {ending && <DeleteDialog template={ending} onClose={() => setEnding(undefined)} />}
    </>
  );
}

function DeleteDialog({ template, onClose }: { readonly template: TemplateSummary; readonly onClose: () => void }) {
  const remove = useMutation(TemplateService.method.deleteTemplate);
  const { channel, locale } = template;
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title="Delete this template?"
      confirmLabel="Delete template"
      onConfirm={async () => {
        await remove.mutateAsync({ channel, locale });
        await refreshTemplates();
        notify("Template deleted.");
      }}
    >
      Messages that are sent from then on have the next best text: of the language, the one named <code>default</code>,
      or ours.
    </ConfirmDialog>
  );
}
