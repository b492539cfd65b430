// SPDX-License-Identifier: GPL-2.0-only
import { hash } from "./shape.ts";

/** What a file defines outside of functions that the lowering of its functions reads. */
export interface FileMacros {
  /** Equal keys: nothing of it differs. */
  readonly key: string;
  /** Words in the macros that are among the words, and in the macros that those name. */
  wordsBehind(words: ReadonlySet<string>): ReadonlySet<string>;
}

const DEFINE = /^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)((?:[^\n\\]|\\[^])*)/gm;

/** Constants and enumerations, which may be words of GUP flags. */
const CONSTANTS = /^(?:static[ \t]+)?const\b[^;]*;|\benum\b[^;{}()]*\{[^{}]*\}/gm;

/** Guards and cleanups that the file defines for its functions (<linux/cleanup.h>), with what they run. */
const CLEANUPS = /^(?:DEFINE_(?:GUARD|LOCK_GUARD|FREE|CLASS)|EXTEND_CLASS)\w*\([^]*?\)[ \t]*;?[ \t]*$/gm;

export function fileMacros(text: string): FileMacros {
  const bodies = new Map<string, string>();
  const parts: string[] = [];
  for (const [whole, name = "", body = ""] of text.matchAll(DEFINE)) {
    parts.push(whole);
    bodies.set(name, `${bodies.get(name) ?? ""} ${body}`);
  }
  if (text.includes("FOLL_")) for (const [whole] of text.matchAll(CONSTANTS)) if (whole.includes("FOLL_")) parts.push(whole);
  for (const [whole] of text.matchAll(CLEANUPS)) parts.push(whole);
  const all = parts.join("\n");
  return {
    key: hash(all, 0, all.length).toString(36),
    wordsBehind(words) {
      const found = new Set<string>();
      const work = [...words].filter((word) => bodies.has(word));
      for (let name = work.pop(); name !== undefined; name = work.pop())
        for (const word of wordsOf(bodies.get(name) ?? "")) {
          if (found.has(word)) continue;
          found.add(word);
          if (bodies.has(word)) work.push(word);
        }
      return found;
    },
  };
}

export const wordsOf = (text: string): ReadonlySet<string> => new Set(text.match(/[A-Za-z_]\w*/g) ?? []);
