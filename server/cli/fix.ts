// SPDX-License-Identifier: GPL-2.0-only
import { readFile, writeFile } from "node:fs/promises";
import { failureReason } from "../node/failure.ts";
import type { Review, VerifiedFix } from "../review/finding.ts";
import { withFix } from "../review/fix/apply.ts";

/** Each fix is found in the text that the one before left: two never meet. */
const MOST_FIXES = 32;

export interface FixedText {
  readonly text: string;
  readonly fixes: readonly VerifiedFix[];
}

/** A document with the first proved fix of every finding that has one. `review` says what is found in a text, with fixes. */
export function withProvedFixes(document: string, first: readonly Review[], review: (text: string) => readonly Review[]): FixedText {
  const fixes: VerifiedFix[] = [];
  let text = document;
  let reviews = first;
  while (fixes.length < MOST_FIXES) {
    const fix = reviews.flatMap((one) => one.findings).flatMap((finding) => finding.fixes?.find((one) => one.isProved) ?? [])[0];
    const next = fix && withFix(text, fix.edits);
    if (!fix || next === null || next === undefined) break;
    fixes.push(fix);
    text = next;
    reviews = review(text);
  }
  return { text, fixes };
}

/** Writes a text in the place of another one, which must be all that a file has; the reason why not is for the user. */
export async function writeFixed(path: string, before: string, after: string, inPlace: boolean): Promise<{ readonly path: string } | { readonly reason: string }> {
  const target = inPlace ? path : `${path}.fixed`;
  try {
    // What was decoded otherwise, or is one mail of many, would not be the same file.
    if (path === "-" || !(await readFile(path)).equals(Buffer.from(before, "utf8"))) return { reason: "not written: the fix is for a part of the input only; see --fix-diff" };
    await writeFile(target, after, inPlace ? {} : { flag: "wx" });
    return { path: target };
  } catch (error) {
    return { reason: `${target}: ${failureReason(error)}` };
  }
}
