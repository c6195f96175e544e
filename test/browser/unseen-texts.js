/** Runs in the page: says of texts that they stand somewhere, and what is wrong with how each of their letters is seen. */
globalThis.findUnseenTexts = (texts) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

  function luminanceOf(color) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    const linear = (value) => (value <= 10 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return alpha === 0 ? undefined : 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  }

  function contrastOf(element) {
    let behind;
    for (let current = element; current !== null && behind === undefined; current = current.parentElement) {
      behind = luminanceOf(getComputedStyle(current).backgroundColor);
    }
    const levels = [luminanceOf(getComputedStyle(element).color), behind ?? 1];
    return (Math.max(...levels) + 0.05) / (Math.min(...levels) + 0.05);
  }

  function problemOf(node, index) {
    const letter = document.createRange();
    letter.setStart(node, index);
    letter.setEnd(node, index + 1);
    const before = letter.getBoundingClientRect();
    scrollTo(0, before.top + scrollY - innerHeight / 2);
    const { left, right, top, bottom, width, height } = letter.getBoundingClientRect();
    if (width < 2 || height < 9) {
      return `is ${width} by ${height} pixels`;
    }
    if (left < 0 || right > innerWidth) {
      return `stands from ${left} to ${right}`;
    }
    const onTop = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    // What is around a letter is painted before it.
    return onTop?.contains(node) ? undefined : `is below ${onTop?.outerHTML.slice(0, 100)}`;
  }

  return texts.flatMap((text) => {
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      if (walker.currentNode.data.trim() === text) {
        found.push(walker.currentNode);
      }
    }
    if (found.length === 0) {
      return [`${text} is not there`];
    }
    return found.flatMap((node) => {
      const range = document.createRange();
      range.selectNode(node);
      const top = range.getBoundingClientRect().top + scrollY;
      const letters = [...node.data].flatMap((letter, index) => (letter.trim() === "" ? [] : [problemOf(node, index)]));
      const contrast = contrastOf(node.parentElement);
      return [
        ...letters,
        contrast < 3 ? `has a contrast of ${contrast}` : undefined,
        top > 2_600 ? `stands at ${top}` : undefined,
        // Half of a border that cells share is outside of its table.
        document.documentElement.scrollWidth > innerWidth + 2
          ? `${document.documentElement.scrollWidth} wide`
          : undefined,
      ].flatMap((problem) => (problem === undefined ? [] : [`${text} ${problem}`]));
    });
  });
};
