import { problemOf } from "../../errors.ts";
import type { ChannelName } from "../channels/outgoing-message.ts";
import { contrastOf } from "../channels/own-texts/color-contrast.ts";
import {
  defaultColors,
  type MailColors,
  type MessageTemplate,
  placeholdersOf,
  type TextParts,
} from "../channels/own-texts/message-template.ts";
import { maxSegments } from "../channels/sms-text/segments.ts";
import { textsFor } from "../channels/texts/languages.ts";
import { appHashProblem } from "./app-hash.ts";
import { greatestSegments } from "./count-segments.ts";
import type { HtmlNode } from "./html/html-tree.ts";
import { alteredInRow, hasRightToLeft } from "./html/neighbour-lines.ts";
import { parseHtml } from "./html/parse-html.ts";
import { hasLogo, renderTree, visibleText } from "./html/render-tree.ts";
import { lookOfPage } from "./html/text-look.ts";
import { parsePlaceholders } from "./parse-placeholders.ts";
import { readLogo } from "./read-logo.ts";
import { maxCodes, maxHtmlBytes, maxHtmlTags, minContrast, subjectLength, textLength } from "./templates.policy.ts";
import { type CellReading, textProblem } from "./text-rules.ts";

/** A template as it is written and stored. */
export interface TemplateContent {
  readonly subject: string | undefined;
  readonly text: string;
  readonly html: string | undefined;
  /** In base64. */
  readonly logo: string | undefined;
  /** `#rrggbb`, and so are the others. */
  readonly backgroundColor: string | undefined;
  readonly textColor: string | undefined;
  readonly accentColor: string | undefined;
}

/** The channels whose messages are worded here. */
export const templateChannels = ["email", "sms", "voice"] as const;
export type TemplateChannel = (typeof templateChannels)[number];

/** The locale of a template for every language without one. */
export const defaultLocale = "default";

/** Whose text it is. */
interface TemplateKey {
  readonly channel: TemplateChannel;
  readonly locale: string;
}

interface Compiled {
  readonly template: MessageTemplate;
  /** Of a text message whose values have their greatest length. */
  readonly segments: number | undefined;
}

/** What is wrong with a template, by field. */
type Problems = Readonly<Record<string, string>>;

/**
 * Checks a template and makes it ready to be filled in. Whatever could do something else in a message than be read is a problem, and nothing
 * is left out or changed instead (decision 74). Of what this process has checked before (`isChecked`), texts and layout are not judged again.
 */
export function compileTemplate(
  { channel, locale }: TemplateKey,
  content: TemplateContent,
  isChecked = false,
): Compiled | { readonly problems: Problems } {
  const subject = content.subject === undefined ? undefined : compileSubject(content.subject, isChecked);
  const text = compileText(content.text, isChecked);
  const logo = content.logo === undefined ? undefined : readLogo(content.logo);
  const colors = colorsOf(content);
  const html =
    content.html === undefined ? undefined : compileHtml(content.html, colors, isRightToLeft(locale), isChecked);
  const found: Problems = {
    ...(channel === "email" ? mailProblems(content, html) : otherProblems(channel, content)),
    ...colorProblems(colors),
    ...problemsOf("logo", logo),
    ...problemsOf("html", html),
    ...problemsOf("text", text),
    ...problemsOf("subject", subject),
  };
  if (Object.keys(found).length > 0 || !("parts" in text)) {
    return { problems: found };
  }
  const isForApproval = placeholdersOf(text.parts).includes("payee");
  const segments = channel === "sms" ? greatestSegments(text.parts, locale) : undefined;
  const late = {
    ...problemOf(
      "text",
      lengthProblem(channel, content.text, segments) ?? (channel === "sms" ? appHashProblem(text.parts) : undefined),
    ),
    ...(html !== undefined && "parts" in html && placeholdersOf(html.parts).includes("payee") !== isForApproval
      ? { html: "must have {{payee}} and {{amount}} if text has them, and not otherwise" }
      : {}),
  };
  if (Object.keys(late).length > 0) {
    return { problems: late };
  }
  return {
    template: {
      locale: locale === defaultLocale ? undefined : locale,
      ...(subject !== undefined && "parts" in subject ? { subject: subject.parts } : {}),
      text: text.parts,
      ...(html !== undefined && "parts" in html ? { html: html.parts } : {}),
      ...(logo !== undefined && "bytes" in logo ? { logo } : {}),
      colors,
      isForApproval,
    },
    segments,
  };
}

type CompiledText = { readonly parts: TextParts } | { readonly problem: string };

function problemsOf(field: string, compiled: object | { readonly problem: string } | undefined): Problems {
  return compiled !== undefined && "problem" in compiled ? { [field]: compiled.problem } : {};
}

function compileSubject(subject: string, isChecked: boolean): CompiledText {
  if (subject.length > subjectLength.max) {
    return { problem: `must be at most ${subjectLength.max} characters` };
  }
  const parsed = parsePlaceholders(subject);
  if (isChecked || "problem" in parsed) {
    return parsed;
  }
  const names = placeholdersOf(parsed.parts);
  if (names.some((name) => name === "code" || name === "payee" || name === "amount")) {
    return { problem: "must not contain {{code}}, {{payee}} or {{amount}}: subjects are shown on locked screens" };
  }
  if (subject.trim() === "") {
    return { problem: "must not be blank" };
  }
  const problem = /[\t\r\n]/.test(subject) ? "must be one line" : textProblem(parsed.parts);
  return problem === undefined ? parsed : { problem };
}

