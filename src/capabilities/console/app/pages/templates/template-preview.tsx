import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { TemplateChannel, TemplateService } from "#gen/byond/v1/template_pb.ts";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { MessagePicture } from "../../components/message-picture.tsx";
import { Panel } from "../../components/panel.tsx";
import { givenOf, type TemplateDraft } from "./template-draft.ts";

export interface TemplatePreviewProps {
  readonly channel: TemplateChannel;
  readonly locale: string;
  readonly draft: TemplateDraft;
}

/** The message that a draft makes, made by the server a moment after the last change. Without a text: the one that is sent today. */
export function TemplatePreview({ channel, locale, draft }: TemplatePreviewProps) {
  const shown = useSettled({ channel, locale, draft });
  const { data, error } = useQuery(
    TemplateService.method.previewTemplate,
    {
      channel: shown.channel,
      locale: shown.locale,
      ...(shown.draft.text === "" ? {} : { text: shown.draft.text, ...givenOf(shown.draft) }),
    },
    { placeholderData: keepPreviousData, retry: false },
  );
  return (
    <Panel
      title="Preview"
      description={
        draft.text === ""
          ? "What is sent today."
          : "What is sent with this text. The code is an example, and so is the name."
      }
    >
      <div className="stack">
        <ErrorNotice error={error} />
        {data?.subject !== undefined && <p className="break-anywhere">Subject: {data.subject}</p>}
        {data !== undefined && <MessagePicture text={data.text} html={data.html ?? null} />}
        {channel === TemplateChannel.SMS && data?.segments !== undefined && (
          <p className="muted">
            {data.segments === 1 ? "One part." : `${data.segments} parts. Carriers charge for each.`}
          </p>
        )}
      </div>
    </Panel>
  );
}

/** A value once it has not changed for some time. */
function useSettled<Value>(value: Value): Value {
  const [settled, setSettled] = useState(value);
  const key = JSON.stringify(value);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the value is compared by what it is
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), 400);
    return () => clearTimeout(timer);
  }, [key]);
  return settled;
}
