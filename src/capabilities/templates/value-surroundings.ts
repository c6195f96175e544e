import { fillIn, type PlaceholderName, type TextParts } from "../channels/own-texts/message-template.ts";

/** Stands for a value with digits. */
export const value = "\ue000";

export const hanDigits = "〇零一二三四五六七八九壹贰貳叁參肆伍陆陸柒捌玖";
/** Digits of any script and in circles, and those of Chinese. */
const digit = String.raw`\p{N}${hanDigits}${value}`;

/** Letters of scripts that write words without spaces between them, or endings at numbers. Without those that look like a zero. */
const spaceless = String.raw`(?![\u1101-\u11ff\u3130-\u318f口囗ဝ])[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}]`;
const letter = String.raw`(?!${spaceless})[\p{L}\p{M}]`;

/** What makes a larger, smaller or negative number of one. Arrows, lines and the like do not. */
const sign = String.raw`(?![=|~<>\u2190-\u21ff])[%‰٪\p{Pd}\p{Sc}\p{Sm}]`;
/** Other characters of no letter and no digit: blanks, punctuation, signs. */
const gap = String.raw`[^\p{L}\p{M}${digit}]`;
/** Circles look like zeros. */
const circle = String.raw`[⭕⚪]|(?!\p{Extended_Pictographic})\p{So}`;

/** Nothing that a number goes on with may stand directly before a value, and no number that only blanks and signs keep apart. `Check24` is a word. */
const before = new RegExp(
  String.raw`(?:${letter}|(?<!\.)[.,]|${sign}|(?:[${value}]|(?<!${letter}\p{N}*)\p{N}|(?<![\p{L}\p{N}])[${hanDigits}])${gap}*|[${digit}])$`,
  "u",
);
/** As in `Step 2: `, `Help: +49 30 901820. `: the number has a word before it, and a sign that ends it. */
const endedBefore = new RegExp(String.raw`[\p{L}\p{M}](?:${gap}|[${digit}])*[:;.!?。]\s+$`, "u");
/** A number that letters follow at once is a word: `5min`, `五分钟`. */
const numberAlone = String.raw`[${digit}]+(?![${digit}\p{L}])`;
/** After a full stop, in brackets and the like, a number may have its word after a blank: `. 5 minutes`, `(24/7 help)`. */
const separated = String.raw`(?=${gap}*[\s\p{Ps}、。・])(?=\s*[^\s${digit}])${gap}+`;
const after = new RegExp(
  String.raw`^(?:${letter}|[口囗ဝ\u1101-\u11ff\u3130-\u318f]|${sign}|${circle}|[.,](?=${letter}|${sign}|${circle})|[${digit}]|\s+${numberAlone}|${separated}[${digit}](?!(?:${gap}|[${digit}])*\p{L})|(?!\s|${gap}*[\s\p{Ps}、。・])${gap}+[${digit}])`,
  "u",
);

/** A minus with a blank. After a word it is a dash. */
const minus = /(?:^|[:([=]\s*)[+\p{Pd}−]\s{1,2}$/u;
/** Signs of Chinese and Korean that multiply a number. */
export const multipliers = "十百千万萬億亿兆仟佰拾廿卅십백천만억조";
/** Multipliers that are joined to a number, or stand alone after it. */
const multiplier = `(?:[${multipliers}]|ล้าน|แสน|ລ້ານ|លាន|သန်း)`;
const multiplied = new RegExp(String.raw`^(?:${multiplier}|\s+${multiplier}+(?!\p{L}))`, "u");

/** As much as somebody reads together with a number. */
const reach = 32;

/** Other values beside one: a number, or a name, which can be one. */
const neighbours: Readonly<Record<PlaceholderName, string>> = {
  code: value,
  minutes: value,
  amount: value,
  time: `${value} x`,
  brand: "x",
  payee: "x",
};

/**
 * The first of a line's codes and amounts that somebody would read as another one by mistake, because of what stands beside it: `9{{code}}`,
 * `{{amount}}00`. It is returned with this; undefined: none. Words are not judged.
 */
export function alteredValue(
  line: TextParts,
): { readonly placeholder: "code" | "amount"; readonly found: string } | undefined {
  for (const [index, part] of line.entries()) {
    if (typeof part === "string" || (part.placeholder !== "code" && part.placeholder !== "amount")) {
      continue;
    }
    const [lefts, rights] = [
      line.slice(Math.max(0, index - 4), index).map(end),
      line.slice(index + 1, index + 5).map(start),
    ];
    // A time ends with a word.
    const left = fill(lefts, (name) => (name === "time" ? "x" : neighbours[name])).slice(-reach);
    const right = fill(rights, (name) => neighbours[name]).slice(0, reach);
    const isAmount = part.placeholder === "amount";
    const isAltered =
      (before.test(left) && !endedBefore.test(left)) ||
      after.test(right) ||
      (isAmount && (minus.test(left) || multiplied.test(right)));
    if (isAltered) {
      const shown = (parts: TextParts) => fillIn(parts, (name) => `{{${name}}}`);
      const found = `${shown(lefts).slice(-reach)}{{${part.placeholder}}}${shown(rights).slice(0, reach)}`;
      return { placeholder: part.placeholder, found: found.trim() };
    }
  }
  return undefined;
}

// Commas and colons of Chinese are as wide as a blank, and in no number.
const fill = (parts: TextParts, write: (name: PlaceholderName) => string) =>
  fillIn(parts, write).replace(/，/g, "、").replace(/：/g, ": ").normalize("NFKC");
const end = (part: TextParts[number]) => (typeof part === "string" ? part.slice(-reach) : part);
const start = (part: TextParts[number]) => (typeof part === "string" ? part.slice(0, reach) : part);
