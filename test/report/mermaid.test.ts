// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { mermaidText } from "../../server/report/mermaid.ts";
import { failingPicture, fixedPicture } from "../../server/report/picture.ts";
import { evidenceOfText, HOSTILE } from "./hostile.ts";
import { EVIDENCE } from "./sample-review.ts";

const failing = mermaidText(failingPicture(EVIDENCE, null)!, { lineLabel: "mail" });

test("a note a step, an activation for what is held, the bad state in color", () => {
  expect(failing).toBe(`\
sequenceDiagram
  participant T0 as move_one_pte()
  participant T1 as KVM vCPU
  activate T0
  Note over T0: 1. src = pte_offset_map(src_pmd, src_addr)<br/>(mail:35)<br/>[rcu: 0 -> 1]
  Note over T1: 2. fault: spte := entry(src)<br/>[spte: none -> X]
  Note over T0: 3. mmu_notifier_invalidate_range_start_<br/>nonblock(#38;range) (mail:140)<br/>[interval subscriber: refused]
  activate T0
  Note over T0: 4. entry = ptep_clear_flush(vma, src_addr,<br/>src) (mail:153)<br/>[entry(src): X -> none]
  Note over T0: 5. set_pte_at(mm, dst_addr, dst, entry)<br/>(mail:161)<br/>[owner(X): S -> D]
  deactivate T0
  Note over T1: 6. store through spte
  rect rgba(214, 48, 49, 0.25)
  Note over T0,T1: *** stale secondary mapping: the vCPU writes<br/>page X, which belongs to mm D now
  end
  deactivate T0
`);
});

test("the fixed schedule says what was added and what is blocked", () => {
  const text = mermaidText(fixedPicture(EVIDENCE, null)!, { lineLabel: "mail" });
  expect(text).toContain("Note over T0: 1. + mmu_notifier_invalidate_range_start(#38;<br/>range)");
  expect(text).toContain("Note over T1: 3. blocked: fault: spte := entry(src)");
  expect(text).toContain("rect rgba(225, 152, 26, 0.25)");
});

/** The grammar of what we write; nothing that a text holds may add to it. */
const LINE = [
  /^sequenceDiagram$/, /^ {2}participant T\d+ as (?!wrap:|nowrap:)[^#;%{}<`]*$/, /^ {2}(de)?activate T\d+$/, /^ {2}end$/, /^ {2}rect rgba\([\d., ]+\)$/,
  /^ {2}Note over T\d+(,T\d+)?: (?!wrap:|nowrap:)[^#;%{}<`]*$/, /^$/,
];
const withoutCodes = (line: string): string => line.replace(/#\d+;/g, "").replaceAll("<br/>", "");

test.each(HOSTILE.map((text) => [JSON.stringify(text).slice(0, 60), text]))("%s stays a text", (_, text) => {
  const evidence = evidenceOfText(text);
  for (const picture of [failingPicture(evidence, null)!, fixedPicture(evidence, null)!]) {
    const lines = mermaidText(picture, { lineLabel: "mail" }).split("\n");
    expect(lines.filter((line) => !LINE.some((pattern) => pattern.test(withoutCodes(line))))).toEqual([]);
    const count = (pattern: RegExp): number => lines.filter((line) => pattern.test(line)).length;
    expect(count(/^ {2}activate/)).toBe(count(/^ {2}deactivate/));
    expect(count(/^ {2}Note/)).toBe(picture.steps.length + 1);
    expect(count(/\bend\b/i)).toBe(1);
  }
});
