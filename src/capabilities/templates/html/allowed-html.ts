import { type Kind, maxBorder, styleProblem } from "./style-rules.ts";

interface AllowedElement {
  readonly kind: Kind;
  /** What may stand in it. Undefined: nothing, and it has no end. */
  readonly children: readonly Kind[] | undefined;
  /** Whether text may stand in it. */
  readonly hasText: boolean;
  readonly attributes: readonly string[];
}

const inlineOnly: readonly Kind[] = ["inline", "picture"];
/** What may stand in the body itself, too. */
export const flow: readonly Kind[] = ["block", "inline", "picture", "table", "list"];

const text = (kind: Kind, children: readonly Kind[], attributes: readonly string[] = []): AllowedElement => ({
  kind,
  children,
  hasText: true,
  attributes,
});
const structure = (kind: Kind, children: readonly Kind[], attributes: readonly string[] = []): AllowedElement => ({
  kind,
  children,
  hasText: false,
  attributes,
});
const empty = (kind: Kind, attributes: readonly string[] = []): AllowedElement => ({
  kind,
  children: undefined,
  hasText: false,
  attributes,
});

const ofCells = ["align", "valign", "bgcolor"];
const inlineNames = ["b", "bdi", "code", "em", "i", "small", "span", "strong", "u"];

/**
 * The elements of templates. Nested as it is said here, every program builds the same tree of them (HTML §13.2.6). None strikes text out
 * (`s`), moves it from its line (`sup`) or from its place among rows (`thead`, `tfoot`), or has signs beside its box (`ol`).
 */
export const allowedElements: ReadonlyMap<string, AllowedElement> = new Map([
  ...inlineNames.map((name) => [name, text("inline", inlineOnly)] as const),
  ["br", empty("inline")] as const,
  ["img", empty("picture", ["src", "alt", "width", "height"])] as const,
  ["hr", empty("block")] as const,
  ...["p", "h1", "h2", "h3"].map((name) => [name, text("block", inlineOnly, ["align"])] as const),
  ["div", text("block", flow, ["align"])] as const,
  ["blockquote", text("block", flow)] as const,
  ["ul", structure("list", ["item"])] as const,
  ["li", text("item", flow)] as const,
  [
    "table",
    structure("table", ["section", "row"], ["align", "width", "bgcolor", "border", "cellpadding", "cellspacing"]),
  ] as const,
  ["tbody", structure("section", ["row"], ofCells)] as const,
  ["tr", structure("row", ["cell"], ofCells)] as const,
  ...["td", "th"].map((name) => [name, text("cell", flow, ofCells)] as const),
]);

/** Attributes that every element may have. */
const globalAttributes = ["style", "dir", "lang", "role"];

const matches = (pattern: RegExp, takes?: string) => (value: string) =>
  pattern.test(value) ? undefined : takes === undefined ? "" : `: it takes ${takes}`;
const from = (min: number, max: number) => (value: string) =>
  /^\d{1,3}$/.test(value) && Number(value) >= min && Number(value) <= max ? undefined : `: it takes ${min} to ${max}`;
const upTo = (max: number) => from(0, max);

/** What is wrong with a value, after "must not contain"; after a colon, what the attribute takes; or empty. Undefined if nothing is. */
const valueProblems: ReadonlyMap<string, (value: string) => string | undefined> = new Map<
  string,
  (value: string) => string | undefined
>([
  ["dir", matches(/^(?:ltr|rtl|auto)$/i)],
  ["lang", matches(/^[a-z]{2,8}(?:-[a-z0-9]{1,8}){0,3}$/i)],
  ["role", matches(/^(?:presentation|none)$/i)],
  ["align", matches(/^(?:left|right|center|justify)$/i)],
  ["valign", matches(/^(?:top|middle|bottom|baseline)$/i)],
  // Of the logo: a smaller one is not seen to be there.
  ["width", from(16, 480)],
  ["height", from(16, 160)],
  ["bgcolor", matches(/^#[0-9a-f]{6}$/i)],
  ["border", upTo(maxBorder)],
  ["cellpadding", upTo(48)],
  ["cellspacing", upTo(8)],
  [
    "src",
    (value) => (value === "cid:logo" ? undefined : 'a picture from elsewhere: the only one is <img src="cid:logo">'),
  ],
  ["alt", () => undefined],
]);

/** Of tables, where they are not what they are elsewhere: one at the left or right would be beside the text after it. */
const problemsInTables: typeof valueProblems = new Map([
  ["align", matches(/^center$/i, "center in <table>")],
  ["width", matches(/^100%$/, "100% in <table>")],
]);

/** Whether an element may have an attribute. */
export function isAllowedAttribute(element: string, attribute: string): boolean {
  // The bullet of an item stands where its list has a space for it.
  const isGlobal = globalAttributes.includes(attribute) && !(element === "li" && attribute === "dir");
  return isGlobal || allowedElements.get(element)?.attributes.includes(attribute) === true;
}

/** What is wrong with the value of an attribute, after "must not contain". Undefined if nothing is. */
export function attributeProblem(element: string, attribute: string, value: string): string | undefined {
  if (/[{}]/.test(value)) {
    return `placeholders in attributes, as in ${attribute}`;
  }
  if (attribute !== "alt" && value.includes("&")) {
    return `character references in the attribute ${attribute}`;
  }
  // Letters such as the Kelvin sign are others in lower case, and some programs take them for those.
  if (attribute !== "alt" && /[^\t\r\n\x20-\x7e]/.test(value)) {
    return `characters other than ASCII in the attribute ${attribute}`;
  }
  if (attribute === "style") {
    return styleProblem(element, allowedElements.get(element)?.kind ?? "inline", value);
  }
  const ofTable = element === "table" ? problemsInTables.get(attribute) : undefined;
  const problem = (ofTable ?? valueProblems.get(attribute))?.(value);
  return problem === "" || problem?.startsWith(":") === true
    ? `this value of the attribute ${attribute}${problem}`
    : problem;
}
