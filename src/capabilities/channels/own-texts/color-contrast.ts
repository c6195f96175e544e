/** The contrast of two colors of the form `#rrggbb`, from 1 to 21 (WCAG 2, "contrast ratio"). */
export function contrastOf(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** Black or white, whichever can be read better on this color. */
export function readableOn(color: string): "#000000" | "#ffffff" {
  return contrastOf(color, "#000000") >= contrastOf(color, "#ffffff") ? "#000000" : "#ffffff";
}

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
