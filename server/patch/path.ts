// SPDX-License-Identifier: GPL-2.0-only

const escapes: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, '"': 34, "\\": 92 };

/** Undoes git's C quoting (`"a/sp\303\251 c.c"`); a name without quotes stays as it is. */
export const unquotePath = (name: string): string => {
  if (!(name.startsWith('"') && name.endsWith('"') && name.length >= 2)) return name;
  const bytes: number[] = [];
  const inner = new TextEncoder().encode(name.slice(1, -1));
  for (let at = 0; at < inner.length; at += 1) {
    const byte = inner[at] ?? 0;
    if (byte !== 92) {
      bytes.push(byte);
      continue;
    }
    const octal = /^[0-3][0-7]{2}/.exec(String.fromCharCode(...inner.slice(at + 1, at + 4)))?.[0];
    const letter = String.fromCharCode(inner[at + 1] ?? 0);
    bytes.push(octal === undefined ? (escapes[letter] ?? letter.charCodeAt(0)) : Number.parseInt(octal, 8));
    at += octal === undefined ? 1 : 3;
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
};

/** The blank before the date that diff puts behind a name; archives turn the tab before it into a blank. */
const beforeDate = /\t|\s(?=\d{4}-\d\d-\d\d \d\d:\d\d)|\s(?=[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d)/;

/** The name in a `---` or `+++` line: without the date that diff appends, null for `/dev/null` and for the epoch. */
export const nameOfSide = (text: string): string | null => {
  const rest = text.slice(4);
  const quoted = /^"(?:[^"\\]|\\.)*"/.exec(rest)?.[0];
  const nameEnd = beforeDate.exec(rest)?.index ?? rest.length;
  const name = quoted ?? rest.slice(0, nameEnd).trimEnd();
  const isEpoch = /^19(?:70-01-01|69-12-31) /.test(rest.slice(nameEnd).trimStart());
  return name === "/dev/null" || isEpoch || name === "" ? null : unquotePath(name);
};

/** The two names of a `diff --git` line; null where blanks make them ambiguous and they are not the same path. */
export const namesOfGitLine = (text: string): { old: string; new: string } | null => {
  const rest = text.slice("diff --git ".length).trim();
  const quoted = /^("(?:[^"\\]|\\.)*"|\S+) ("(?:[^"\\]|\\.)*"|\S+)$/.exec(rest);
  if (quoted !== null) return { old: unquotePath(quoted[1] ?? ""), new: unquotePath(quoted[2] ?? "") };
  const middle = (rest.length - 1) / 2;
  const old = rest.slice(0, middle);
  const later = rest.slice(middle + 1);
  return rest[middle] === " " && (old === later || old.slice(1) === later.slice(1)) ? { old, new: later } : null;
};

const onePrefix = /^[a-z0-9]\//;
const withoutFirst = (path: string): string => path.slice(path.indexOf("/") + 1);

/**
 * Takes the prefix off both sides: `a/`,`b/`, the mnemonic letters (`i/`, `w/`, ...), a pair of tree names
 * (`linux.orig/mm/x.c`, `linux/mm/x.c`), or the `.orig` of a single file. Paths without a prefix stay as they are.
 */
export const withoutPrefixes = (
  old: string | null, later: string | null,
): { readonly old: string | null; readonly new: string | null } => {
  if (old === null || later === null) {
    const strip = (path: string | null): string | null => (path !== null && onePrefix.test(path) ? path.slice(2) : path);
    return { old: strip(old), new: strip(later) };
  }
  if (onePrefix.test(old) && onePrefix.test(later) && old[0] !== later[0]) return { old: old.slice(2), new: later.slice(2) };
  if (old === later) return { old, new: later };
  if (old === `${later}.orig` || old === `${later}~`) return { old: later, new: later };
  const inTree = old.includes("/") && withoutFirst(old) === withoutFirst(later);
  return inTree ? { old: withoutFirst(old), new: withoutFirst(later) } : { old, new: later };
};
