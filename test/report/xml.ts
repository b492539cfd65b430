// SPDX-License-Identifier: GPL-2.0-only

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (XmlElement | string)[];
}

const ENTITIES: Readonly<Record<string, string>> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };

/** Character data without its entities; throws on what must not be bare, or on entities that we do not write. */
const decoded = (text: string): string => {
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Cs}]|[<>"]|&(?!amp;|lt;|gt;|quot;|#39;)/u.test(text)) throw new Error(`bare text: ${text}`);
  return text.replace(/&[a-z#0-9]+;/g, (entity) => ENTITIES[entity] ?? "");
};

const TAG = /<(\/?)([a-z]+)((?: [a-zA-Z0-9:-]+="[^"<]*")*)(\/?)>/y;

const attributesOf = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/ ([a-zA-Z0-9:-]+)="([^"]*)"/g)].map((match) => [match[1]!, decoded(match[2]!)]));

/** A strict reader of the XML that we write: elements, attributes, text. Throws on anything else. */
export function readXml(source: string): XmlElement {
  const root: { children: (XmlElement | string)[] } = { children: [] };
  const open: { name: string; children: (XmlElement | string)[] }[] = [{ name: "", children: root.children }];
  let at = 0;
  while (at < source.length) {
    const next = source.indexOf("<", at);
    const text = source.slice(at, next < 0 ? source.length : next);
    // A style sheet is text with > in it nowhere and quotes around font names.
    if (text.trim() !== "") open.at(-1)!.children.push(open.at(-1)!.name === "style" ? text : decoded(text));
    if (next < 0) break;
    TAG.lastIndex = next;
    const match = TAG.exec(source);
    if (!match) throw new Error(`no tag: ${source.slice(next, next + 60)}`);
    at = TAG.lastIndex;
    const [, closing, name = "", attributes = "", empty] = match;
    if (closing) {
      if (open.pop()?.name !== name) throw new Error(`${name} closes something else`);
      continue;
    }
    const element = { name, attributes: attributesOf(attributes), children: [] };
    open.at(-1)!.children.push(element);
    if (!empty) open.push(element);
  }
  if (open.length !== 1 || root.children.length !== 1 || typeof root.children[0] === "string") throw new Error("not one element");
  return root.children[0]!;
}

/** An element and everything below it. */
export const everyElement = (of: XmlElement): XmlElement[] => [of, ...of.children.flatMap((child) => (typeof child === "string" ? [] : everyElement(child)))];

export const textOf = ({ children }: XmlElement): string => children.map((child) => (typeof child === "string" ? child : textOf(child))).join("");
