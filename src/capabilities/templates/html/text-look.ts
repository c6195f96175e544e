import { contrastOf } from "../../channels/own-texts/color-contrast.ts";
import type { MailColors } from "../../channels/own-texts/message-template.ts";
import { minContrastInHtml, textPixels } from "../templates.policy.ts";
import { declarationsOf } from "./style-rules.ts";

/** How a text in an element looks, as far as it can make the text unreadable. */
export interface TextLook {
  readonly fontPixels: number;
  /** In pixels, or a factor of the size of the font. */
  readonly lineHeight: { readonly pixels: number } | { readonly factor: number };
  /** `#rrggbb`, and so is the background. */
  readonly color: string;
  readonly background: string;
}

/** The look in the page that the server puts around the HTML (`mailDocument`). */
export function lookOfPage({ text, background }: Pick<MailColors, "text" | "background">): TextLook {
  return { fontPixels: rootPixels, lineHeight: { pixels: 24 }, color: text, background };
}

/** The look in an element whose attributes are allowed. */
export function lookIn(element: string, attributes: ReadonlyMap<string, string>, around: TextLook): TextLook {
  const style = declarationsOf(attributes.get("style") ?? "");
  const usual = around.fontPixels * (usualSizes[element] ?? 1);
  const fontPixels = pixelsOf(style.get("font-size"), around.fontPixels) ?? usual;
  return {
    fontPixels,
    lineHeight: lineHeightOf(style.get("line-height"), fontPixels) ?? around.lineHeight,
    color: colorOf(style.get("color")) ?? around.color,
    background: colorOf(style.get("background-color") ?? attributes.get("bgcolor")) ?? around.background,
  };
}

/** What is wrong with a text of a look, after "must not contain". Undefined if it can be read. */
export function lookProblem({ fontPixels, lineHeight, color, background }: TextLook): string | undefined {
  if (fontPixels < textPixels.min) {
    return `text of less than ${textPixels.min} pixels`;
  }
  if (fontPixels > textPixels.max) {
    return `text of more than ${textPixels.max} pixels`;
  }
  const linePixels = "pixels" in lineHeight ? lineHeight.pixels : lineHeight.factor * fontPixels;
  if (linePixels < textPixels.min) {
    return `text in lines of less than ${textPixels.min} pixels`;
  }
  return contrastOf(color, background) < minContrastInHtml
    ? `text with a contrast of less than ${minContrastInHtml.toFixed(1)} with its background`
    : undefined;
}

const rootPixels = 16;

/** The sizes that browsers give elements, times that of the text around them. */
const usualSizes: Readonly<Record<string, number>> = { h1: 2, h2: 1.5, h3: 1.17, small: 0.83, sub: 0.83, sup: 0.83 };

/** The length of an allowed value, of which `em` and `%` are parts of `base`. Undefined: it is none. */
function pixelsOf(value: string | undefined, base: number): number | undefined {
  const [, number, unit = "px"] = /^([\d.]+)(px|pt|em|rem|%)?$/i.exec(value ?? "") ?? [];
  if (number === undefined) {
    return undefined;
  }
  const pixels: Readonly<Record<string, number>> = { px: 1, pt: 4 / 3, em: base, rem: rootPixels, "%": base / 100 };
  return Number(number) * (pixels[unit.toLowerCase()] ?? 0);
}

function lineHeightOf(value: string | undefined, fontPixels: number): TextLook["lineHeight"] | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (/^[\d.]+$/.test(value)) {
    return { factor: Number(value) };
  }
  const pixels = pixelsOf(value, fontPixels);
  return pixels === undefined ? { factor: 1.2 } : { pixels };
}

/** An allowed color as `#rrggbb`. Undefined: it is `transparent`, or there is none. */
function colorOf(value: string | undefined): string | undefined {
  const names: Readonly<Record<string, string>> = { white: "#ffffff", black: "#000000" };
  const color = value?.toLowerCase() ?? "";
  const [, short] = /^#([\da-f]{3})$/.exec(color) ?? [];
  const long = short === undefined ? color : `#${[...short].map((digit) => digit + digit).join("")}`;
  return names[color] ?? (long.startsWith("#") ? long : undefined);
}
