// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, type EraBehavior, type GupEra } from "../../../kernel/era.ts";
import type { Model } from "../../../simulator/model.ts";
import type { OrderedStep } from "../../../simulator/order.ts";
import type { GupRequest } from "../../mechanism/gup.ts";
import { pinnedBuffer, type BufferPlan } from "./pinned-buffer.ts";
import type { CatalogueScenario } from "../scenario.ts";

type Told = Pick<BufferPlan, "request" | "order" | "child" | "advice" | "kind">;

const PIN: GupRequest = { write: true, pin: true };
const GET: GupRequest = { write: true, pin: false };

const TOLD: Readonly<Record<string, Told>> = {
  "pin-child-exits": { request: PIN, order: "pin-first", child: "exits" },
  "pin-child-alive": { request: PIN, order: "pin-first", child: "stays" },
  "get-child-exits": { request: GET, order: "pin-first", child: "exits" },
  "get-child-alive": { request: GET, order: "pin-first", child: "stays" },
  "get-dontfork": { request: GET, order: "pin-first", child: "stays", advice: "dontfork" },
  "get-dofork": { request: GET, order: "pin-first", child: "stays", advice: "dofork" },
  "pin-child-stores": { request: PIN, order: "pin-first", child: "stores" },
  "pin-hugetlb-child-exits": { kind: "hugetlb", request: PIN, order: "pin-first", child: "exits" },
  "pin-hugetlb-child-alive": { kind: "hugetlb", request: PIN, order: "pin-first", child: "stays" },
  "pin-any-order": { request: PIN, order: "any", child: "may-exit" },
};

/** The model of a variant under any rules, those of no era included. */
export function forkAfterPin(variant: string, era: EraBehavior): Model {
  const told = TOLD[variant];
  if (!told) throw new Error(`no variant: ${variant}`);
  return pinnedBuffer({ name: `fork-after-pin, ${variant}`, era, ...told });
}

/**
 * Eras in which it fails: by mapcount only while the child has the page, so that it depends on who stores first; by refcount
 * always; and FOLL_GET is never protected.
 */
const FAILS: Readonly<Record<string, readonly GupEra[]>> = {
  "pin-child-exits": ["E2"],
  "pin-child-alive": ["E0", "E1", "E2"],
  "get-child-exits": ["E2", "E3", "E3b", "E4", "E5", "E6", "E7"],
  "get-child-alive": ["E0", "E1", "E2", "E3", "E3b", "E4", "E5", "E6", "E7"],
  "get-dontfork": [],
  "get-dofork": ["E0", "E1", "E2", "E3", "E3b", "E4", "E5", "E6", "E7"],
  "pin-child-stores": ["E2"],
  "pin-hugetlb-child-exits": [],
  "pin-hugetlb-child-alive": ["E0", "E1", "E2", "E3"],
  "pin-any-order": ["E0", "E1", "E2"],
};

/**
 * "If the #3 pin_user_pages() preceeds the #2 fork, don't we get to the same #5?" The child's exit is not needed, so it is not
 * in the list. Where the fifth copies nothing, it is the store.
 */
const pinPrecedesFork = (fifth: "ptep_clear_flush(), set_pte_at() of the copy" | "stores to va"): readonly OrderedStep[] => [
  { thread: "pin_user_pages()", step: "mmap_read_unlock(A)" },
  { thread: "pin_user_pages()", step: "the device gets the page (IOMMU, PFN)" },
  { thread: "fork of A", step: "mmap_write_unlock(A)" },
  { thread: "thread of A", step: fifth },
  { thread: "device", step: "DMA to the page" },
];

const COPIES = pinPrecedesFork("ptep_clear_flush(), set_pte_at() of the copy");
const STORES = pinPrecedesFork("stores to va");

/** A pinned page is write-protected by fork(): the next store of the process may get a copy, and the device keeps the page. */
export const forkAfterPinScenario: CatalogueScenario = {
  id: "fork-after-pin",
  rules: ["fork-pin-protocol", "cow-reuse-unsafe", "gup-longterm-missing"],
  title: "fork() of a process that has a pinned page",
  sources: [
    "Jason Gunthorpe, Re: [PATCH 1/4] mm: Trial do_wp_page() simplification, 15 September 2020",
    "70e806e4e645, 008cfe4418b3 (5.9): early copy for pinned pages; fb3d824d1a46 (5.19)",
    "mm/memory.c:966 (6.1.192); MADV_DONTFORK: mm/madvise.c:1046 (6.1.192)",
  ],
  properties: ["lost-dma"],
  deadlock: false,
  livelock: null,
  variants: [
    { id: "pin-child-exits", what: "FOLL_PIN with FOLL_WRITE, the child is gone before the store", isFixed: false },
    { id: "pin-child-alive", what: "FOLL_PIN with FOLL_WRITE, the child stays", isFixed: false },
    { id: "get-child-exits", what: "FOLL_GET with FOLL_WRITE (O_DIRECT up to 6.2), the child is gone before the store", isFixed: false },
    { id: "get-child-alive", what: "FOLL_GET with FOLL_WRITE, the child stays", isFixed: false },
    { id: "get-dontfork", what: "FOLL_GET with FOLL_WRITE after madvise(MADV_DONTFORK)", isFixed: true },
    { id: "get-dofork", what: "FOLL_GET with FOLL_WRITE after madvise(MADV_DONTFORK), which madvise(MADV_DOFORK) took back", isFixed: false },
    { id: "pin-child-stores", what: "FOLL_PIN with FOLL_WRITE, and the child stores first", isFixed: false },
    { id: "pin-hugetlb-child-exits", what: "a hugetlb page, whose mappings are counted in all eras; the child is gone before the store", isFixed: false },
    { id: "pin-hugetlb-child-alive", what: "a hugetlb page, copied early since 5.12 only; the child stays", isFixed: false },
    { id: "pin-any-order", what: "FOLL_PIN with FOLL_WRITE, fork() and exit at any time", isFixed: false },
  ],
  axes: { eras: ["E0", "E1", "E2", "E3", "E3b", "E4", "E5", "E6", "E7"], releases: [], byArchitecture: false },
  build: ({ variant, era }) => forkAfterPin(variant, ERAS[era]),
  expected: ({ variant, era }) => (FAILS[variant]?.includes(era) ? "fail" : "pass"),
  orders: [
    { source: "Jason Gunthorpe, the pin precedes the fork, in E2", variant: "pin-any-order", era: "E2", steps: COPIES, expected: "fail" },
    { source: "Jason Gunthorpe, the pin precedes the fork, in E3", variant: "pin-any-order", era: "E3", steps: STORES, expected: "pass" },
  ],
};
