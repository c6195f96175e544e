import { contrastOf } from "../../channels/own-texts/color-contrast.ts";
import type { MailColors } from "../../channels/own-texts/message-template.ts";
import { minContrastInHtml, textPixels } from "../templates.policy.ts";
import { declarationsOf } from "./style-rules.ts";

/** How a text in an element looks, as far as it can make the text unreadable. */
export interface TextLook {
  readonly fontPixels: number;
  /** Times the size of the font. */
  readonly lineHeight: number;
  readonly letterSpacing: number;
  /** `#rrggbb`, and so is the background. */
  readonly color: string;
  readonly background: string;
}

/** The look in the page that the server puts around the HTML (`mailDocument`). */
export function lookOfPage({ text, background }: Pick<MailColors, "text" | "background">): TextLook {
  return { fontPixels: 16, lineHeight: usualLineHeight, letterSpacing: 0, color: text, background };
}

/** The look in an element whose attributes are allowed. */
export function lookIn(element: string, attributes: ReadonlyMap<string, string>, around: TextLook): TextLook {
  if (attributes.size === 0 && usualSizes[element] === undefined) {
    return around;
  }
  const style = declarationsOf(attributes.get("style") ?? "");
  const numberOf = (property: string) => Number.parseFloat(style.get(property) ?? "");
  const lineHeight = style.get("line-height");
  return {
    fontPixels: numberOf("font-size") || around.fontPixels * (usualSizes[element] ?? 1),
    lineHeight: lineHeight === undefined ? around.lineHeight : Number(lineHeight) || usualLineHeight,
    letterSpacing: style.has("letter-spacing") ? numberOf("letter-spacing") || 0 : around.letterSpacing,
    color: colorOf(style.get("color")) ?? around.color,
    background: colorOf(style.get("background-color") ?? attributes.get("bgcolor")) ?? around.background,
  };
}

/** What is wrong with a text of a look, after "must not contain". Undefined if it can be read. */
export function lookProblem({ fontPixels, color, background }: TextLook): string | undefined {
  if (fontPixels < textPixels.min) {
    return `text of less than ${textPixels.min} pixels`;
  }
  if (fontPixels > textPixels.max) {
    return `text of more than ${textPixels.max} pixels`;
  }
  return contrastOf(color, background) < minContrastInHtml
    ? `text with a contrast of less than ${minContrastInHtml.toFixed(1)} with its background`
    : undefined;
}

/** Of the page, and at least what `normal` is. */
const usualLineHeight = 1.5;

/** The sizes that browsers give elements, times that of the text around them. */
const usualSizes: Readonly<Record<string, number>> = { h1: 2, h2: 1.5, h3: 1.17, small: 0.83 };

/** An allowed color as `#rrggbb`. Undefined: it is `transparent`, or there is none. */
function colorOf(value: string | undefined): string | undefined {
  const names: Readonly<Record<string, string>> = { white: "#ffffff", black: "#000000" };
  const color = value?.toLowerCase() ?? "";
  const [, short] = /^#([\da-f]{3})$/.exec(color) ?? [];
  const long = short === undefined ? color : `#${[...short].map((digit) => digit + digit).join("")}`;
  return names[color] ?? (long.startsWith("#") ? long : undefined);
}
