// SPDX-License-Identifier: GPL-2.0-only
import type { TextLine } from "../text/lines.ts";
import { charsetOf } from "./charset.ts";
import type { LineBuilder } from "./line-builder.ts";
import { createLineBuilder } from "./line-builder.ts";

const opening = /^\s*(?:<!doctype html\b|<html\b|<\?xml\b|<!--)/i;
const markup = /<(?:html|body|pre)\b/i;
const searched = 1 << 16;

/** True for a page of a web archive. */
export const looksLikeHtml = (text: string): boolean => opening.test(text.slice(0, 1000)) && markup.test(text.slice(0, searched));

const entities: ReadonlyMap<string, number> = new Map([["lt", 60], ["gt", 62], ["amp", 38], ["quot", 34], ["apos", 39], ["nbsp", 32]]);
/** Tags that end a line where they stand inside one; all others mark up words. */
const blocks = new Set(["p", "div", "li", "ul", "ol", "dl", "dt", "dd", "tr", "table", "h1", "h2", "h3", "h4", "body", "html", "blockquote"]);
/** Tags that also part what is above from what is below, as the header of a mail from its body. */
const rulers = new Set(["hr", "pre"]);
/** Elements whose content nobody sees. */
const hiddenEnd: Readonly<Record<string, RegExp>> = { script: /<\/script/gi, style: /<\/style/gi, title: /<\/title/gi };

interface Page {
  readonly builder: LineBuilder;
  /** `comment`, `tag`, or the name of the hidden element that is open; null in text. */
  inside: string | null;
  /** What was read of the open tag. */
  tag: string;
  /** A tag has just ended a line, so that the line break behind it ends none. */
  hasEnded: boolean;
}

const isSpace = (text: string): boolean => text.trim() === "";

const closeTag = (page: Page, at: number): void => {
  const [, slash, name = ""] = /^(\/?)([a-z][a-z0-9]*)/i.exec(page.tag) ?? [];
  const tag = name.toLowerCase();
  page.inside = Object.hasOwn(hiddenEnd, tag) && slash === "" ? tag : null;
  const isBlock = blocks.has(tag) || rulers.has(tag);
  if (!isBlock && tag !== "br") return;
  if (tag === "br" || !page.builder.isEmpty()) page.builder.endLine(at);
  if (rulers.has(tag)) page.builder.endLine(at);
  page.hasEnded = true;
};

const putText = (page: Page, unit: number, at: number): void => {
  page.builder.putUnit(unit, at);
  page.hasEnded = false;
};

/** The character that stands for `&name;` at `at`, and the length of that; null where there is none. */
const entityAt = (text: string, at: number): { readonly units: string; readonly length: number } | null => {
  const name = /^[#0-9A-Za-z]{1,9}(?=;)/.exec(text.slice(at + 1, at + 11))?.[0];
  if (name === undefined) return null;
  const known = entities.get(name.toLowerCase());
  const [, hex, decimal] = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(name) ?? [];
  const code = known ?? (hex === undefined ? Number(decimal ?? Number.NaN) : Number.parseInt(hex, 16));
  if (!(code >= 9 && code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff)) return null;
  return { units: code === 160 ? " " : String.fromCodePoint(code), length: name.length + 2 };
};

/** Takes the characters of one line from `from` on, as far as one step leads; returns where the next begins. */
const step = (page: Page, line: TextLine, from: number): number => {
  const { text, start } = line;
  if (page.inside === "comment") {
    const end = text.indexOf("-->", from);
    if (end >= 0) page.inside = null;
    return end < 0 ? text.length : end + 3;
  }
  if (page.inside === "tag") {
    const end = text.indexOf(">", from);
    page.tag += text.slice(from, end < 0 ? text.length : end).slice(0, 100 - page.tag.length);
    if (end >= 0) closeTag(page, start + end + 1);
    return end < 0 ? text.length : end + 1;
  }
  if (page.inside !== null) {
    const closing = hiddenEnd[page.inside]!;
    closing.lastIndex = from;
    const end = closing.exec(text)?.index ?? text.length;
    if (end < text.length) page.inside = null;
    return end;
  }
  if (text.startsWith("<!--", from)) {
    page.inside = "comment";
    return from + 4;
  }
  if (/^<(?:[a-z/!?])/i.test(text.slice(from, from + 2))) {
    page.inside = "tag";
    page.tag = "";
    return from + 1;
  }
  const entity = text[from] === "&" ? entityAt(text, from) : null;
  if (entity === null) putText(page, text.charCodeAt(from), start + from);
  else for (let at = 0; at < entity.units.length; at += 1) putText(page, entity.units.charCodeAt(at), start + from);
  return from + (entity?.length ?? 1);
};

/** The text of a page, line by line, without its markup. Each character keeps its place in the document. */
export const linesOfHtml = (lines: readonly TextLine[]): readonly TextLine[] => {
  const builder = createLineBuilder(charsetOf(null));
  const page: Page = { builder, inside: null, tag: "", hasEnded: false };
  for (const line of lines) {
    builder.enter(line);
    for (let at = 0; at < line.text.length; ) at = step(page, line, at);
    if (page.inside !== null) continue;
    if (page.hasEnded) page.hasEnded = false;
    else builder.endLine(line.start + line.text.length);
  }
  if (!builder.isEmpty()) builder.endLine((lines.at(-1)?.start ?? 0) + (lines.at(-1)?.text.length ?? 0));
  return builder.lines.slice(mailStart(builder.lines));
};

/** Lines of navigation above the header of the mail. */
const mostNavigation = 200;

/** Index of the first line of the mail's header: the navigation above it would hide that from its reader. */
const mailStart = (lines: readonly TextLine[]): number => {
  const top = lines.slice(0, mostNavigation);
  const field = top.findIndex((line) => /^Subject: *\S/.test(line.text));
  if (field >= 0) return field;
  const from = top.findIndex((line) => /^From: *\S/.test(line.text));
  // Some archives print the subject as a heading, and the other fields below it.
  const subject = top.slice(0, Math.max(from, 0)).findLastIndex((line) => !isSpace(line.text));
  return from < 0 ? 0 : subject < 0 ? from : subject;
};
