import { styleProblem } from "./style-rules.ts";

/** Where an element may stand, and what may stand in it. */
type Kind = "block" | "inline" | "table" | "section" | "row" | "cell" | "list" | "item";

interface AllowedElement {
  readonly kind: Kind;
  /** What may stand in it. Undefined: nothing, and it has no end. */
  readonly children: readonly Kind[] | undefined;
  /** Whether text may stand in it. */
  readonly hasText: boolean;
  readonly attributes: readonly string[];
}

const inlineOnly: readonly Kind[] = ["inline"];
/** What may stand in the body itself, too. */
export const flow: readonly Kind[] = ["block", "inline", "table", "list"];

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

const ofCells = ["align", "valign", "width", "height", "bgcolor", "colspan"];
const ofRows = ["align", "valign", "bgcolor"];
const inlineNames = ["b", "bdi", "code", "em", "i", "s", "small", "span", "strong", "sub", "sup", "u"];

/** The elements of templates. Nested as it is said here, every program builds the same tree of them (HTML §13.2.6). */
export const allowedElements: ReadonlyMap<string, AllowedElement> = new Map([
  ...inlineNames.map((name) => [name, text("inline", inlineOnly)] as const),
  ["br", empty("inline")] as const,
  ["img", empty("inline", ["src", "alt", "width", "height"])] as const,
  ["hr", empty("block", ["width", "align"])] as const,
  ...["p", "h1", "h2", "h3"].map((name) => [name, text("block", inlineOnly, ["align"])] as const),
  ["div", text("block", flow, ["align"])] as const,
  ["blockquote", text("block", flow)] as const,
  ["ul", structure("list", ["item"])] as const,
  ["ol", structure("list", ["item"])] as const,
  ["li", text("item", flow)] as const,
  [
    "table",
    structure(
      "table",
      ["section", "row"],
      ["align", "width", "height", "bgcolor", "border", "cellpadding", "cellspacing"],
    ),
  ] as const,
  ...["thead", "tbody", "tfoot"].map((name) => [name, structure("section", ["row"], ofRows)] as const),
  ["tr", structure("row", ["cell"], ofRows)] as const,
  ...["td", "th"].map((name) => [name, text("cell", flow, ofCells)] as const),
]);

/** Attributes that every element may have. */
const globalAttributes = ["style", "dir", "lang", "role"];

const matches = (pattern: RegExp) => (value: string) => (pattern.test(value) ? undefined : "");
const size = matches(/^(?:\d{1,3}|\d{1,2}%|100%)$/);
const pixels = matches(/^\d{1,2}$/);
const span = matches(/^(?:[1-9]|1\d|20)$/);

/** What is wrong with a value, after "must not contain"; empty if only the attribute can be named. Undefined if nothing is. */
const valueProblems: ReadonlyMap<string, (value: string) => string | undefined> = new Map<
  string,
  (value: string) => string | undefined
>([
  ["dir", matches(/^(?:ltr|rtl|auto)$/i)],
  ["lang", matches(/^[a-z]{2,8}(?:-[a-z0-9]{1,8}){0,3}$/i)],
  ["role", matches(/^(?:presentation|none)$/i)],
  ["align", matches(/^(?:left|right|center|justify)$/i)],
  ["valign", matches(/^(?:top|middle|bottom|baseline)$/i)],
  ["width", size],
  ["height", size],
  ["bgcolor", matches(/^#[0-9a-f]{6}$/i)],
  ["border", pixels],
  ["cellpadding", pixels],
  ["cellspacing", pixels],
  ["colspan", span],
  [
    "src",
    (value) => (value === "cid:logo" ? undefined : 'a picture from elsewhere: the only one is <img src="cid:logo">'),
  ],
  ["alt", () => undefined],
]);

/** Whether an element may have an attribute. */
export function isAllowedAttribute(element: string, attribute: string): boolean {
  return globalAttributes.includes(attribute) || allowedElements.get(element)?.attributes.includes(attribute) === true;
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
  const problem = attribute === "style" ? styleProblem(element, value) : valueProblems.get(attribute)?.(value);
  return problem === "" ? `this value of the attribute ${attribute}` : problem;
}
