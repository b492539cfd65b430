// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { assign, assignAt } from "../../../simulator/effect.ts";
import { and, element, eq, ne } from "../../../simulator/expression.ts";
import { faultIn, installMarker, isWritable, SLOT, storeIsSeen, tellTracker, writeTracking, type WriteTracking } from "../../../simulator/objects/uffd.ts";
import type { CatalogueScenario } from "../scenario.ts";

/** Who protects: page tables of shmem, allocated per PMD, or of hugetlb, allocated per page. */
type Memory = "shmem" | "hugetlb";

const STEPS: Readonly<Record<Memory, { readonly alloc: string; readonly install: string; readonly lost: string }>> = {
  shmem: { alloc: "change_pmd_range(): pte_alloc()", install: "change_pte_range()", lost: "break leaves the macro only, goes on with the next PMD" },
  hugetlb: {
    alloc: "hugetlb_change_protection(): huge_pte_alloc()",
    install: "hugetlb_change_protection(): marker",
    lost: "break: the rest of the range is left as it is",
  },
};

/**
 * `UFFDIO_WRITEPROTECT` of two slots in two page tables, of which the second may find no memory. A table that has an entry
 * exists, so that nothing needs allocating.
 */
function addIoctl(model: ModelBuilder, tracking: WriteTracking, memory: Memory, propagates: boolean): void {
  const { slots } = tracking;
  const thread = model.thread("UFFDIO_WRITEPROTECT", "review");
  const texts = STEPS[memory];
  [0, 1].forEach((slot) => {
    const lost = memory === "hugetlb" ? "done" : `after ${slot}`;
    thread.step({
      text: `${texts.alloc}, page ${slot}`,
      alternatives: [
        {},
        ...(slot === 0 ? [] : [
          {
            guard: eq(element(slots, slot), SLOT.none),
            to: propagates ? "failed" : lost,
            note: propagates ? "no memory: return -ENOMEM" : `no memory: ${texts.lost}`,
          },
        ]),
      ],
    });
    thread.step({
      text: `${texts.install}, page ${slot}`,
      alternatives: [
        { guard: eq(element(slots, slot), SLOT.none), ...installMarker(tracking, slot).alternatives[0], note: "none: installs a marker" },
        { guard: eq(element(slots, slot), SLOT.writable), effect: [assignAt(slots, slot, SLOT.protected)], note: "present: write-protects" },
      ],
    });
    thread.label(`after ${slot}`);
  });
  thread.label("done");
  const done = thread.step({ text: "uffd_wp_range(); the ioctl returns 0", ...tellTracker(tracking) });
  thread.label("failed");
  model.reach(thread, done, "the ioctl succeeds");
}

/** A thread of the tracked process writes one of the pages. */
function addWriter(model: ModelBuilder, tracking: WriteTracking): void {
  const thread = model.thread("tracked writer", "environment");
  const page = thread.local("page", 0, { hidden: true });
  thread.step({ text: "which page", hidden: true, alternatives: [{}, { effect: [assign(page, 1)] }] });
  const fault = faultIn(tracking, page);
  thread.step({
    text: "handle_pte_fault()",
    alternatives: [
      ...fault.alternatives,
      { guard: and(ne(element(tracking.slots, page), SLOT.none), ne(element(tracking.slots, page), SLOT.marker)), note: "mapped already" },
    ],
  });
  const store = thread.step({
    text: "the store",
    alternatives: [
      { guard: isWritable(tracking, page), checks: [storeIsSeen(tracking, page)], note: "goes through" },
      { guard: eq(element(tracking.slots, page), SLOT.protected), note: "write-protect event" },
    ],
  });
  model.reach(thread, store, "a page is written");
}

/** A page table that could not be allocated leaves part of the range without protection, and nobody is told. */
export const lostEnomem: CatalogueScenario = {
  id: "uffd-wp-lost-enomem",
  rules: ["pgtable-alloc-failure-lost"],
  title: "UFFDIO_WRITEPROTECT reports success although a page table could not be allocated",
  sources: [
    "mm/mprotect.c:328-347, mm/hugetlb.c:6700-6702, mm/userfaultfd.c:738 (6.1.192)",
    "d1751118c886 (6.3): mm/uffd: detect pgtable allocation failures; a79390f5d6a7 (6.3)",
  ],
  properties: ["missed-uffd-wp"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "shmem", what: "shmem: break in a macro", isFixed: false },
    { id: "hugetlb", what: "hugetlb: break, then the number of pages is returned", isFixed: false },
    { id: "shmem-propagated", what: "shmem: -ENOMEM is returned at every level", isFixed: true, undone: "shmem" },
    { id: "hugetlb-propagated", what: "hugetlb: -ENOMEM is returned at every level", isFixed: true, undone: "hugetlb" },
  ],
  axes: { eras: [], releases: ["6.1"], byArchitecture: false },
  build({ variant, release }) {
    // Markers, and with them files, came with 5.19.
    if (!atLeast(release, "5.19")) return null;
    const model = modelBuilder(`uffd-wp-lost-enomem, ${variant}`);
    const tracking = writeTracking(model, ["pte 0", "pte 1"]);
    addIoctl(model, tracking, variant.startsWith("shmem") ? "shmem" : "hugetlb", variant.endsWith("-propagated"));
    addWriter(model, tracking);
    return model.finish();
  },
  expected: ({ variant }) => (variant.endsWith("-propagated") ? "pass" : { fails: "missed-uffd-wp" }),
};
