// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import type { SampleHunk, SampleLine } from "./sample.ts";

/** A generated patch: its files with their hunks. */
export type SamplePatch = readonly (readonly SampleHunk[])[];

const names = ["pte", "pmd", "vma", "folio", "addr", "ptl", "mm", "flags", "entry", "range", "nr_pages", "huge_page_size", "orig_pte"];
const calls = ["spin_lock", "pte_unmap", "huge_pte_offset", "set_pte_at", "folio_put", "mmu_notifier_range_init", "try_grab_folio", "vma_is_anonymous"];
const name = fc.constantFrom(...names);
const call = fc.constantFrom(...calls);
const indent = fc.constantFrom("\t", "\t\t", "\t\t\t");

const shortLine = fc.oneof(
  fc.tuple(indent, call, name, name).map(([tab, fn, a, b]) => `${tab}${fn}(${a}, ${b});`),
  fc.tuple(indent, name, name, fc.constantFrom("+", "-", "|", "&")).map(([tab, a, b, sign]) => `${tab}${a} = ${b} ${sign} 1;`),
  fc.tuple(indent, call, name).map(([tab, fn, a]) => `${tab}if (!${fn}(${a}))`),
  fc.tuple(name, name).map(([a, b]) => `\t/* the ${a}  may go with its ${b} \u2014 \u00e9 */`),
  fc.tuple(name).map(([a]) => `\tpr_warn("%s:  ${a}=3D\\n", __func__);`),
  fc.constantFrom("{", "}", "\t}", "out_unlock:", "\treturn 0;", "#ifdef CONFIG_MMU", "#endif", " * of the page table", " */", "static int toy(void)", "\tbreak;"),
);

/** A line of a hundred characters, more or less, with its operators at the places where a mailer may break it. */
const longLine = fc.tuple(call, fc.array(fc.tuple(name, fc.constantFrom(", ", " + ", " - ", " && ", " | ", ", &", ", *")), { minLength: 7, maxLength: 12 }))
  .map(([fn, parts]) => `\tif (${fn}(${parts.map(([a, sign]) => a + sign).join("")}0))`);

/** Context lines that begin as lines of a diff do; some go on with the line above. */
const deceiving = fc.constantFrom(["\t--i;"], ["\t++nr;"], ["\t--depth;"], ["\tinit_range(range,", "\t-1, 0);"], ["\tend = addr", "\t    + PAGE_SIZE;"], ["\treturn wait ?", "-EINVAL : 0;"]);

const text = fc.oneof({ weight: 30, arbitrary: shortLine }, { weight: 4, arbitrary: longLine });

const context = fc.constant("context" as const);
const changed = fc.constantFrom("added" as const, "deleted" as const);
const one = (kind: fc.Arbitrary<SampleLine["kind"]>, content: fc.Arbitrary<string>): fc.Arbitrary<readonly SampleLine[]> =>
  fc.record({ kind, text: content }).map((made) => [made]);

const lines: fc.Arbitrary<readonly SampleLine[]> = fc.oneof(
  { weight: 200, arbitrary: one(context, text) },
  { weight: 90, arbitrary: one(changed, text) },
  { weight: 25, arbitrary: one(context, fc.constant("")) },
  { weight: 15, arbitrary: one(changed, fc.constant("")) },
  { weight: 1, arbitrary: deceiving.map((texts) => texts.map((each): SampleLine => ({ kind: "context", text: each }))) },
);

const hunkOf = (lines: readonly SampleLine[]): SampleHunk => ({
  lines,
  oldCount: lines.filter((each) => each.kind !== "added").length,
  newCount: lines.filter((each) => each.kind !== "deleted").length,
  blanks: lines.filter((each) => each.kind === "context" && each.text === "").length,
});

const hunk: fc.Arbitrary<SampleHunk> = fc
  .tuple(fc.array(lines, { minLength: 1, maxLength: 9 }), fc.array(lines, { minLength: 0, maxLength: 9 }), text, text)
  .map(([before, after, added, last]) =>
    // A hunk has a change, and its end is a line of code: an empty one could as well belong to what follows.
    hunkOf([...before.flat(), { kind: "added", text: added }, ...after.flat(), { kind: "context", text: last }]));

/** Patches of one to three files with one to three hunks of kernel-like lines. */
export const samplePatch: fc.Arbitrary<SamplePatch> = fc.array(fc.array(hunk, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });
