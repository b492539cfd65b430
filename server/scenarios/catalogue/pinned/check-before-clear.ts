// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { together } from "../../../simulator/combine.ts";
import { assign } from "../../../simulator/effect.ts";
import { eq, not, type Field } from "../../../simulator/expression.ts";
import type { Check } from "../../../simulator/model.ts";
import { dmaDevice, whenProgrammed, type DmaDevice } from "../../../simulator/objects/device.ts";
import { clearEntry, entry, setEntry, type Entry } from "../../../simulator/objects/entry.ts";
import { folios, maybePinned, type Folios } from "../../../simulator/objects/folio.ts";
import { fillTlb, flushTlb, storesThrough, tlbSlot, type TlbSlot } from "../../../simulator/objects/tlb.ts";
import { addGupFast } from "../../environment/gup-fast.ts";
import type { CatalogueScenario } from "../scenario.ts";

/** What is done to the page: write-protected for a tracker, or moved to another address. */
type Purpose = "track" | "move";
/** Who writes behind it: a device with a pin of GUP-fast, or a CPU with an entry in its TLB. */
type Writer = "device" | "cpu";

interface Told {
  readonly purpose: Purpose;
  readonly writer: Writer;
  readonly order: "check-first" | "clear-first";
  readonly flush: boolean;
}

const TOLD: Readonly<Record<string, Told>> = {
  "check-first-track": { purpose: "track", writer: "device", order: "check-first", flush: true },
  "check-first-move": { purpose: "move", writer: "device", order: "check-first", flush: true },
  "no-flush": { purpose: "track", writer: "cpu", order: "clear-first", flush: false },
  "clear-first-track": { purpose: "track", writer: "device", order: "clear-first", flush: true },
  "clear-first-move": { purpose: "move", writer: "device", order: "clear-first", flush: true },
  flushed: { purpose: "track", writer: "cpu", order: "clear-first", flush: true },
};

const UNDONE: Readonly<Record<string, string>> = { "clear-first-track": "check-first-track", "clear-first-move": "check-first-move", flushed: "no-flush" };

const WHAT: Readonly<Record<string, string>> = {
  "check-first-track": "folio_maybe_dma_pinned(), then the entry is write-protected",
  "check-first-move": "folio_maybe_dma_pinned(), then the page is moved",
  "no-flush": "ptep_get_and_clear() without a TLB flush, then the check, then write-protected",
  "clear-first-track": "cleared and flushed, checked, then write-protected or restored",
  "clear-first-move": "cleared and flushed, checked, then moved or restored",
  flushed: "ptep_clear_flush(), then the check, then write-protected",
};

interface Objects {
  readonly model: ModelBuilder;
  readonly pte: Entry;
  readonly writable: Field;
  readonly dst: Entry;
  readonly all: Folios;
  readonly device: DmaDevice;
  readonly tlb: TlbSlot;
  /** The operation has succeeded: from here on a write without a fault is a write that nobody sees. */
  readonly done: Field;
}

function addReviewed({ model, pte, writable, dst, all, tlb, done }: Objects, { purpose, order, flush }: Told): void {
  const thread = model.thread(purpose === "track" ? "write-protect" : "move", "review");
  const check = (pinned: string): void => {
    thread.step({
      text: "folio_maybe_dma_pinned(folio)",
      alternatives: [{ guard: not(maybePinned(all, 1)), note: "not pinned" }, { guard: maybePinned(all, 1), to: pinned, note: "pinned" }],
    });
  };
  if (order === "check-first") check("END");
  const clear = thread.step(
    flush
      ? { text: "ptep_clear_flush(vma, addr, ptep)", ...together(clearEntry(pte), flushTlb(tlb)) }
      : { text: "ptep_get_and_clear(mm, addr, ptep)", ...clearEntry(pte) },
  );
  if (order === "clear-first") check("restore");
  thread.step(
    purpose === "track"
      ? {
        text: "set_pte_at(mm, addr, ptep, pte_wrprotect(pte)); the tracker is told",
        effect: [assign(pte, 1), assign(writable, 0), assign(done, 1)],
        to: "END",
      }
      : { text: "set_pte_at(mm, dst_addr, dst_pte, pte); UFFDIO_MOVE returns 0", effect: [assign(dst, 1), assign(done, 1)], to: "END" },
  );
  thread.label("restore");
  thread.step({ text: "set_pte_at(mm, addr, ptep, pte): restored, -EBUSY", ...setEntry(pte, 1) });
  model.reach(thread, clear, "the entry is cleared");
}

