import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type PreviewTemplateRequest,
  type PutTemplateRequest,
  TemplateChannel as TemplateChannelMessage,
} from "../../../gen/byond/v1/template_pb.ts";
import { type TemplateChannel, type TemplateContent, templateChannels } from "./compile-template.ts";
import { greatestSegments } from "./count-segments.ts";
import type { ListedTemplate } from "./list-templates.ts";
import type { StoredTemplate } from "./message-template.entity.ts";
import { parsePlaceholders } from "./parse-placeholders.ts";
import { contentOf } from "./template-content.ts";

const channelEnums = {
  email: TemplateChannelMessage.EMAIL,
  sms: TemplateChannelMessage.SMS,
  voice: TemplateChannelMessage.VOICE,
} as const satisfies Record<TemplateChannel, TemplateChannelMessage>;

/** The channel of a request. Undefined: it names none. */
export function findTemplateChannel(channel: TemplateChannelMessage): TemplateChannel | undefined {
  return templateChannels.find((name) => channelEnums[name] === channel);
}

/** The same, of a valid request. */
export function templateChannelOf(channel: TemplateChannelMessage): TemplateChannel {
  const name = findTemplateChannel(channel);
  if (name === undefined) {
    throw new TypeError("validation passes defined channels only");
  }
  return name;
}

/** The content that a request gives. Undefined: it gives no text. */
export function givenContent(request: PutTemplateRequest | PreviewTemplateRequest): TemplateContent | undefined {
  const { subject, text, html, logo, backgroundColor, textColor, accentColor } = request;
  return text === undefined ? undefined : { subject, text, html, logo, backgroundColor, textColor, accentColor };
}

/** A template as a message. */
export function templateMessage(row: StoredTemplate) {
  const { channel, locale, updatedAt } = row;
  const { text, ...optional } = contentOf(row);
  const set = Object.entries(optional).filter(([, value]) => value !== undefined);
  return {
    channel: channelEnums[channel],
    locale,
    text,
    ...Object.fromEntries(set),
    ...segmentsOf(row),
    updatedAt: timestampFromDate(updatedAt),
  };
}

/** A template of a list as a message. */
export function templateSummaryMessage(listed: ListedTemplate) {
  const { channel, locale, subject, text, hasHtml, hasLogo, updatedAt } = listed;
  return {
    channel: channelEnums[channel],
    locale,
    text,
    ...(subject === null ? {} : { subject }),
    hasHtml,
    hasLogo,
    ...segmentsOf(listed),
    updatedAt: timestampFromDate(updatedAt),
  };
}

function segmentsOf({ channel, text, locale }: Pick<StoredTemplate, "channel" | "text" | "locale">) {
  const parsed = parsePlaceholders(text);
  return channel === "sms" && "parts" in parsed ? { segments: greatestSegments(parsed.parts, locale) } : {};
}
