// SPDX-License-Identifier: GPL-2.0-only
import type { Image } from "../source/image.ts";

/** `#define NAME` without parameters, and its body, over continued lines. */
const DEFINITION = /^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)(?![\w(])((?:[^\\\n]|\\[^\n]|\\\n)*)$/gm;

const MAX_BODY = 400;

const definitionsOf = new WeakMap<Image, ReadonlyMap<string, string | null>>();

function definitionsIn(image: Image): ReadonlyMap<string, string | null> {
  const known = definitionsOf.get(image);
  if (known) return known;
  const made = new Map<string, string | null>();
  for (const [, name = "", text = ""] of image.text.matchAll(DEFINITION)) {
    const body = text.slice(0, MAX_BODY + 1).replace(/\\\n/g, " ").trim();
    // Of two definitions the configuration decides: neither is taken.
    made.set(name, made.has(name) || text.length > MAX_BODY || body.includes("#") ? null : body);
  }
  definitionsOf.set(image, made);
  return made;
}

/**
 * The body of a macro without parameters that the text defines once, in a few lines and without pasting; null where it is
 * defined in another way, undefined for any other name.
 */
export const objectMacro = (image: Image, name: string): string | null | undefined => definitionsIn(image).get(name);
