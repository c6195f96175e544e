/**
 * The CSS that an element of a template may have, by the kind of its box. Chosen so that no text can be hidden by another box (decision 74):
 * inline elements paint nothing but their letters, and boxes have no height, no position, no percents and nothing negative. What widths and
 * heights come to is judged in `layout-check.ts`. No function, and so no address, is among the values.
 */
import { fontNames } from "./font-names.ts";

/** Where an element may stand, and which box it has. */
export type Kind = "block" | "inline" | "picture" | "table" | "section" | "row" | "cell" | "list" | "item";

interface ValueRule {
  readonly accepts: (value: string) => boolean;
  /** Ends the sentence "it takes …". */
  readonly takes: string;
}

const maxSpace = 48;
export const maxBorder = 4;

const matching = (pattern: RegExp, takes: string): ValueRule => ({ accepts: (value) => pattern.test(value), takes });
const words = (...names: readonly string[]): ValueRule => ({
  accepts: (value) => names.includes(value),
  takes: names.join(", "),
});
const pixels = (min: number, max: number): ValueRule => ({
  accepts: (value) => {
    const [, number] = /^(\d{1,3}(?:\.\d{1,2})?)px$/.exec(value) ?? [];
    const size = value === "0" ? 0 : Number(number ?? Number.NaN);
    return size >= min && size <= max;
  },
  takes: `${min} to ${max} px`,
});
const either = (...rules: readonly ValueRule[]): ValueRule => ({
  accepts: (value) => rules.some(({ accepts }) => accepts(value)),
  takes: rules.map(({ takes }) => takes).join(" or "),
});
/** One to four values for the top, the right, the bottom and the left. */
const fourSides = (vertical: ValueRule, horizontal = vertical): ValueRule => ({
  accepts: (value) => {
    const parts = value.split(/ +/);
    // One value is for all sides.
    const [first = ""] = parts.length === 1 ? parts : [];
    return (
      parts.length <= 4 &&
      parts.every((part, index) => (index % 2 === 0 ? vertical : horizontal).accepts(part)) &&
      (first === "" || horizontal.accepts(first))
    );
  },
  takes:
    vertical === horizontal
      ? `one to four times ${vertical.takes}`
      : `${vertical.takes} above and below, and ${horizontal.takes} at the sides`,
});

const textColor = matching(/^(?:#[\da-f]{3}|#[\da-f]{6}|white|black)$/, "#rgb, #rrggbb, white or black");
const color = either(textColor, words("transparent"));
const space = pixels(0, maxSpace);
const margin = either(space, words("auto"));
const noMargin = words("0", "auto");
const borderPart = either(pixels(0, maxBorder), words("none", "solid", "dashed", "dotted", "double"), color);
const border: ValueRule = {
  accepts: (value) => value.split(/ +/).length <= 3 && value.split(/ +/).every(borderPart.accepts),
  takes: `a width of 0 to ${maxBorder} px, a style and a color`,
};
const fonts: ValueRule = {
  accepts: (value) => value.split(",").every((name) => fontNames.has(name.trim().replace(/^'(.*)'$/, "$1"))),
  takes: "names of common fonts such as Arial, 'Segoe UI' and sans-serif",
};

type Rules = Readonly<Record<string, ValueRule>>;

const ofSides = (property: string, vertical: ValueRule, horizontal = vertical): Rules => ({
  [property]: fourSides(vertical, horizontal),
  [`${property}-top`]: vertical,
  [`${property}-right`]: horizontal,
  [`${property}-bottom`]: vertical,
  [`${property}-left`]: horizontal,
});
const borders: Rules = Object.fromEntries(
  ["", "-top", "-right", "-bottom", "-left"].map((side) => [`border${side}`, border]),
);

const letters: Rules = {
  color: textColor,
  "font-family": fonts,
  "font-size": pixels(9, 48),
  "font-weight": words("normal", "bold", ..."123456789".split("").map((digit) => `${digit}00`)),
  "font-style": words("normal", "italic"),
  "line-height": either(words("normal"), matching(/^(?:1(?:\.\d{1,3})?|2)$/, "a number from 1 to 2 without a unit")),
  "letter-spacing": either(words("normal"), pixels(0, 8)),
  "text-decoration": words("none", "underline"),
  "text-transform": words("none", "uppercase"),
};
const paragraph: Rules = {
  ...letters,
  "text-align": words("left", "right", "center", "justify", "start", "end"),
  "background-color": color,
};
const block: Rules = {
  ...paragraph,
  ...ofSides("margin", margin),
  ...ofSides("padding", space),
  ...borders,
  "border-radius": fourSides(pixels(0, 12)),
  "max-width": either(words("none"), pixels(0, 999)),
};
const verticalAlign = words("top", "middle", "bottom", "baseline");

const rulesOf: Readonly<Record<Kind, Rules>> = {
  inline: letters,
  picture: { display: words("block"), "border-radius": fourSides(pixels(0, maxSpace)) },
  block,
  item: block,
  // Bullets stand in the space that lists have at their side.
  list: { ...paragraph, ...ofSides("margin", margin), "list-style-type": words("none", "disc", "circle", "square") },
  table: {
    ...paragraph,
    // Else one as wide as what is around it would be beyond its edge.
    ...ofSides("margin", space, noMargin),
    ...borders,
    "border-radius": fourSides(pixels(0, 12)),
    "border-collapse": words("collapse", "separate"),
    "border-spacing": pixels(0, 8),
    "table-layout": words("fixed"),
    width: words("100%"),
    "max-width": either(words("none"), pixels(0, 999)),
  },
  section: paragraph,
  row: { ...paragraph, "vertical-align": verticalAlign },
  cell: {
    ...paragraph,
    ...ofSides("padding", space),
    ...borders,
    "border-radius": fourSides(pixels(0, 12)),
    "vertical-align": verticalAlign,
  },
};
const known = new Set(Object.values(rulesOf).flatMap((rules) => Object.keys(rules)));

/** Longer than any declaration that is allowed. */
const maxDeclarationLength = 300;

/** What is wrong with the `style` of an element, after "must not contain". Undefined if nothing is. */
export function styleProblem(element: string, kind: Kind, style: string): string | undefined {
  const seen = new Set<string>();
  for (const written of style.split(";")) {
    const declaration = written.trim();
    if (declaration === "") {
      continue;
    }
    const colon = declaration.indexOf(":");
    const property = declaration.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    const rules = rulesOf[kind];
    const rule = Object.hasOwn(rules, property) ? rules[property] : undefined;
    if (rule === undefined) {
      return colon < 0 || !/^[a-z-]{1,40}$/.test(property)
        ? "a style that is not a list of declarations"
        : `the style ${property}${known.has(property) ? ` in <${element}>` : ""}`;
    }
    if (seen.has(property)) {
      return `the style ${property} twice`;
    }
    seen.add(property);
    const value = declaration
      .slice(colon + 1)
      .trim()
      .toLowerCase();
    if (value.length > maxDeclarationLength || !rule.accepts(value)) {
      return `this value of the style ${property}: it takes ${rule.takes}`;
    }
  }
  return undefined;
}

/** The declarations of an allowed style, by property, in lower case. */
export function declarationsOf(style: string): ReadonlyMap<string, string> {
  const declarations = style.split(";").map((declaration) => declaration.toLowerCase().split(":"));
  return new Map(declarations.map(([property = "", value = ""]) => [property.trim(), value.trim()]));
}
