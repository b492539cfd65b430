// SPDX-License-Identifier: GPL-2.0-only
import { ERAS } from "../../../kernel/era.ts";
import { modelBuilder } from "../../../simulator/build.ts";
import { assign, increment } from "../../../simulator/effect.ts";
import { and, eq, ne, not } from "../../../simulator/expression.ts";
import type { Model } from "../../../simulator/model.ts";
import { isMapped, isWritablePte, pte } from "../../../simulator/objects/pte.ts";
import type { CatalogueScenario } from "../scenario.ts";
import { vmspliceLeak } from "./vmsplice-leak.ts";

/** The only thread: perf looks at user memory from an NMI. It cannot fault, so what the walk does not take is not seen. */
export function readFromNmi(forcesWrite: boolean): Model {
  const model = modelBuilder(`unconverted-fast-path, ${forcesWrite ? "forced" : "as asked"}`);
  const text = pte(model, "pte(text)", 1, ["program text"]);
  const references = model.field("references", 0);
  const perf = model.thread("perf, in an NMI", "review");
  const found = perf.local("pages", 0);
  const usable = forcesWrite ? isWritablePte(text) : isMapped(text);
  perf.step({
    text: `__get_user_pages_fast(addr, 1, 0, &page): gup_pud_range(.., ${forcesWrite ? "1" : "write"}, ..)`,
    alternatives: [
      { guard: usable, effect: [assign(found, 1), increment(references)], note: "takes the page" },
      { guard: and(isMapped(text), not(usable)), note: "read-only: takes nothing" },
    ],
  });
  const reads = perf.step({
    text: "perf reads what it got",
    checks: [{ holds: ne(found, 0), property: "lost-function", message: "a page that is mapped and may be read is never found: there is no slow path here" }],
  });
  perf.step({ text: "put_page()", guard: eq(found, 1) });
  model.reach(perf, reads, "perf reads");
  return model.finish();
}

const BUILD: Readonly<Record<string, () => Model>> = {
  "own-walker": () => vmspliceLeak("order-0", ERAS.E1, "fast"),
  "own-walker-converted": () => vmspliceLeak("order-0", ERAS.E1, "fast-for-write"),
  "fast-only-forced": () => readFromNmi(true),
  "fast-only-as-asked": () => readFromNmi(false),
};

/**
 * The early COW break, put into the generic `__get_user_pages_fast()` of a kernel whose architectures have walkers of their
 * own: where it should act it is dead code, and where it acts it takes something away.
 */
export const unconvertedFastPathScenario: CatalogueScenario = {
  id: "unconverted-fast-path",
  rules: ["gup-fast-cow-incomplete", "backport-family-incomplete"],
  title: "a backport of the early COW break that misses the fast paths of the architectures",
  sources: [
    "the backport of 17839856fd58 to 4.4 and its twin 9bbd42e79720 in 4.9.y, October 2021",
    "its revert and rework by Ben Hutchings, January 2022: also arch/{mips,s390,sh,sparc,x86}/mm/gup.c",
  ],
  properties: ["info-leak", "lost-function"],
  deadlock: false,
  livelock: null,
  variants: [
    { id: "own-walker", what: "x86: get_user_pages_fast() of arch/x86/mm/gup.c still walks with write=0", isFixed: false },
    { id: "own-walker-converted", what: "x86: its walk asks for a writable entry too", isFixed: true, undone: "own-walker" },
    { id: "fast-only-forced", what: "arm64: __get_user_pages_fast() asks for a writable entry whatever its caller wants", isFixed: false },
    { id: "fast-only-as-asked", what: "arm64: __get_user_pages_fast() does what its caller asks", isFixed: true, undone: "fast-only-forced" },
  ],
  axes: { eras: [], releases: ["4.4.289"], byArchitecture: false },
  build: ({ variant }) => BUILD[variant]?.() ?? null,
  expected: ({ variant }) => (variant === "own-walker" || variant === "fast-only-forced" ? "fail" : "pass"),
};
