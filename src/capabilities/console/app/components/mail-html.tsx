import { useEffect, useRef } from "react";
import styles from "./message-picture.module.css";

/**
 * Shows the HTML of a mail, in a tree of its own that neither takes styles of the console nor gives it any. The page's content security policy
 * forbids inline styles, so that they are set one by one; it keeps scripts and everything of other hosts out.
 */
export function MailHtml({ html }: { readonly html: string }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = host.current;
    if (element === null) {
      return;
    }
    const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
    const mail = new DOMParser().parseFromString(withoutStyles(html), "text/html");
    root.adoptedStyleSheets = [...mail.querySelectorAll(styleElement)].map(({ textContent }) => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(textContent ?? "");
      return sheet;
    });
    const copy = copyOf(mail.body, "div");
    copy.dir = mail.documentElement.dir;
    copy.lang = mail.documentElement.lang;
    root.replaceChildren(copy);
  }, [html]);
  return <div ref={host} className={styles.mail} />;
}

/** The browser reports styles of a parsed text as forbidden, even if they are never shown: they are parsed under other names. */
const styleElement = "mail-style";
const styleAttribute = "data-mail-style";

function withoutStyles(html: string): string {
  return html
    .replaceAll(/<(\/?)style\b/gi, `<$1${styleElement}`)
    .replaceAll(/<[a-z][^<>]*>/gi, (tag) => tag.replaceAll(/\sstyle=/gi, ` ${styleAttribute}=`));
}

const leftOut = new Set(["script", styleElement, "iframe", "object", "embed", "form", "base", "meta", "link"]);

function copyOf(source: Element, name = source.localName): HTMLElement {
  const copy = document.createElement(name);
  for (const { name: attribute, value } of source.attributes) {
    if (attribute === styleAttribute) {
      copy.style.cssText = value;
    } else if (!attribute.startsWith("on") && !(attribute === "href" && !/^(https?|mailto):/.test(value))) {
      copy.setAttribute(attribute, value);
    }
  }
  if (copy instanceof HTMLAnchorElement) {
    copy.target = "_blank";
    copy.rel = "noreferrer";
  }
  for (const node of source.childNodes) {
    if (node instanceof Element) {
      if (!leftOut.has(node.localName)) {
        copy.append(copyOf(node));
      }
    } else if (node.nodeType === Node.TEXT_NODE) {
      copy.append(node.textContent ?? "");
    }
  }
  return copy;
}
