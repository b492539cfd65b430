// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, gupEra } from "../../kernel/era.ts";
import type { Release } from "../../kernel/release.ts";
import type { EffectProgram } from "../../program/program.ts";
import type { ModelBuilder } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { and, eq, gt, ne, or } from "../../simulator/expression.ts";
import type { Experiment } from "../experiment.ts";
import { emptied, insertBehind } from "../rewrite.ts";
import { NEW, NOTHING, OLD } from "./entry-value.ts";
import { aboutReplacement } from "./experiment.ts";
import type { Replacement } from "./replacement.ts";
import type { Objects } from "./world.ts";

/*
 * The old page leaves the reverse map while the entry, or a TLB, still leads to it. Where mappings decide, the other process that
 * maps it then keeps it for its own and writes: threads of this process read what it writes. From 5.9 on references decide, and
 * the fault has one of its own until it is over.
 */

/** True where a process may keep a page that is mapped once, whoever has references. */
export const mappingsDecide = (release: Release): boolean => ERAS[gupEra(release)].anonReuse === "mapcount";

function addOthers(model: ModelBuilder, { entry, tlb, mapped }: Objects): void {
  const written = model.field("child B has written", 0, { labels: { 0: "no", 1: "to the old page" } });
  const child = model.thread("child B", "environment");
  const writes = child.step({
    text: "write fault: do_wp_page()",
    alternatives: [
      { guard: eq(mapped, 1), note: "mapped once: keeps the old page" },
      { guard: gt(mapped, 1), to: "END", note: "gets a copy" },
    ],
  });
  child.step({ text: "stores to the old page", effect: [assign(written, 1)] });
  const reader = model.thread("CPU2", "environment");
  reader.step({ text: "loads from va: its TLB gets the entry", guard: ne(entry.page, NOTHING), effect: [assign(tlb, entry.page)] });
  reader.step({
    text: "loads from va, after the store of child B",
    guard: and(eq(written, 1), or(ne(tlb, NOTHING), ne(entry.page, NOTHING))),
    checks: [{ holds: and(ne(tlb, OLD), or(eq(tlb, NEW), ne(entry.page, OLD))), property: "foreign-store-seen", message: "the process reads what child B has stored for itself: both still use the old page" }],
  });
  model.reach(child, writes, "the child takes a write fault");
}

/** The old page must not leave the reverse map before the entry that mapped it has gone. */
export function earlyReuse(replacement: Replacement, of: EffectProgram): Experiment {
  const call = of.nodes[replacement.removal];
  return aboutReplacement(replacement, of, {
    name: "old-page-reused-early",
    primary: ["foreign-store-seen"],
    bounds: "environment {a child that shares the page and writes, a CPU of the same process}, one write fault",
    circumstances: { unshare: false, noted: "nothing", amendments: {} },
    addOthers,
    title: "the old page leaves the reverse map behind the new entry",
    fix(program) {
      return call?.kind === "call" ? insertBehind(emptied(program, (id) => id === replacement.removal), replacement.set, [call]) : program;
    },
  });
}
