// SPDX-License-Identifier: GPL-2.0-only
import { visiblePath } from "./visible.ts";

const CONTEXT = 3;

/** More lines that differ are told as one change. */
const MOST_CHANGES = 2000;

type Step = { readonly kind: " " | "-" | "+"; readonly text: string };

/** What makes one text of another, as `diff -u` has it; "" where they are the same. `firstLine`: that of the texts in their file. */
export function unifiedDiff(path: string, before: string, after: string, firstLine = 1): string {
  if (before === after) return "";
  const steps = stepsBetween(before.split("\n"), after.split("\n"));
  const changed = steps.flatMap((step, index) => (step.kind === " " ? [] : [index]));
  const hunks: { from: number; to: number }[] = [];
  for (const index of changed) {
    const last = hunks.at(-1);
    if (last && index - CONTEXT <= last.to + CONTEXT) last.to = index + 1;
    else hunks.push({ from: index, to: index + 1 });
  }
  const texts = hunks.map(({ from, to }) => hunkText(steps, Math.max(0, from - CONTEXT), Math.min(steps.length, to + CONTEXT), firstLine));
  const name = visiblePath(path.replace(/^\/+/, ""));
  return `--- a/${name}\n+++ b/${name}\n${texts.join("")}`;
}

function hunkText(steps: readonly Step[], from: number, to: number, firstLine: number): string {
  const count = (kinds: string, part: readonly Step[]): number => part.filter(({ kind }) => kinds.includes(kind)).length;
  const [above, part] = [steps.slice(0, from), steps.slice(from, to)];
  // The last element is what stands behind the last line end: no line, where that is nothing.
  const shown = to === steps.length && part.at(-1)?.text === "" && part.at(-1)?.kind === " " ? part.slice(0, -1) : part;
  const lines = shown.map(({ kind, text }) => `${kind}${text}\n`).join("");
  return `@@ -${count(" -", above) + firstLine},${count(" -", shown)} +${count(" +", above) + firstLine},${count(" +", shown)} @@\n${lines}`;
}

/** The shortest way from one list of lines to the other (Myers, 1986). */
function stepsBetween(before: readonly string[], after: readonly string[]): Step[] {
  const [n, m] = [before.length, after.length];
  let front = new Map<number, number>([[1, 0]]);
  const fronts: Map<number, number>[] = [];
  for (let d = 0; d <= Math.min(n + m, MOST_CHANGES); d++) {
    fronts.push(new Map(front));
    for (let k = -d; k <= d; k += 2) {
      let x = isDown(front, k, d) ? (front.get(k + 1) ?? 0) : (front.get(k - 1) ?? 0) + 1;
      while (x < n && x - k < m && before[x] === after[x - k]) x++;
      front.set(k, x);
      if (x >= n && x - k >= m) return backwards(before, after, fronts);
    }
    front = new Map(front);
  }
  return [...before.map((text): Step => ({ kind: "-", text })), ...after.map((text): Step => ({ kind: "+", text }))];
}

const isDown = (front: ReadonlyMap<number, number>, k: number, d: number): boolean => k === -d || (k !== d && (front.get(k - 1) ?? -1) < (front.get(k + 1) ?? -1));

function backwards(before: readonly string[], after: readonly string[], fronts: readonly ReadonlyMap<number, number>[]): Step[] {
  const steps: Step[] = [];
  let [x, y] = [before.length, after.length];
  for (let d = fronts.length - 1; d >= 0; d--) {
    const front = fronts[d] ?? new Map<number, number>();
    const k = x - y;
    const former = isDown(front, k, d) ? k + 1 : k - 1;
    const fromX = front.get(former) ?? 0;
    const fromY = fromX - former;
    for (; x > fromX && y > fromY && x > 0 && y > 0; y--) steps.push({ kind: " ", text: before[--x] ?? "" });
    if (d === 0) break;
    if (x === fromX) steps.push({ kind: "+", text: after[--y] ?? "" });
    else steps.push({ kind: "-", text: before[--x] ?? "" });
  }
  return steps.toReversed();
}
