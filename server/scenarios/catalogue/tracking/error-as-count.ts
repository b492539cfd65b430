// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder } from "../../../simulator/build.ts";
import { assign } from "../../../simulator/effect.ts";
import { eq, lt, plus } from "../../../simulator/expression.ts";
import type { CatalogueScenario } from "../scenario.ts";

/** -ENOMEM in one byte. */
const ENOMEM = 256 - 12;
/** No range of the scenario has that many pages. */
const MOST_PAGES = 100;

/** A negative error is added to an unsigned count of pages, and the callers take it for progress. */
export const errorAsCount: CatalogueScenario = {
  id: "protection-error-as-count",
  rules: ["pgtable-alloc-failure-lost"],
  title: "an error of change_protection() is added to an unsigned number of pages",
  sources: ["mm/mempolicy.c:635 (6.1.192): change_prot_numa()", "a79390f5d6a7 (6.3): use long for page accountings and retval"],
  properties: ["lost-error"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "unsigned", what: "unsigned long pages += ret", isFixed: false },
    { id: "tested", what: "long ret, returned where it is negative", isFixed: true },
  ],
  axes: { eras: [], releases: ["6.3"], byArchitecture: false },
  build({ variant }) {
    const model = modelBuilder(`protection-error-as-count, ${variant}`);
    const thread = model.thread("change_protection()", "review");
    const labels = { [ENOMEM]: "-ENOMEM", [ENOMEM + 1]: "ULONG_MAX - 10" };
    const [ret, pages] = [thread.local("ret", 0, { labels }), thread.local("pages", 0, { labels })];
    ["first", "second"].forEach((which) => {
      thread.step({
        text: `ret = change_pmd_range(), ${which} PUD entry`,
        alternatives: [{ effect: [assign(ret, 1)], note: "one page" }, { effect: [assign(ret, ENOMEM)], note: "no page table" }],
      });
      if (variant === "tested")
        thread.step({
          text: "if (ret < 0) return ret",
          isFix: true,
          alternatives: [{ guard: lt(ret, MOST_PAGES) }, { guard: eq(ret, ENOMEM), to: "END", note: "-ENOMEM" }],
        });
      thread.step({ text: "pages += ret", effect: [assign(pages, plus(pages, ret))] });
    });
    const count = thread.step({
      text: "count_vm_numa_events(NUMA_PTE_UPDATES, pages)",
      checks: [{ holds: lt(pages, MOST_PAGES), property: "lost-error", message: "the caller takes an error for a number of pages" }],
    });
    model.reach(thread, count, "the pages are counted");
    return model.finish();
  },
  expected: ({ variant }) => (variant === "unsigned" ? { fails: "lost-error" } : "pass"),
};
