// SPDX-License-Identifier: GPL-2.0-only
import type { EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import type { ModelBuilder } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { and, eq, ne, or } from "../../simulator/expression.ts";
import type { Experiment } from "../experiment.ts";
import { emptied, insertBefore, name, synthetic } from "../rewrite.ts";
import { NEW, NOTHING, OLD } from "./entry-value.ts";
import { aboutReplacement } from "./experiment.ts";
import type { Replacement } from "./replacement.ts";
import type { Objects } from "./world.ts";

/*
 * The new entry is set while a CPU still reads the old page through its TLB: one CPU stores to the new page, another one of the
 * same process reads the old one. The comment in `wp_page_copy()` tells that older kernels did so.
 */

/** Two threads of the process, on two CPUs. */
function addCpus(model: ModelBuilder, { entry, tlb }: Objects): void {
  const stored = model.field("stored", 0, { labels: { 0: "nothing", 1: "to the new page" } });
  const writer = model.thread("CPU1", "environment");
  const stores = writer.step({ text: "stores to va: walks the page table", guard: and(eq(entry.page, NEW), eq(entry.writable, 1)), effect: [assign(stored, 1)] });
  const reader = model.thread("CPU2", "environment");
  reader.step({ text: "loads from va: its TLB gets the entry", guard: ne(entry.page, NOTHING), effect: [assign(tlb, entry.page)] });
  reader.step({
    text: "loads from va, after the store of CPU1",
    guard: and(eq(stored, 1), or(ne(tlb, NOTHING), ne(entry.page, NOTHING))),
    checks: [{ holds: ne(tlb, OLD), property: "stale-tlb", message: "CPU2 reads the old page through its TLB entry although CPU1 has stored to the new one" }],
  });
  model.reach(writer, stores, "a CPU stores through the new entry");
}

/** Calls that clear the entry, or flush it. */
const isClearing = (program: EffectProgram, { pointer }: Replacement) => (id: number): boolean => {
  const node = program.nodes[id];
  return node?.kind === "call" && node.effects.some((effect) => effect.kind === "flushTlb" || (effect.kind === "clearEntry" && render(effect.pte) === pointer));
};

/** The old entry must be cleared and flushed before the new one is set. */
export const twoPages = (replacement: Replacement, of: EffectProgram): Experiment =>
  aboutReplacement(replacement, of, {
    name: "new-entry-unflushed",
    primary: ["stale-tlb"],
    bounds: "environment {two CPUs of the same process}, one write fault",
    circumstances: { unshare: false, noted: "nothing", amendments: {} },
    addOthers: addCpus,
    title: "ptep_clear_flush() in front of the new entry",
    fix: (program) =>
      insertBefore(emptied(program, isClearing(program, replacement)), (_, id) =>
        id === replacement.set ? [synthetic(`ptep_clear_flush(${replacement.pointer})`, { kind: "clearEntry", pte: name(replacement.pointer), flush: true })] : [],
      ),
  });