const UNSEEN: Check["message"] = "the page is written without a fault after the tracker was told that it is write-protected";

function addDevice({ model, device, done }: Objects, { purpose }: Told): void {
  const thread = model.thread("device", "daemon");
  const check: Check = {
    holds: eq(done, 0),
    ...(purpose === "track"
      ? { property: "untracked-write", message: UNSEEN }
      : { property: "lost-dma", message: "the device writes a page that is mapped at another address by now" }),
  };
  const write = thread.step({ text: "DMA write to P", ...together(whenProgrammed(device), { alternatives: [{ checks: [check] }] }) });
  model.reach(thread, write, "the device writes");
}

function addCpu({ model, pte, writable, tlb, done }: Objects): void {
  const thread = model.thread("CPU 1", "daemon");
  thread.step({ text: "the page table is walked", ...fillTlb(tlb, pte, writable) });
  const store = thread.step({
    text: "a store through the TLB",
    guard: storesThrough(tlb),
    checks: [{ holds: eq(done, 0), property: "untracked-write", message: UNSEEN }],
  });
  model.reach(thread, store, "the CPU stores");
}

/** Whether a page is pinned is asked before its entry is cleared and flushed: GUP-fast pins it in between. */
export const checkBeforeClear: CatalogueScenario = {
  id: "pinned-check-before-clear",
  rules: ["pinned-check-before-clear", "anon-move-unexclusive"],
  title: "a pin is looked for before the entry is cleared",
  sources: [
    "include/linux/rmap.h:268-352, mm/gup.c:2449-2529 (6.1.192): the protocol", "mm/ksm.c:1072-1085 (6.1.192): clear, flush, then compare",
    "fs/proc/task_mmu.c:1083-1123 (6.1.192): check first, tolerated for soft-dirty", "adef440691ba (6.8): checked again after ptep_clear_flush()",
  ],
  properties: ["untracked-write", "lost-dma"],
  deadlock: true,
  livelock: null,
  variants: Object.keys(TOLD).map((id) => ({
    id,
    what: WHAT[id]!,
    isFixed: UNDONE[id] !== undefined,
    ...(UNDONE[id] === undefined ? {} : { undone: UNDONE[id] }),
  })),
  axes: { eras: [], releases: ["6.1"], byArchitecture: false },
  build({ variant, release }) {
    // Pins are told apart from references since 5.7.
    if (!atLeast(release, "5.7")) return null;
    const told = TOLD[variant]!;
    const model = modelBuilder(`pinned-check-before-clear, ${variant}`);
    const objects: Objects = {
      model,
      pte: entry(model, "pte", 1, ["P"]),
      writable: model.field("write bit of pte", 1, { labels: { 0: "read-only", 1: "writable" } }),
      dst: entry(model, "dst_pte", 0, ["P"]),
      all: folios(model, 1, 1, ["P"]),
      device: dmaDevice(model, ["P"]),
      tlb: tlbSlot(model, "CPU 1", 0, 0, ["P"]),
      done: model.field("operation", 0, { hidden: true }),
    };
    addReviewed(objects, told);
    if (told.writer === "cpu") addCpu(objects);
    else {
      addGupFast(model, { kind: "FOLL_PIN", all: objects.all, pte: { entry: objects.pte, writable: objects.writable }, device: objects.device });
      addDevice(objects, told);
    }
    return model.finish();
  },
  orders: [
    {
      source: "the check, the pin of GUP-fast, the clear, the DMA",
      variant: "check-first-track",
      era: "E5",
      steps: [
        { thread: "write-protect", step: "folio_maybe_dma_pinned(folio)" },
        { thread: "pin_user_pages_fast(FOLL_WRITE)", step: "try_grab_folio(FOLL_PIN)" },
        { thread: "pin_user_pages_fast(FOLL_WRITE)", step: "pte_val(pte) != pte_val(ptep_get(ptep))" },
        { thread: "write-protect", step: "ptep_clear_flush(vma, addr, ptep)" },
        { thread: "device", step: "DMA write to P" },
      ],
      expected: "fail",
    },
  ],
  expected({ variant }) {
    if (UNDONE[variant] !== undefined) return "pass";
    return { fails: variant === "check-first-move" ? "lost-dma" : "untracked-write" };
  },
};
