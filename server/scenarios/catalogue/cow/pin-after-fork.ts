// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, type EraBehavior, type GupEra } from "../../../kernel/era.ts";
import type { Model } from "../../../simulator/model.ts";
import type { OrderedStep } from "../../../simulator/order.ts";
import type { GupRequest } from "../../mechanism/gup.ts";
import { pinnedBuffer, type BufferPlan } from "./pinned-buffer.ts";
import type { CatalogueScenario, Expectation } from "../scenario.ts";

type Told = Pick<BufferPlan, "request" | "order" | "child">;

const PIN_READ: GupRequest = { write: false, pin: true };
const GET_READ: GupRequest = { write: false, pin: false };
const PIN_WRITE: GupRequest = { write: true, pin: true };
const GET_WRITE: GupRequest = { write: true, pin: false };

const TOLD: Readonly<Record<string, Told>> = {
  "pin-read": { request: PIN_READ, order: "fork-first", child: "exits" },
  "get-read": { request: GET_READ, order: "fork-first", child: "exits" },
  "pin-write": { request: PIN_WRITE, order: "fork-first", child: "exits" },
  "get-write": { request: GET_WRITE, order: "fork-first", child: "exits" },
  "pin-read-child-alive": { request: PIN_READ, order: "fork-first", child: "stays" },
  "pin-write-child-alive": { request: PIN_WRITE, order: "fork-first", child: "stays" },
  "pin-read-any-order": { request: PIN_READ, order: "any", child: "may-exit" },
};

/** The model of a variant under any rules, those of no era included. */
export function pinAfterFork(variant: string, era: EraBehavior): Model {
  const told = TOLD[variant];
  if (!told) throw new Error(`no variant: ${variant}`);
  return pinnedBuffer({ name: `pin-after-fork, ${variant}`, era, ...told });
}

/** Eras in which it fails. A read-only reference is taken as the page is mapped, and the next store gets a copy. */
const FAILS: Readonly<Record<string, readonly GupEra[]>> = {
  "pin-read": ["E2", "E3", "E3b", "E4"],
  "get-read": ["E2", "E3", "E3b", "E4", "E5", "E6", "E7"],
  "pin-write": [],
  "get-write": [],
  "pin-read-child-alive": ["E0", "E2", "E3", "E3b", "E4"],
  "pin-write-child-alive": [],
  "pin-read-any-order": ["E0", "E1", "E2", "E3", "E3b", "E4"],
};

const expected = (variant: string, era: GupEra): Expectation => (FAILS[variant]?.includes(era) ? "fail" : "pass");

/** The six steps of the mail, in its order. Where the fifth copies nothing, it is the store that the mail expects to copy. */
const sixSteps = (fifth: "ptep_clear_flush(), set_pte_at() of the copy" | "stores to va"): readonly OrderedStep[] => [
  { thread: "fork of A", step: "mmap_write_unlock(A)" },
  { thread: "child B", step: "exit_mmap(B)" },
  { thread: "pin_user_pages()", step: "mmap_read_unlock(A)" },
  { thread: "pin_user_pages()", step: "the device gets the page (IOMMU, PFN)" },
  { thread: "thread of A", step: fifth },
  { thread: "device", step: "DMA to the page" },
];
const COPIES = sixSteps("ptep_clear_flush(), set_pte_at() of the copy");
const STORES = sixSteps("stores to va");

/** A page that was shared with a child is pinned for reading; the process's next store gets a copy, the device keeps the page. */
export const pinAfterForkScenario: CatalogueScenario = {
  id: "pin-after-fork",
  rules: ["gup-readonly-longterm", "gup-cow-break-missing", "cow-reuse-unsafe"],
  title: "a read-only pin of a page that fork() left write-protected",
  sources: [
    "Peter Xu, Re: [PATCH 1/4] mm: Trial do_wp_page() simplification, 15 September 2020",
    "09854ba94c6a (5.9-rc4), 17839856fd58 (5.8), a7f226604170 (5.19)",
    "mm/memory.c:3456-3510, mm/gup.c:635 (6.1.192)",
  ],
  properties: ["lost-dma"],
  deadlock: false,
  livelock: null,
  variants: [
    { id: "pin-read", what: "FOLL_PIN without FOLL_WRITE, the child is gone", isFixed: false },
    { id: "get-read", what: "FOLL_GET without FOLL_WRITE, the child is gone", isFixed: false },
    { id: "pin-write", what: "FOLL_PIN with FOLL_WRITE: COW is broken before the device gets the page", isFixed: true, undone: "pin-read" },
    { id: "get-write", what: "FOLL_GET with FOLL_WRITE", isFixed: true, undone: "get-read" },
    { id: "pin-read-child-alive", what: "FOLL_PIN without FOLL_WRITE while the child has the page too", isFixed: false },
    { id: "pin-write-child-alive", what: "FOLL_PIN with FOLL_WRITE while the child has the page too", isFixed: true, undone: "pin-read-child-alive" },
    { id: "pin-read-any-order", what: "fork(), exit and FOLL_PIN without FOLL_WRITE at any time", isFixed: false },
  ],
  axes: { eras: ["E0", "E1", "E2", "E3", "E3b", "E4", "E5", "E6", "E7"], releases: [], byArchitecture: false },
  build: ({ variant, era }) => pinAfterFork(variant, ERAS[era]),
  expected: ({ variant, era }) => expected(variant, era),
  orders: [
    { source: "Peter Xu, six steps, in E2", variant: "pin-read-any-order", era: "E2", steps: COPIES, expected: "fail" },
    { source: "Peter Xu, six steps, in E4", variant: "pin-read-any-order", era: "E4", steps: COPIES, expected: "fail" },
    { source: "Peter Xu, six steps, in E0", variant: "pin-read-any-order", era: "E0", steps: STORES, expected: "pass" },
    { source: "Peter Xu, six steps, in E1", variant: "pin-read-any-order", era: "E1", steps: STORES, expected: "pass" },
    { source: "Peter Xu, six steps, in E5", variant: "pin-read-any-order", era: "E5", steps: STORES, expected: "pass" },
  ],
};
