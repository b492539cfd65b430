// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, type EraBehavior, type GupEra } from "../../../kernel/era.ts";
import type { Model } from "../../../simulator/model.ts";
import type { OrderedStep } from "../../../simulator/order.ts";
import type { PageKind } from "../../mechanism/page-behavior.ts";
import { pinnedBuffer, type FastWalk } from "./pinned-buffer.ts";
import type { CatalogueScenario } from "../scenario.ts";

interface Told extends FastWalk {
  readonly kind: PageKind;
  /** Where this is the code, or could have been. */
  readonly eras: readonly GupEra[];
}

const SINCE_5_11: readonly GupEra[] = ["E3b", "E4", "E5", "E6", "E7"];
const SINCE_5_19: readonly GupEra[] = ["E5", "E6", "E7"];

const TOLD: Readonly<Record<string, Told>> = {
  "no-seqcount": { kind: "order-0", seqcount: false, eras: ["E3"] },
  seqcount: { kind: "order-0", seqcount: true, eras: SINCE_5_11 },
  "retry-before-grab": { kind: "order-0", seqcount: true, retry: "before-grab", eras: SINCE_5_11 },
  "told-after-grab": { kind: "order-0", seqcount: true, tells: "after-grab", eras: SINCE_5_11 },
  "hugetlb-no-seqcount": { kind: "hugetlb", seqcount: false, eras: ["E3b", "E4"] },
  "hugetlb-seqcount": { kind: "hugetlb", seqcount: true, eras: SINCE_5_19 },
};

const FIXED = new Set(["seqcount", "hugetlb-seqcount"]);

const PIN_INSIDE_OF_FORK: readonly OrderedStep[] = [
  { thread: "fork of A", step: "copy_present_page(): has_pinned && page_maybe_dma_pinned()?" },
  { thread: "pin_user_pages_fast()", step: "try_grab_folio(FOLL_PIN | FOLL_WRITE)" },
  { thread: "pin_user_pages_fast()", step: "pte_val(pte) != pte_val(*ptep)?" },
  { thread: "fork of A", step: "copy_present_pte(): ptep_set_wrprotect(), the child maps the page" },
  { thread: "thread of A", step: "ptep_clear_flush(), set_pte_at() of the copy" },
  { thread: "device", step: "DMA to the page" },
];

/** The model of a variant under any rules, those of no era included. */
export function gupFastFork(variant: string, era: EraBehavior): Model {
  const told = TOLD[variant];
  if (!told) throw new Error(`no variant: ${variant}`);
  const { kind, eras: _, ...fast } = told;
  return pinnedBuffer({ name: `gup-fast-fork, ${variant}`, era, kind, request: { write: true, pin: true }, order: "any", child: "stays", fast });
}

/** fork() looks for pins, GUP-fast takes one, fork() write-protects: the pin is on a page that is shared now. */
export const gupFastForkScenario: CatalogueScenario = {
  id: "gup-fast-fork",
  rules: ["gup-fast-protocol", "fork-pin-protocol"],
  title: "GUP-fast takes a page while fork() is sharing it",
  sources: ["57efa1fe5957 (5.11)", "623a1ddfeb23 (5.19): hugetlb", "mm/gup.c:3002-3034, mm/memory.c:1310-1340 (6.1.192)"],
  properties: ["lost-dma"],
  deadlock: false,
  livelock: null,
  variants: [
    { id: "no-seqcount", what: "the walk and fork() do not know of each other", isFixed: false },
    { id: "seqcount", what: "write_protect_seq around the copy, read before the walk and after the last page was taken", isFixed: true },
    { id: "retry-before-grab", what: "write_protect_seq is read again before the last page is taken", isFixed: false },
    { id: "told-after-grab", what: "has_pinned is set after the page was taken", isFixed: false },
    { id: "hugetlb-no-seqcount", what: "hugetlb pages, copied early (5.12) but without write_protect_seq", isFixed: false },
    { id: "hugetlb-seqcount", what: "hugetlb pages with write_protect_seq", isFixed: true },
  ],
  axes: { eras: ["E3", "E3b", "E4", "E5", "E6", "E7"], releases: [], byArchitecture: false },
  build: ({ variant, era }) => (TOLD[variant]?.eras.includes(era) ? gupFastFork(variant, ERAS[era]) : null),
  expected: ({ variant }) => (FIXED.has(variant) ? "pass" : "fail"),
  orders: [{ source: "57efa1fe5957", variant: "no-seqcount", era: "E3", steps: PIN_INSIDE_OF_FORK, expected: "fail" }],
};