function compileText(text: string, isChecked: boolean): CompiledText {
  if (text.length > textLength.max) {
    return { problem: `must be at most ${textLength.max} characters` };
  }
  const parsed = parsePlaceholders(text);
  if (isChecked || "problem" in parsed) {
    return parsed;
  }
  const problem = textProblem(parsed.parts) ?? placeholderProblem(parsed.parts);
  return problem === undefined ? parsed : { problem };
}

type CompiledHtml = { readonly parts: TextParts; readonly placesLogo: boolean } | { readonly problem: string };

/** Whether a mail is laid out from right to left, whatever its letters are. */
function isRightToLeft(locale: string): boolean {
  return locale !== defaultLocale && textsFor(locale).direction === "rtl";
}

function compileHtml(html: string, colors: MailColors, isRtl: boolean, isChecked: boolean): CompiledHtml {
  if (Buffer.byteLength(html) > maxHtmlBytes) {
    return { problem: `must be at most ${maxHtmlBytes / 1_024} KiB` };
  }
  if (html.split("<", maxHtmlTags + 2).length > maxHtmlTags + 1) {
    return { problem: `must have at most ${maxHtmlTags} tags` };
  }
  const tree = parseHtml(html, isChecked ? undefined : lookOfPage(colors));
  if ("problem" in tree) {
    return tree;
  }
  const rendered = parsePlaceholders(renderTree(tree.nodes));
  if ("problem" in rendered) {
    return rendered;
  }
  const problem = isChecked ? undefined : (shownProblem(tree.nodes, isRtl) ?? placeholderProblem(rendered.parts));
  return problem === undefined ? { ...rendered, placesLogo: hasLogo(tree.nodes) } : { problem };
}

/** What is wrong with what a reader sees of HTML. */
function shownProblem(nodes: readonly HtmlNode[], isRtl: boolean): string | undefined {
  const problemIn = (text: string, cells: CellReading) => {
    const parsed = parsePlaceholders(text);
    return "problem" in parsed ? parsed.problem : textProblem(parsed.parts, cells);
  };
  const apart = visibleText(nodes, "apart");
  const inLines = problemIn(apart, "apart");
  if (inLines !== undefined) {
    return inLines;
  }
  const altered = alteredInRow(nodes, isRtl || hasRightToLeft(nodes));
  return altered === undefined
    ? problemIn(linesWithout(apart, visibleText(nodes, "beside")), "beside")
    : `must have no number or sign at the edge of a line in a cell beside {{${altered}}}, in any line of the row: it would be read as another one. Put a word between them, or the number into another row`;
}

/** The lines of a text that another one does not have: what was checked is not checked again. */
function linesWithout(known: string, text: string): string {
  const lines = new Set(known.split("\n"));
  return text
    .split("\n")
    .filter((line) => !lines.has(line))
    .join("\n");
}

function placeholderProblem(parts: TextParts): string | undefined {
  const names = placeholdersOf(parts);
  if (!names.includes("code")) {
    return "must contain {{code}}";
  }
  if (names.filter((name) => name === "code").length > maxCodes) {
    return `must contain {{code}} at most ${maxCodes} times`;
  }
  return names.includes("payee") === names.includes("amount")
    ? undefined
    : "must contain both {{payee}} and {{amount}}, or neither";
}

function lengthProblem(channel: ChannelName, text: string, segments: number | undefined): string | undefined {
  if (segments !== undefined && segments > maxSegments) {
    return `must fit into ${maxSegments} parts of a text message if every value has its greatest length: it takes ${segments}`;
  }
  return channel === "voice" && text.length > textLength.ofCalls
    ? `must be at most ${textLength.ofCalls} characters for a call`
    : undefined;
}

function mailProblems({ logo }: TemplateContent, html: CompiledHtml | undefined): Problems {
  const isPlaced = html !== undefined && "parts" in html ? html.placesLogo : undefined;
  return {
    ...(logo === undefined && isPlaced === true ? { html: 'must not have <img src="cid:logo"> without a logo' } : {}),
    ...(logo !== undefined && isPlaced === false
      ? { logo: 'must be placed in html with <img src="cid:logo" alt="…">' }
      : {}),
  };
}

/** A text message and a call have no more than a text. */
function otherProblems(channel: TemplateChannel, { text, ...mailOnly }: TemplateContent): Problems {
  const { subject, html, logo, backgroundColor, textColor, accentColor } = mailOnly;
  const fields = {
    subject,
    html,
    logo,
    background_color: backgroundColor,
    text_color: textColor,
    accent_color: accentColor,
  };
  const misplaced = Object.entries(fields).filter(([, value]) => value !== undefined);
  return {
    ...Object.fromEntries(misplaced.map(([field]) => [field, "must not be set: only mail has it"])),
    // Some providers read a text that begins with a tag as a script for the voice.
    ...(channel === "voice" && /[<>]/.test(text) ? { text: "must not contain < or > for a call" } : {}),
  };
}

function colorsOf({ backgroundColor, textColor, accentColor }: TemplateContent): MailColors {
  return {
    background: backgroundColor ?? defaultColors.background,
    text: textColor ?? defaultColors.text,
    accent: accentColor ?? defaultColors.accent,
  };
}

function colorProblems({ background, text }: MailColors): Problems {
  const areColors = [background, text].every((color) => /^#[\da-f]{6}$/i.test(color));
  const contrast = areColors ? contrastOf(text, background) : Number.NaN;
  return contrast < minContrast
    ? {
        text_color: `must have a contrast of at least ${minContrast} with the background: it has ${(Math.floor(contrast * 10) / 10).toFixed(1)}`,
      }
    : {};
}
