import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
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
        draft: givenContent(request),
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

/** The problems of a template that is written or previewed, by field. */
function contentProblems({ channel, locale }: TemplateReference, content: TemplateContent | undefined) {
  const name = findTemplateChannel(channel);
  if (name === undefined || content === undefined) {
    return {};
  }
  const compiled = compileTemplate({ channel: name, locale: canonicalLocale(locale) }, content);
  return "problems" in compiled ? compiled.problems : {};
}

/** The rules of the requests that the schema cannot express. */
export const templateFieldChecks: readonly FieldCheck[] = [
  fieldCheck(PutTemplateRequestSchema, (request) => contentProblems(request, givenContent(request))),
  fieldCheck(PreviewTemplateRequestSchema, (request) => {
    const content = givenContent(request);
    const { subject, html, logo, backgroundColor, textColor, accentColor, brand } = request;
    const hasMore = [subject, html, logo, backgroundColor, textColor, accentColor].some((field) => field !== undefined);
    return {
      ...contentProblems(request, content),
      ...(content === undefined && hasMore ? { text: "is required for a draft" } : {}),
      ...problemOf("brand", brand === undefined ? undefined : senderNameProblem(brand)),
    };
  }),
];
