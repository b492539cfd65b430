// SPDX-License-Identifier: GPL-2.0-only
import type { EffectProgram } from "../../program/program.ts";
import type { ModelBuilder } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { and, eq, FALSE, ne } from "../../simulator/expression.ts";
import type { Experiment } from "../experiment.ts";
import { insertBefore, synthetic } from "../rewrite.ts";
import { NOTHING } from "./entry-value.ts";
import { aboutReplacement } from "./experiment.ts";
import type { Replacement } from "./replacement.ts";
import type { Amendments, Objects } from "./world.ts";

/*
 * FAULT_FLAG_UNSHARE gives a process a page of its own that it did not ask to write: GUP did, for reading. Whatever waits for the
 * next write must still see it: the entry stays read-only, and what userfaultfd and the soft-dirty tracker noted in it stays.
 * Sources: mm/memory.c:3204-3228 (6.1.192), c89357e27f20 (5.19).
 */

/** What may be lost. */
export type Lost = "uffdWp" | "softDirty";

/** A thread of the process writes to an address that userfaultfd guards. */
function addWriter(model: ModelBuilder, { entry }: Objects): void {
  const event = model.field("event for the monitor", 0, { labels: { 0: "none", 1: "write" } });
  const thread = model.thread("CPU2", "environment");
  const here = ne(entry.page, NOTHING);
  const missed = (property: string, message: string) => [{ holds: FALSE, property, message }];
  const stores = thread.step({
    text: "stores to va, which the monitor has write-protected",
    alternatives: [
      { guard: and(here, eq(entry.writable, 1)), checks: missed("write-without-fault", "the store goes through without a fault: the monitor is not told"), note: "the entry is writable" },
      { guard: and(here, eq(entry.writable, 0), eq(entry.uffdWp, 0)), checks: missed("unseen-write-fault", "the write fault finds no uffd-wp bit and makes the entry writable: the monitor is not told"), note: "write fault" },
      { guard: and(here, eq(entry.writable, 0), eq(entry.uffdWp, 1)), effect: [assign(event, 1)], note: "write fault: the monitor is told" },
    ],
  });
  model.reach(thread, stores, "the process stores");
}

/** A tracker asks which pages were written since it asked last: this one was. */
function addTracker(model: ModelBuilder, { entry }: Objects): void {
  const thread = model.thread("tracker", "environment");
  const reads = thread.step({
    text: "reads /proc/pid/pagemap: was the page written?",
    guard: ne(entry.page, NOTHING),
    checks: [{ holds: eq(entry.softDirty, 1), property: "soft-dirty-lost", message: "the page was written since the tracker asked last, and its entry does not say so any more" }],
  });
  model.reach(thread, reads, "the tracker reads the entry");
}

const KEEPS: Readonly<Record<Lost, Amendments>> = {
  uffdWp: { "entry: read-only, pte_mkuffd_wp() as the old one": { writable: "off", uffdWp: "as-before" } },
  softDirty: { "entry: pte_mksoft_dirty() as the old one": { softDirty: "as-before" } },
};

/** What the old entry had noted is lost, or the new one is writable. */
export function unsharedEntry(replacement: Replacement, of: EffectProgram, lost: Lost): Experiment {
  const amendments = KEEPS[lost];
  return aboutReplacement(replacement, of, {
    name: lost === "uffdWp" ? "unshared-unguarded" : "unshared-clean",
    primary: lost === "uffdWp" ? ["write-without-fault", "unseen-write-fault"] : ["soft-dirty-lost"],
    bounds: lost === "uffdWp" ? "environment {a thread of the process that writes}, one FAULT_FLAG_UNSHARE on an entry that userfaultfd guards" : "environment {a tracker}, one FAULT_FLAG_UNSHARE on an entry that is soft-dirty",
    circumstances: { unshare: true, noted: lost, amendments },
    addOthers: lost === "uffdWp" ? addWriter : addTracker,
    title: lost === "uffdWp" ? "the new entry is read-only and guarded as the old one was" : "the new entry is soft-dirty as the old one was",
    fix: (program) => insertBefore(program, (_, id) => (id === replacement.set ? Object.keys(amendments).map((text) => ({ ...synthetic(text, { kind: "maySleep" }), name: text })) : [])),
  });
}

/** True where a function tells the two kinds of fault apart. */
export const knowsUnshare = ({ image, start, end }: EffectProgram): boolean => image.text.slice(start, end).includes("FAULT_FLAG_UNSHARE");
