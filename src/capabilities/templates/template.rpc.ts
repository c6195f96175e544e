import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  type PreviewTemplateRequest,
  PreviewTemplateRequestSchema,
  PutTemplateRequestSchema,
  type TemplateChannel,
  type TemplateService,
} from "../../../gen/byond/v1/template_pb.ts";
import { callMode } from "../../access/call-mode.ts";
import { anyCaller } from "../../access/caller.ts";
import type { Clock } from "../../clock.ts";
import type { QueryableTables } from "../../database/database.ts";
import { invalidFields, problemOf } from "../../errors.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { type FieldCheck, fieldCheck } from "../../rpc/validation.ts";
import { senderNameProblem } from "../../text/display-name-rules.ts";
import type { MessageTemplate } from "../channels/own-texts/message-template.ts";
import { compileTemplate, type TemplateContent } from "./compile-template.ts";
import { deleteTemplate } from "./delete-template.ts";
import { getTemplate } from "./get-template.ts";
import { listTemplates } from "./list-templates.ts";
import { previewTemplate } from "./preview-template.ts";
import { putTemplate } from "./put-template.ts";
import { canonicalLocale, type TemplateKey } from "./template-content.ts";
import {
  findTemplateChannel,
  givenContent,
  templateChannelOf,
  templateMessage,
  templateSummaryMessage,
} from "./template-proto.ts";
import type { TemplateStore } from "./template-store.ts";

export interface TemplateServiceDependencies {
  readonly database: QueryableTables;
  readonly revocation: Pick<RevocationService, "revoke">;
  readonly clock: Pick<Clock, "now">;
  readonly templates: Pick<TemplateStore, "find">;
}

/** TemplateService: translates messages to operations and back. */
export function templateService(deps: TemplateServiceDependencies): ServiceImpl<typeof TemplateService> {
  return {
    async listTemplates(_, context) {
      const templates = await listTemplates(deps, ownerOf(context));
      return { templates: templates.map(templateSummaryMessage) };
    },

    async getTemplate(request, context) {
      return { template: templateMessage(await getTemplate(deps, keyOf(request, context))) };
    },

    async putTemplate(request, context) {
      const content = givenContent(request);
      if (content === undefined) {
        throw invalidFields({ text: "is required" });
      }
      return {
        template: templateMessage(await putTemplate(deps, anyCaller(context), keyOf(request, context), content)),
      };
    },

    async deleteTemplate(request, context) {
      const key = keyOf(request, context);
      await deleteTemplate(deps, anyCaller(context), key);
      return { channel: request.channel, locale: key.locale, deleted: true };
    },

    async previewTemplate(request, context) {
      const { templateLocale, ...shown } = await previewTemplate(deps, {
        ...keyOf(request, context),
        draft: draftOf(request),
        brand: request.brand ?? "Acme",
        isForApproval: request.payment === true,
      });
      return { ...shown, ...(templateLocale === undefined ? {} : { templateLocale }) };
    },
  };
}

function ownerOf(context: HandlerContext): Pick<TemplateKey, "workspaceId" | "mode"> {
  return { workspaceId: anyCaller(context).workspaceId, mode: callMode(context) };
}

interface TemplateReference {
  readonly channel: TemplateChannel;
  readonly locale: string;
}

function keyOf({ channel, locale }: TemplateReference, context: HandlerContext): TemplateKey {
  return { ...ownerOf(context), channel: templateChannelOf(channel), locale: canonicalLocale(locale) };
}

/** What the check of a preview compiled is what the preview shows. */
const drafts = new WeakMap<PreviewTemplateRequest, MessageTemplate>();

function draftOf(request: PreviewTemplateRequest): MessageTemplate | undefined {
  const draft = drafts.get(request);
  if (draft === undefined && request.text !== undefined) {
    throw new TypeError("a draft is compiled when it is checked");
  }
  return draft;
}

/** The template that is written or previewed. Undefined: the request has none, or names no channel. */
function compileContent({ channel, locale }: TemplateReference, content: TemplateContent | undefined) {
  const name = findTemplateChannel(channel);
  return name === undefined || content === undefined
    ? undefined
    : compileTemplate({ channel: name, locale: canonicalLocale(locale) }, content);
}

function problemsOf(compiled: ReturnType<typeof compileContent>) {
  return compiled !== undefined && "problems" in compiled ? compiled.problems : {};
}

/** The rules of the requests that the schema cannot express. */
export const templateFieldChecks: readonly FieldCheck[] = [
  fieldCheck(PutTemplateRequestSchema, (request) => problemsOf(compileContent(request, givenContent(request)))),
  fieldCheck(PreviewTemplateRequestSchema, (request) => {
    const content = givenContent(request);
    const { subject, html, logo, backgroundColor, textColor, accentColor, brand } = request;
    const compiled = compileContent(request, content);
    if (compiled !== undefined && "template" in compiled) {
      drafts.set(request, compiled.template);
    }
    const hasMore = [subject, html, logo, backgroundColor, textColor, accentColor].some((field) => field !== undefined);
    return {
      ...problemsOf(compiled),
      ...(content === undefined && hasMore ? { text: "is required for a draft" } : {}),
      ...problemOf("brand", brand === undefined ? undefined : senderNameProblem(brand)),
    };
  }),
];
