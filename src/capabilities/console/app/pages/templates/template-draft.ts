import type { Template } from "#gen/byond/v1/template_pb.ts";

/** What the form of a template holds. Empty: not given. */
export interface TemplateDraft {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Base64. */
  readonly logo: string;
  readonly backgroundColor: string;
  readonly textColor: string;
  readonly accentColor: string;
}

export const emptyDraft: TemplateDraft = {
  subject: "",
  text: "",
  html: "",
  logo: "",
  backgroundColor: "",
  textColor: "",
  accentColor: "",
};

export function draftOf(template: Template): TemplateDraft {
  const { subject, text, html, logo, backgroundColor, textColor, accentColor } = template;
  return {
    text,
    subject: subject ?? "",
    html: html ?? "",
    logo: logo ?? "",
    backgroundColor: backgroundColor ?? "",
    textColor: textColor ?? "",
    accentColor: accentColor ?? "",
  };
}

/** The optional fields that are not empty. */
export function givenOf({ text: _, ...optional }: TemplateDraft): Partial<TemplateDraft> {
  return Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== ""));
}
