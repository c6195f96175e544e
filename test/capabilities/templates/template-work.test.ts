/** A check of a template takes the only thread: its work is in proportion to the length, and what was checked is not checked again. */
import { expect, test } from "vitest";
import { CheckedTemplates } from "../../../src/capabilities/templates/checked-templates.ts";
import { compileTemplate, type TemplateContent } from "../../../src/capabilities/templates/compile-template.ts";
import { maxHtmlBytes, maxHtmlTags } from "../../../src/capabilities/templates/templates.policy.ts";
import { countedCharacters } from "./counted-characters.ts";

const letter = (index: number) => String.fromCodePoint(0x430 + (index % 32));
/** Another one for each index, so that none is checked for another. */
const word = (index: number) => letter(index) + letter(index >> 5) + letter(index >> 10);
/** As many as a text may have. */
const values = `{{code}} for {{amount}} ${"{{payee}} é é {{brand}} é é ".repeat(14)}`;
const table = '<table width="100%" style="table-layout: fixed">';

/** What is repeated after the values. */
const shapes: Readonly<Record<string, (index: number) => string>> = {
  "the shortest lines": () => "<br>é ",
  lines: (index) => `<br>${word(index)} ab`,
  words: (index) => ` ${word(index)}`,
  "words of plain letters": (index) => ` ${index.toString(36).replace(/\d/g, "x").padStart(3, "x")}`,
  "words with signs": (index) => ` ${word(index)}!(`,
  "words with full stops": (index) => ` ${word(index)}.`,
  "words with @": (index) => ` ${word(index)}@`,
  "words with percents": (index) => ` ${word(index)}%`,
  "words with digits": (index) => ` ${word(index)}12`,
  "words with joiners": (index) => ` ${word(index)}ب\u200cب`,
  "long words": (index) => ` ${word(index).repeat(40)}..`,
  "long words with full stops": (index) => ` ${"x.1".repeat(100)}${word(index)}`,
  "ligatures of eighteen letters": (index) => ` ${"ﷺ".repeat(20)}${word(index)}`,
  "signs alone": () => " (",
  blanks: () => "&nbsp;&nbsp; ",
  Chinese: (index) => `${String.fromCodePoint(0x4e_8c + (index % 1_000)).repeat(3)}。`,
  "elements in each other": (index) => `${"<b>".repeat(30)}${word(index)}${"</b>".repeat(30)}`,
  paragraphs: (index) => `</p><p>${word(index)}`,
  styles: (index) => `</p><p style="margin: 0 0 0 0; padding: 0 0 0 0">${word(index)}`,
  cells: (index) => `</p>${table}<tr><td>${word(index)}</td><td>${word(index + 1)}</td></tr></table><p>`,
  "tables in each other": (index) =>
    `</p>${"<table><tr><td>".repeat(9)}${word(index)}${"</td></tr></table>".repeat(9)}<p>`,
};

const htmlOf = (shape: (index: number) => string, count: number) =>
  `<p>${values}${Array.from({ length: count }, (_, index) => shape(index)).join("")}</p>`;
/** As many pieces as HTML may have, less what is around them. */
const greatestCount = (shape: (index: number) => string) => {
  const tags = shape(0).split("<").length - 1;
  const bytes = Buffer.byteLength(shape(0));
  return Math.floor(Math.min((maxHtmlBytes - 1_000) / bytes, (maxHtmlTags - 10) / tags) / 2) * 2;
};
const contentOf = (html: string): TemplateContent => ({
  subject: undefined,
  text: "{{code}} for {{amount}} {{payee}}",
  html,
  logo: undefined,
  backgroundColor: undefined,
  textColor: undefined,
  accentColor: undefined,
});
const key = { channel: "email", locale: "en" } as const;

test.each(Object.entries(shapes))("HTML of %s takes twice as much work if there is twice as much", (_, shape) => {
  const workFor = (count: number) => {
    const content = contentOf(htmlOf(shape, count));
    let compiled = {};
    const work = countedCharacters(() => {
      compiled = compileTemplate(key, content);
    });
    expect(compiled).toHaveProperty("template");
    return work;
  };
  const greatest = greatestCount(shape);
  const [once, half, whole] = [0, greatest / 2, greatest].map(workFor) as [number, number, number];
  expect(whole - once).toBeLessThan(2.1 * (half - once));
  // As long as it is for what looks for addresses.
  expect(whole).toBeLessThan(150 * htmlOf(shape, greatest).normalize("NFKC").length);
});

test("a stored template that is read again is not checked again, but one that was changed is", () => {
  const templates = new CheckedTemplates();
  const html = htmlOf((index) => ` ${word(index)}!`, 2_000);
  const resultOf = (source: string) => {
    const compiled = templates.compile(key, contentOf(source));
    return "problems" in compiled ? Object.keys(compiled.problems) : compiled.template.html;
  };
  const compiled: unknown[] = [];
  const [checked, again] = [1, 2].map(() => countedCharacters(() => compiled.push(resultOf(html)))) as [number, number];
  expect(again).toBeLessThan(checked / 5);
  expect(compiled[1]).toEqual(compiled[0]);
  expect(resultOf(html.replace("</p>", "www.evil.example</p>"))).toEqual(["html"]);
});
