/** Runs in the page: finds texts whose contrast with their background is below 4.5 to 1. */
globalThis.findLowContrastTexts = (rootSelector) => {
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

  function rgba(color) {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  }

  function luminance([red, green, blue]) {
    const linear = (value) => (value <= 10 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  }

  function backgroundOf(element) {
    for (let current = element; current !== null; current = current.parentElement) {
      const color = rgba(getComputedStyle(current).backgroundColor);
      if (color[3] === 255) {
        return color;
      }
    }
    return [255, 255, 255];
  }

  function ownText(element) {
    const texts = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    return texts.map((node) => node.textContent.trim()).join(" ");
  }

  function contrastOf(element) {
    const levels = [luminance(rgba(getComputedStyle(element).color)), luminance(backgroundOf(element))];
    return (Math.max(...levels) + 0.05) / (Math.min(...levels) + 0.05);
  }

  return [...document.querySelectorAll(`${rootSelector}, ${rootSelector} *`)]
    .filter((element) => ownText(element).trim() !== "" && element.checkVisibility() && contrastOf(element) < 4.5)
    .map((element) => ({ text: ownText(element), ratio: contrastOf(element) }));
};
