/** The HTML of a template, as it was read: only elements and attributes that are allowed, and text without references. */
export type HtmlNode = HtmlElement | HtmlText;

export interface HtmlText {
  readonly text: string;
  /** Where it begins in the source. */
  readonly at: number;
}

export interface HtmlElement {
  /** In lower case. */
  readonly name: string;
  /** Their values are without references, too. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly HtmlNode[];
  /** Where it begins in the source. */
  readonly at: number;
}
