/** The numbers in the rules of templates. `test/capabilities/policy.test.ts` compares the schema with them. */

/** Templates of a workspace and mode. */
export const maxTemplates = 100;

/** In characters. */
export const subjectLength = { max: 150 } as const;
export const textLength = { max: 4_000, ofCalls: 500 } as const;

/** A check takes the only thread for up to some 10 ms at this length, and Gmail cuts a mail off after 102 KB. */
export const maxHtmlBytes = 32_768;

/** Placeholders of a text: each may become forty characters. A recipient who is shown the code too often sees nothing else. */
export const maxPlaceholders = 30;
export const maxPlaceholdersOfWord = 5;
export const maxCodes = 3;

/** Characters without a space or a line break. What looks for web addresses reads them together. */
export const maxWordLength = 500;
/** Of a word with placeholders, which is read with many values. */
export const maxWordLengthAtPlaceholders = 120;

export const maxHtmlDepth = 32;

/** Each takes time to be checked. The mails of designers have some two hundred. */
export const maxHtmlTags = 1_500;

export const logo = { maxBytes: 65_536, maxPixels: 2_000 } as const;

/** Of the text with its background (WCAG 2, success criterion 1.4.3). */
export const minContrast = 4.5;

/** Of a text in HTML with the colors that are declared around it: what the criterion asks of large texts. */
export const minContrastInHtml = 3;

/** The size of a text in HTML. */
export const textPixels = { min: 9, max: 48 } as const;

/** Of the layout of HTML in a window of 320 pixels, in pixels. */
export const layoutLimits = {
  /** Within what the server puts around it (`mailDocument`). */
  pageWidth: 288,
  /** Of each box, so that a letter of the greatest size, and a word of the usual one, stands in it. */
  minWidth: 96,
  /** Between two texts. */
  maxGap: 240,
  /** Before the code, the payee and the amount. Estimated from above: about twice what it is. */
  maxHeightBefore: 2_400,
  /** Of cells beside each other. */
  maxRowHeight: 720,
} as const;

/** Remembered by each server: which templates a workspace's mode has, the templates themselves (128 KiB each at most), and which were checked. */
export const maxRememberedLists = 10_000;
export const maxRememberedChecks = 10_000;
export const maxRememberedTemplates = 300;
