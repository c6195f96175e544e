/** What the rules of templates let through is seen: nothing lies over the code and the payment, squeezes them or moves them away. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compileTemplate } from "../../src/capabilities/templates/compile-template.ts";
import { goodHtml, goodPaymentHtml } from "../capabilities/templates/hostile-templates.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { launchBrowser, openPage, screenshot } from "./browser.ts";
import { randomTemplate } from "./random-templates.ts";

let app: TestApp;
let browser: Browser;
let key: string;
beforeAll(async () => {
  [app, browser] = await Promise.all([startTestApp(), launchBrowser()]);
  const { session } = await app.signUp();
  const body = { name: "key", mode: "test", scopes: ["templates"] };
  key = (await app.rest("POST", "/api-keys", { session, body })).body.key;
});
afterAll(async () => {
  await browser.close();
  await app[Symbol.asyncDispose]();
});

const script = readFileSync(join(import.meta.dirname, "unseen-texts.js"), "utf8");
const mark = "Test message: it was not sent to anyone.";

/** What is not seen of mails at each width. `name`: of their pictures. */
async function unseenIn(sources: readonly string[], name?: string): Promise<readonly string[]> {
  const logo = (await pictureOf()).toString("base64");
  const mails: string[] = [];
  for (const html of sources) {
    const text = html.includes("{{payee}}") ? "{{code}} {{payee}} {{amount}}" : "{{code}}";
    const body = { text, html, ...(html.includes("cid:logo") ? { logo } : {}) };
    const preview = await app.rest("POST", "/templates/email/en/preview", { key, body });
    expect([html, preview.status, preview.body.error?.fields]).toEqual([html, 200, undefined]);
    mails.push(preview.body.html);
  }
  const found: string[] = [];
  for (const width of [320, 390, 1200]) {
    await using watched = await openPage(browser, { width, height: 844 });
    const { page } = watched;
    for (const [index, mail] of mails.entries()) {
      const texts = [mark, "123456", ...(sources[index]?.includes("{{payee}}") ? ["Example Books", "€249.90"] : [])];
      await page.setContent(mail);
      const problems = await page.evaluate<string[]>(`${script}\nfindUnseenTexts(${JSON.stringify(texts)})`);
      found.push(...problems.map((problem) => `${width} px: ${problem}\n${sources[index]}`));
      if (name !== undefined) {
        await page.evaluate("scrollTo(0, 0)");
        await screenshot(page, `template-${name}-${index}-${width}`);
      }
    }
  }
  return found;
}

/** A logo of one color, which would hide whatever it lies over. */
async function pictureOf(): Promise<Buffer> {
  await using watched = await openPage(browser, { width: 120, height: 40 });
  await watched.page.setContent('<body style="background: #0b5fff">');
  return await watched.page.screenshot();
}

test("the code, the payment and the mark of the sandbox are seen in what designers write", async () => {
  expect(await unseenIn([...goodHtml, goodPaymentHtml], "good")).toEqual([]);
});

test("they are seen in whatever is accepted", async () => {
  const accepted = Array.from({ length: 1_500 }, (_, seed) => randomTemplate(seed)).filter(isAccepted);
  // Most have no table, and some are nothing but a few words.
  const withTables = accepted.filter((html) => html.includes("<td")).slice(0, 24);
  const others = accepted.filter((html) => html.length > 400 && !withTables.includes(html)).slice(0, 24);
  expect([withTables.length, others.length]).toEqual([24, 24]);
  expect(await unseenIn([...withTables, ...others])).toEqual([]);
}, 240_000);

test("what lies over them is found, so that the tests above mean something", async () => {
  await using watched = await openPage(browser, { width: 390 });
  const unseen = async (html: string) => {
    await watched.page.setContent(`<!doctype html><body style="line-height: 24px">${html}`);
    return watched.page.evaluate<string[]>(`${script}\nfindUnseenTexts(["123456"])`);
  };
  const after = '<div><span style="background-color: #fff">A text over it</span></div>';
  expect(await unseen(`<div style="height: 0">123456</div>${after}`)).toContainEqual(
    expect.stringContaining("is below"),
  );
  expect(await unseen('<p style="margin-left: 380px">123456</p>')).toContainEqual(
    expect.stringContaining("stands from"),
  );
  expect(await unseen('<p style="color: #eee">123456</p>')).toContainEqual(expect.stringContaining("a contrast of"));
  expect(await unseen(`${"<br>".repeat(300)}123456`)).toContainEqual(expect.stringContaining("stands at"));
  expect(await unseen("<p>123456</p>")).toEqual([]);
});

function isAccepted(html: string): boolean {
  const content = {
    text: "{{code}} {{payee}} {{amount}}",
    html,
    subject: undefined,
    logo: undefined,
    backgroundColor: undefined,
    textColor: undefined,
    accentColor: undefined,
  };
  const compiled = compileTemplate({ channel: "email", locale: "en" }, content);
  const problems = "problems" in compiled ? compiled.problems : {};
  return Object.values(problems).every((problem) => problem.includes("without a logo"));
}
