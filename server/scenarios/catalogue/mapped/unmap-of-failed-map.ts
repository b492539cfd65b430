// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { modelBuilder, type StepPart } from "../../../simulator/build.ts";
import { assign } from "../../../simulator/effect.ts";
import { eq, ne } from "../../../simulator/expression.ts";
import { rcuReaders, rcuReadLock, rcuReadUnlock } from "../../../simulator/objects/rcu.ts";
import type { CatalogueScenario } from "../scenario.ts";

/** The part, with what its checks say in words of the scenario. */
const saying = (part: StepPart, message: string): StepPart => ({
  ...part, alternatives: part.alternatives.map((one) => ({ ...one, checks: (one.checks ?? []).map((check) => ({ ...check, message })) })),
});

/** A map that failed left no RCU section open; unmapping what it returned ends one that is not there. */
export const unmapOfFailedMap: CatalogueScenario = {
  id: "pte-unmap-of-failed-map",
  rules: ["pte-map-unchecked", "pte-unmap-missing"],
  title: "the way out unmaps although the map has failed",
  sources: ["0d940a9b270b (6.5): pte_offset_map() may return NULL", "146b42e07494 (6.6): pte_unmap() is rcu_read_unlock()"],
  properties: ["unlock-not-held"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "always", what: "pte_unmap() on the common way out", isFixed: false },
    { id: "if-mapped", what: "if (pte) pte_unmap(pte)", isFixed: true },
  ],
  axes: { eras: [], releases: ["6.6"], byArchitecture: false },
  build({ variant, release }) {
    // Before, a map does not fail (6.4), or leaves nothing to undo (6.5).
    if (!atLeast(release, "6.6")) return null;
    const model = modelBuilder(`pte-unmap-of-failed-map, ${variant}`);
    const readers = rcuReaders(model);
    const pmd = model.field("pmd", 1, { labels: { 0: "none", 1: "table" } });
    const thread = model.thread("walker", "review");
    const pte = thread.local("pte", 0, { labels: { 0: "NULL", 1: "mapped" } });
    const map = thread.step({
      text: "pte = pte_offset_map_lock(mm, pmd, addr, &ptl)",
      alternatives: [
        { guard: eq(pmd, 1), effect: [...rcuReadLock(readers).alternatives[0]!.effect!, assign(pte, 1)] },
        { guard: eq(pmd, 0), to: "out", note: "NULL: the table is gone" },
      ],
    });
    thread.step({ text: "the entries are walked" });
    thread.label("out");
    if (variant === "if-mapped") thread.step({
      text: "if (pte)",
      isFix: true,
      alternatives: [{ guard: ne(pte, 0) }, { guard: eq(pte, 0), to: "END", note: "NULL" }],
    });
    thread.step({ text: "pte_unmap(pte)", ...saying(rcuReadUnlock(readers), "rcu_read_unlock() without rcu_read_lock(): the map that failed has left none") });
    model.reach(thread, map, "the table is mapped");
    const khugepaged = model.thread("khugepaged", "environment");
    khugepaged.step({ text: "retract_page_tables(): pmdp_collapse_flush()", effect: [assign(pmd, 0)] });
    return model.finish();
  },
  expected: ({ variant }) => (variant === "always" ? { fails: "unlock-not-held" } : "pass"),
};
