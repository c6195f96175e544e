import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useState } from "react";
import { TemplateChannel, TemplateService } from "#gen/byond/v1/template_pb.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { HouseForm, SelectField, TextField } from "../../components/fields.tsx";
import { notify } from "../../components/notify.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { useGoTo } from "../../components/page-link.tsx";
import { Skeleton } from "../../components/skeleton.tsx";
import { channelNameOf, channelTextOf, templateChannels } from "./template-channels.ts";
import { draftOf, emptyDraft, givenOf, type TemplateDraft } from "./template-draft.ts";
import styles from "./template-editor.module.css";
import { TemplateFields } from "./template-fields.tsx";
import { refreshTemplates } from "./template-list.tsx";
import { TemplatePreview } from "./template-preview.tsx";

const back = { to: "/templates", label: "Templates" };

/** A template that is there, or the text that it would replace. */
export function TemplateEditor({ channel, locale }: { readonly channel: TemplateChannel; readonly locale: string }) {
  const { data, error, refetch } = useQuery(TemplateService.method.getTemplate, { channel, locale });
  return (
    <>
      <PageHeader title={`${channelTextOf(channel)}, ${locale}`} back={back} />
      {data?.template === undefined ? (
        error ? (
          <ErrorNotice error={error} onRetry={() => void refetch()} />
        ) : (
          <Skeleton lines={8} label="Loading the template" />
        )
      ) : (
        <Editor channel={channel} locale={locale} before={draftOf(data.template)} />
      )}
    </>
  );
}

/** A template that is not there yet: its channel and locale are chosen first. */
export function NewTemplate() {
  const [channelName, setChannelName] = useState("email");
  const [locale, setLocale] = useState("default");
  const channel = templateChannels.find(([name]) => name === channelName)?.[2] ?? TemplateChannel.EMAIL;
  return (
    <>
      <PageHeader title="Create template" back={back} />
      <div className={styles.choice}>
        <SelectField
          label="Channel"
          value={channelName}
          onChange={setChannelName}
          options={templateChannels.map(([name, text]) => [name, text] as const)}
        />
        <TextField
          label="Language"
          autoComplete="off"
          description="A tag such as en or pt-BR, or default for all that have none."
          value={locale}
          onChange={setLocale}
        />
      </div>
      <Editor key={channelName} channel={channel} locale={locale.trim()} before={undefined} />
    </>
  );
}

interface EditorProps {
  readonly channel: TemplateChannel;
  readonly locale: string;
  /** Undefined: there is none. */
  readonly before: TemplateDraft | undefined;
}

/** The fields of a template beside the message that they make. */
function Editor({ channel, locale, before }: EditorProps) {
  const goTo = useGoTo();
  const [draft, setDraft] = useState(before ?? emptyDraft);
  const put = useMutation(TemplateService.method.putTemplate);
  const { submit, isPending, error } = useSubmit(async () => {
    await put.mutateAsync({ channel, locale, text: draft.text, ...givenOf(draft) });
    await refreshTemplates();
    notify("Template saved. Messages from now on have it.");
    goTo(`/templates/${channelNameOf(channel)}/${locale}`);
  });
  return (
    <div className={styles.columns}>
      <HouseForm
        label="Template"
        error={error}
        onSubmit={() => void submit()}
        actions={
          <Button type="submit" tone="primary" isPending={isPending} isDisabled={draft.text === ""}>
            Save template
          </Button>
        }
      >
        <TemplateFields channel={channel} draft={draft} onChange={setDraft} />
      </HouseForm>
      <TemplatePreview channel={channel} locale={locale} draft={draft} />
    </div>
  );
}
