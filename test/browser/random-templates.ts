/** HTML of templates from a seed: elements nested at random, with any style that one of them may have, in small and in its extremes. */
export function randomTemplate(seed: number): string {
  const random = numbersFrom(seed);
  const oneOf = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)] as Value;
  const maybe = (share: number, make: () => string) => (random() < share ? make() : "");
  const pixels = (max: number) => `${oneOf([0, 1, Math.ceil(max / 4), Math.ceil(max / 2), max])}px`;
  const colors = oneOf([
    { text: "#14171a", backgrounds: ["#ffffff", "#ffeecc", "transparent"] },
    { text: "#ffffff", backgrounds: ["#102030", "#000000", "#303030"] },
  ]);
  const letters = () => [
    maybe(0.2, () => `font-size: ${oneOf([9, 16, 48])}px`),
    maybe(0.2, () => `line-height: ${oneOf(["normal", "1", "1.25", "2"])}`),
    maybe(0.1, () => `letter-spacing: ${pixels(8)}`),
    maybe(0.2, () => `font-family: ${oneOf(["'Courier New', monospace", "Georgia, serif", "Verdana"])}`),
    maybe(0.1, () => "text-transform: uppercase"),
    maybe(0.1, () => "text-decoration: underline"),
    maybe(0.1, () => "font-style: italic"),
  ];
  const paragraph = () => [
    ...letters(),
    maybe(0.3, () => `text-align: ${oneOf(["left", "right", "center", "justify"])}`),
    maybe(0.4, () => `background-color: ${oneOf(colors.backgrounds)}; color: ${colors.text}`),
  ];
  const border = () => maybe(0.2, () => `border${oneOf(["", "-left", "-top"])}: ${pixels(4)} solid #c00`);
  const space = () => oneOf([pixels(48), `${pixels(48)} ${pixels(48)}`, "0", "8px"]);
  const block = () => [
    ...paragraph(),
    maybe(0.3, () => `margin: ${oneOf(["auto", space()])}`),
    maybe(0.3, () => `padding: ${space()}`),
    maybe(0.2, () => `max-width: ${oneOf([96, 160, 480])}px`),
    border(),
  ];
  const styled = (name: string, declarations: readonly string[], inside: string, attributes = "") => {
    const style = declarations.filter((declaration) => declaration !== "").join("; ");
    const direction = name === "li" ? "" : maybe(0.05, () => ' dir="rtl"');
    return `<${name}${attributes}${direction}${style === "" ? "" : ` style="${style}"`}>${inside}</${name}>`;
  };
  const times = (most: number, make: () => string) =>
    Array.from({ length: 1 + Math.floor(random() * most) }, make).join(" ");
  const inline = (depth: number): string =>
    depth === 0 || random() < 0.5
      ? `§${maybe(0.1, () => "<br>")}`
      : styled(oneOf(["span", "b", "em", "u", "small", "code"]), letters(), inlines(depth - 1));
  // There is one at most, and nothing beside it.
  let hasLogo = false;
  const logo = () => {
    if (hasLogo) {
      return "§";
    }
    hasLogo = true;
    const size = `width="${oneOf([16, 40, 120, 288])}" height="${oneOf([16, 40, 160])}"`;
    return `<p><img src="cid:logo" alt="" ${size}${maybe(0.5, () => ' style="display: block"')}></p>§`;
  };
  const inlines = (depth: number) => times(3, () => inline(depth));
  const flow = (depth: number): string =>
    depth === 0
      ? inlines(1)
      : oneOf([
          () => inlines(2),
          () => styled(oneOf(["p", "h1", "h2", "h3"]), block(), inlines(2)),
          () => styled(oneOf(["div", "blockquote"]), block(), flows(depth - 1)),
          () => styled("ul", paragraph(), styled("li", block(), flows(depth - 1))),
          () => table(depth - 1),
          logo,
          () => '<hr style="margin: 8px 0; border: 1px solid #ccc">§',
        ])();
  const flows = (depth: number) => times(3, () => flow(depth));
  const table = (depth: number) => {
    const columns = oneOf([1, 1, 2, 3]);
    const cell = () => {
      const style = [...paragraph(), maybe(0.3, () => `padding: ${space()}`), border()];
      return styled("td", style, flows(depth), ` valign="${oneOf(["top", "middle", "bottom"])}"`);
    };
    const row = () => `<tr>${Array.from({ length: columns }, cell).join("")}</tr>`;
    const style = [
      ...paragraph(),
      columns > 1 ? "table-layout: fixed" : "",
      maybe(0.2, () => `border-spacing: ${pixels(8)}`),
      maybe(0.2, () => "border-collapse: collapse"),
      maybe(0.2, () => "margin: 8px auto"),
      maybe(0.2, () => `max-width: ${oneOf([240, 400])}px`),
      border(),
    ];
    const whole = columns > 1 ? ' width="100%"' : maybe(0.5, () => ' width="100%"');
    const cells = maybe(0.5, () => ` cellpadding="${oneOf([0, 4, 16])}" cellspacing="${oneOf([0, 8])}"`);
    return styled("table", style, times(3, row), `${whole}${cells}`);
  };
  return withTexts(`${flows(4)} § § §`, oneOf);
}

const words = [
  "Hello",
  "Your code for the shop is here, and is good for some minutes.",
  "W".repeat(60),
  "&nbsp;",
  "字字字",
];

/** Puts the values at three of the places for texts, and words at the others. */
function withTexts(html: string, oneOf: <Value>(values: readonly Value[]) => Value): string {
  const places = html.split("§").length - 1;
  const values = new Map<number, string>();
  for (const name of ["code", "payee", "amount"]) {
    const free = Array.from({ length: places }, (_, place) => place).filter((place) => !values.has(place));
    values.set(oneOf(free), `{{${name}}}`);
  }
  let place = 0;
  return html.replaceAll("§", () => values.get(place++) ?? oneOf(words));
}

/** Numbers from 0 to 1, the same for a seed: mulberry32. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
