// SPDX-License-Identifier: GPL-2.0-only
import type { Hunk } from "./model.ts";

/** A type and a name; a call has no type before it, which tells them apart where the indentation is gone. */
const definition = /^[A-Za-z_]\w*(?:[\s*]+\w+){0,8}?[\s*]+([A-Za-z_]\w*)\s*\(/;
const systemCall = /^(?:COMPAT_)?SYSCALL_DEFINE\d\((\w+)/;
const statement = /^(?:if|for|while|switch|return|else|do|goto|case)\b/;

const nameIn = (text: string): string | null =>
  text.length > 300 || text.endsWith(";") || statement.test(text) ? null : ((systemCall.exec(text) ?? definition.exec(text))?.[1] ?? null);

/**
 * The function in which the first change of a hunk stands, or null. The text of the `@@` line is only a hint: it names the
 * function before where the hunk begins with a new one.
 */
export const functionOf = (hunk: Hunk): string | null => {
  let name = nameIn(hunk.section);
  for (const line of hunk.lines) {
    const here = nameIn(line.text);
    if (here !== null) name = here;
    else if (line.kind === "context" && line.text.startsWith("}")) name = null;
    // A change between two functions may add a third one further down.
    if (line.kind !== "context" && name !== null) return name;
  }
  return name;
};
