// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { together } from "../../../simulator/combine.ts";
import { assign } from "../../../simulator/effect.ts";
import { and, element, eq, gt, not, type Field } from "../../../simulator/expression.ts";
import { dmaDevice, whenProgrammed, type DmaDevice } from "../../../simulator/objects/device.ts";
import { entry, type Entry } from "../../../simulator/objects/entry.ts";
import { copyFolio, folios, maybePinned, shareFolio, type Folios } from "../../../simulator/objects/folio.ts";
import { seqcount, writeBegin, writeEnd, type Seqcount } from "../../../simulator/objects/seqcount.ts";
import { addGupFast } from "../../environment/gup-fast.ts";
import type { CatalogueScenario } from "../scenario.ts";

interface Objects {
  readonly model: ModelBuilder;
  readonly pte: Entry;
  readonly writable: Field;
  readonly child: Entry;
  readonly all: Folios;
  readonly device: DmaDevice;
  readonly seq: Seqcount;
}

function addFork({ model, pte, writable, child, all, seq }: Objects, isFixed: boolean): void {
  const thread = model.thread("fork()", "review");
  if (isFixed) thread.step({ text: "raw_write_seqcount_begin(&mm->write_protect_seq)", isFix: true, ...writeBegin(seq) });
  thread.step({
    text: "page_needs_cow_for_dma(vma, page)",
    alternatives: [
      { guard: not(maybePinned(all, 1)), note: "not pinned" },
      { guard: maybePinned(all, 1), to: "copied", note: "pinned: the child gets a copy" },
    ],
  });
  const share = thread.step({
    text: "ptep_set_wrprotect(src_mm, addr, src_pte): shared with the child",
    effect: [assign(writable, 0), assign(child, 1), ...shareFolio(all, pte)],
  });
  thread.label("copied");
  if (isFixed) thread.step({ text: "raw_write_seqcount_end(&mm->write_protect_seq)", isFix: true, ...writeEnd(seq) });
  model.reach(thread, share, "the page is shared with the child");
}

/** The parent stores to its page: a shared one is copied (do_wp_page(), 5.10: refcount above 1). */
function addParentStore({ model, pte, writable, all }: Objects): void {
  const thread = model.thread("parent", "environment");
  const store = thread.step({
    text: "store: do_wp_page()",
    alternatives: [
      {
        guard: and(eq(writable, 0), gt(element(all.refcount, pte), 1)),
        effect: [...copyFolio(all, pte), assign(writable, 1)],
        note: "in use elsewhere: copies",
      },
      { guard: and(eq(writable, 0), eq(element(all.refcount, pte), 1)), effect: [assign(writable, 1)], note: "the only user" },
      { guard: eq(writable, 1), note: "writable: no fault" },
    ],
  });
  model.reach(thread, store, "the parent stores");
}

function addDevice({ model, pte, device }: Objects): void {
  const thread = model.thread("device", "daemon");
  thread.step({
    text: "DMA write to the buffer",
    ...together(whenProgrammed(device), {
      alternatives: [
        {
          checks: [
            {
              holds: eq(device.target, pte),
              property: "lost-dma",
              message: "the device writes a page that the parent no longer maps: its store made a copy",
            },
          ],
        },
      ],
    }),
  });
}

/** Fork asks for pins, then write-protects; GUP-fast, which takes no lock, pins in between (before 5.11). */
export const forkVsGupFast: CatalogueScenario = {
  id: "pinned-fork-vs-gup-fast",
  rules: ["fork-pin-protocol", "gup-fast-protocol"],
  title: "GUP-fast pins a page that fork has found not to be pinned",
  sources: ["57efa1fe5957 (5.11): mm/gup: prevent gup_fast from racing with COW during fork", "mm/memory.c:1322-1340, mm/gup.c:3002-3032 (6.1.192)"],
  properties: ["lost-dma"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "unordered", what: "nothing orders fork and GUP-fast", isFixed: false },
    { id: "write-protect-seq", what: "fork writes under write_protect_seq, GUP-fast gives up where it is odd or has moved", isFixed: true },
  ],
  axes: { eras: [], releases: ["5.10"], byArchitecture: false },
  build({ variant, release }) {
    // Before 5.9 fork does not ask for pins; from 5.19 on PageAnonExclusive decides as well.
    if (!atLeast(release, "5.9") || atLeast(release, "5.19")) return null;
    const isFixed = variant === "write-protect-seq";
    const model = modelBuilder(`pinned-fork-vs-gup-fast, ${variant}`);
    const names = ["P", "a copy of P"];
    const objects: Objects = {
      model,
      pte: entry(model, "parent's pte", 1, names),
      writable: model.field("write bit of parent's pte", 1, { labels: { 0: "read-only", 1: "writable" } }),
      child: entry(model, "child's pte", 0, names),
      // Before 5.19 nothing says that a page is exclusive.
      all: folios(model, 2, 1, names, { hidden: ["anonExclusive"] }),
      device: dmaDevice(model, names),
      seq: seqcount(model, "write_protect_seq"),
    };
    addFork(objects, isFixed);
    addGupFast(model, {
      kind: "FOLL_PIN",
      all: objects.all,
      pte: { entry: objects.pte, writable: objects.writable },
      device: objects.device,
      ...(isFixed ? { seq: objects.seq } : {}),
    });
    addParentStore(objects);
    addDevice(objects);
    return model.finish();
  },
  orders: [
    {
      source: "57efa1fe5957: the check, the pin, the write protection, the grant",
      variant: "unordered",
      era: "E3",
      steps: [
        { thread: "fork()", step: "page_needs_cow_for_dma(vma, page)" },
        { thread: "pin_user_pages_fast(FOLL_WRITE)", step: "try_grab_folio(FOLL_PIN)" },
        { thread: "fork()", step: "ptep_set_wrprotect(src_mm, addr, src_pte): shared with the child" },
        { thread: "pin_user_pages_fast(FOLL_WRITE)", step: "the page goes to the driver, which programs its device" },
      ],
      expected: "fail",
    },
  ],
  expected: ({ variant }) => (variant === "unordered" ? { fails: "lost-dma" } : "pass"),
};
