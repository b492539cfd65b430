// SPDX-License-Identifier: GPL-2.0-only

/** Longer patterns and paths are no names of files. */
const MAX_PATTERN = 400;
const MAX_PATH = 4096;

/**
 * What is wrong with a pattern of paths, in a few words; null where it is one. A pattern is a relative path with `/`, in which
 * `?` stands for one character of a name, `*` for any number of them, and a name `**` for any number of folders.
 */
export function patternProblem(pattern: string): string | null {
  if (pattern === "") return "is empty";
  if (pattern.length > MAX_PATTERN) return `has more than ${MAX_PATTERN} characters`;
  if (/[\\[\]{}!]/.test(pattern)) return "has a character that paths of the kernel do not have; only *, ** and ? are special";
  const names = pattern.split("/");
  if (pattern.startsWith("/")) return "begins with /: paths begin at the top of the kernel tree";
  if (names.some((name) => name === "" || name === "." || name === "..")) return "has an empty name, . or .. in it";
  return names.some((name) => name !== "**" && name.includes("**")) ? "has ** in a longer name" : null;
}

/** True for a pattern that one path matches, itself. */
export const isOnePath = (pattern: string): boolean => !/[*?]/.test(pattern);

/** True where a path matches a pattern. Takes time in the order of the product of their lengths, whatever they are. */
export function matchesPattern(pattern: string, path: string): boolean {
  if (path.length > MAX_PATH) return false;
  if (isOnePath(pattern)) return pattern === path;
  return wild(pattern.split("/"), path.split("/"), (name) => name === "**", matchesName);
}

const matchesName = (pattern: string, name: string): boolean =>
  wild([...pattern], [...name], (one) => one === "*", (one, character) => one === "?" || one === character);

/** One star that takes as little as it can is enough: what an earlier one could take more, the last one can take, too. */
function wild(pattern: readonly string[], items: readonly string[], isStar: (one: string) => boolean, fits: (one: string, item: string) => boolean): boolean {
  let at = 0;
  let star = -1;
  let taken = 0;
  for (let item = 0; item < items.length;) {
    const one = pattern[at];
    if (one !== undefined && isStar(one)) {
      star = at++;
      taken = item;
    } else if (one !== undefined && fits(one, items[item] ?? "")) {
      at++;
      item++;
    } else if (star >= 0) {
      at = star + 1;
      item = ++taken;
    } else return false;
  }
  return pattern.slice(at).every(isStar);
}
