/** The CSS that an element of a template may have: what colors, sizes, spaces and borders need. No function, and so no address, is among it. */

const textColor = "(?:#[0-9a-f]{3}|#[0-9a-f]{6}|white|black)";
const color = `(?:${textColor}|transparent)`;
const number = String.raw`\d{1,3}(?:\.\d{1,3})?`;
const length = `(?:0|${number}(?:px|pt|em|rem|%))`;
/** Not so long that a text leaves the window. */
const space = String.raw`(?:0|\d{1,2}(?:\.\d{1,3})?(?:px|pt)|\d(?:\.\d{1,3})?r?em|[1-4]?\d%)`;
const spaces = `${space}(?: ${space}){0,3}`;
const lineStyle = "(?:none|solid|dashed|dotted|double)";
const borderPart = `(?:${space}|${lineStyle}|${color})`;
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
    ["color", textColor] as const,
    ["background-color", color] as const,
    ["font-family", fonts] as const,
    ["font-size", length] as const,
    ["font-weight", oneOf("normal", "bold", "[1-9]00")] as const,
    ["font-style", oneOf("normal", "italic")] as const,
    ["line-height", oneOf("normal", number, length)] as const,
    ["letter-spacing", oneOf("normal", String.raw`0|1?\d(?:\.\d{1,3})?px|0?\.\d{1,3}em`)] as const,
    ["text-align", oneOf("left", "right", "center", "justify", "start", "end")] as const,
    ["text-decoration", oneOf("none", "underline", "line-through")] as const,
    ["text-transform", oneOf("none", "uppercase", "lowercase", "capitalize")] as const,
    ["vertical-align", oneOf("top", "middle", "bottom", "baseline", "sub", "super")] as const,
    ["white-space", oneOf("normal", "nowrap")] as const,
    ["word-break", oneOf("normal", "break-all", "break-word", "keep-all")] as const,
    ["overflow-wrap", oneOf("normal", "break-word", "anywhere")] as const,
    ["list-style-type", oneOf("none", "disc", "circle", "square", "decimal")] as const,
    ["display", "block"] as const,
    ["direction", oneOf("ltr", "rtl")] as const,
    ["width", oneOf("auto", length)] as const,
    ["min-width", length] as const,
    ["max-width", oneOf("none", length)] as const,
    ["height", oneOf("auto", length)] as const,
    ["padding", spaces] as const,
    ...ofSides("padding", space),
    ["margin", `(?:auto|${space})(?: (?:auto|${space})){0,3}`] as const,
    ...ofSides("margin", oneOf("auto", space)),
    ["border", border] as const,
    ...ofSides("border", border),
    ["border-color", color] as const,
    ...ofSides("border", color, "-color"),
    ["border-width", spaces] as const,
    ["border-style", lineStyle] as const,
    ["border-radius", spaces] as const,
    ["border-collapse", oneOf("collapse", "separate")] as const,
    ["border-spacing", spaces] as const,
    ["table-layout", oneOf("auto", "fixed")] as const,
  ].map(([property, value]) => [property, new RegExp(`^${value}$`, "i")]),
);

/** Longer than any declaration that is allowed: `font-family` with its thirteen names. */
const maxDeclarationLength = 300;

/** What is wrong with the `style` of an element, after "must not contain". Undefined if nothing is. */
export function styleProblem(element: string, style: string): string | undefined {
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
    // Of others it changes which texts stand in one line.
    if (property === "display" && element !== "img") {
      return "the style display, except in <img>";
    }
    const value = declaration.slice(colon + 1).trim();
    if (value.length > maxDeclarationLength || !allowed.test(value)) {
      return `this value of the style ${property}`;
    }
  }
  return undefined;
}

/** The declarations of an allowed style, by property: the last one counts. */
export function declarationsOf(style: string): ReadonlyMap<string, string> {
  const declarations = style.split(";").map((declaration) => declaration.split(":"));
  return new Map(declarations.map(([property = "", value = ""]) => [property.trim().toLowerCase(), value.trim()]));
}
