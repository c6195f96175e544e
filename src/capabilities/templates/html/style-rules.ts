/** The CSS that an element of a template may have: what colors, sizes, spaces and borders need. No function, and so no address, is among it. */

const color = "(?:#[0-9a-f]{3}|#[0-9a-f]{6}|white|black|transparent)";
const number = String.raw`\d{1,4}(?:\.\d{1,3})?`;
const length = `(?:0|${number}(?:px|pt|em|rem|%))`;
const lengths = `${length}(?: ${length}){0,3}`;
const lineStyle = "(?:none|solid|dashed|dotted|double)";
const borderPart = `(?:${length}|${lineStyle}|${color})`;
const border = `${borderPart}(?: ${borderPart}){0,2}`;
const fontName = "(?:'[a-z][a-z0-9 -]{0,40}'|[a-z-][a-z0-9-]{0,40}(?: [a-z0-9-]{1,40}){0,4})";
const fonts = `${fontName}(?:, ?${fontName}){0,12}`;
const oneOf = (...words: readonly string[]) => `(?:${words.join("|")})`;

const sides = ["top", "right", "bottom", "left"];
const ofSides = (property: string, value: string, suffix = "") =>
  sides.map((side) => [`${property}-${side}${suffix}`, value] as const);

/** The values of each property, as a regular expression over the whole value. */
const values: ReadonlyMap<string, RegExp> = new Map(
  [
    ["color", color] as const,
    ["background-color", color] as const,
    ["font-family", fonts] as const,
    ["font-size", length] as const,
    ["font-weight", oneOf("normal", "bold", "[1-9]00")] as const,
    ["font-style", oneOf("normal", "italic")] as const,
    ["line-height", oneOf("normal", number, length)] as const,
    ["letter-spacing", oneOf("normal", length)] as const,
    ["text-align", oneOf("left", "right", "center", "justify", "start", "end")] as const,
    ["text-decoration", oneOf("none", "underline", "line-through")] as const,
    ["text-transform", oneOf("none", "uppercase", "lowercase", "capitalize")] as const,
    ["vertical-align", oneOf("top", "middle", "bottom", "baseline", "sub", "super")] as const,
    ["white-space", oneOf("normal", "nowrap", "pre-line")] as const,
    ["word-break", oneOf("normal", "break-all", "break-word", "keep-all")] as const,
    ["overflow-wrap", oneOf("normal", "break-word", "anywhere")] as const,
    ["list-style-type", oneOf("none", "disc", "circle", "square", "decimal")] as const,
    ["display", oneOf("block", "inline", "inline-block")] as const,
    ["direction", oneOf("ltr", "rtl")] as const,
    ["width", oneOf("auto", length)] as const,
    ["min-width", length] as const,
    ["max-width", oneOf("none", length)] as const,
    ["height", oneOf("auto", length)] as const,
    ["padding", lengths] as const,
    ...ofSides("padding", length),
    ["margin", `(?:auto|${length})(?: (?:auto|${length})){0,3}`] as const,
    ...ofSides("margin", oneOf("auto", length)),
    ["border", border] as const,
    ...ofSides("border", border),
    ["border-color", color] as const,
    ...ofSides("border", color, "-color"),
    ["border-width", lengths] as const,
    ["border-style", lineStyle] as const,
    ["border-radius", lengths] as const,
    ["border-collapse", oneOf("collapse", "separate")] as const,
    ["border-spacing", lengths] as const,
    ["table-layout", oneOf("auto", "fixed")] as const,
  ].map(([property, value]) => [property, new RegExp(`^${value}$`, "i")]),
);

/** Longer than any declaration that is allowed: `font-family` with its thirteen names. */
const maxDeclarationLength = 300;

/** What is wrong with the value of a `style`, after "must not contain". Undefined if nothing is. */
export function styleProblem(style: string): string | undefined {
  for (const written of style.split(";")) {
    const declaration = written.trim();
    if (declaration === "") {
      continue;
    }
    const colon = declaration.indexOf(":");
    const property = declaration.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    const allowed = values.get(property);
    if (allowed === undefined) {
      return colon < 0 || !/^[a-z-]{1,40}$/.test(property)
        ? "a style that is not a list of declarations"
        : `the style ${property}`;
    }
    const value = declaration.slice(colon + 1).trim();
    if (value.length > maxDeclarationLength || !allowed.test(value)) {
      return `this value of the style ${property}`;
    }
  }
  return undefined;
}
