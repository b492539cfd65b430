// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { modelBuilder } from "../../../simulator/build.ts";
import { together } from "../../../simulator/combine.ts";
import { assign } from "../../../simulator/effect.ts";
import { eq, not } from "../../../simulator/expression.ts";
import { dmaDevice, whenProgrammed } from "../../../simulator/objects/device.ts";
import { clearEntry, entry, setEntry } from "../../../simulator/objects/entry.ts";
import { folios, maybePinned } from "../../../simulator/objects/folio.ts";
import { addGupFast } from "../../environment/gup-fast.ts";
import type { CatalogueScenario } from "../scenario.ts";

/**
 * A plain reference is no pin: O_DIRECT with FOLL_GET writes a page that was write-protected in the right order. There is no
 * fix but another kind of reference (iov_iter_extract_pages(), 6.3 to 6.5).
 */
export const invisibleReference: CatalogueScenario = {
  id: "pinned-foll-get-is-not-seen",
  rules: ["write-protect-ignores-pins"],
  title: "O_DIRECT with FOLL_GET writes a page behind its write protection",
  sources: ["mm.h:1585 (6.1.192): folio_maybe_dma_pinned() sees pins only", "the conversion of O_DIRECT to FOLL_PIN (6.3 to 6.5)"],
  properties: ["untracked-write"],
  deadlock: true,
  livelock: null,
  variants: [{ id: "foll-get", what: "cleared, flushed, checked, write-protected; the reader holds a plain reference", isFixed: false }],
  axes: { eras: [], releases: ["6.1"], byArchitecture: false },
  build({ release }) {
    // Pins are told apart from references since 5.7.
    if (!atLeast(release, "5.7")) return null;
    const model = modelBuilder("pinned-foll-get-is-not-seen");
    const pte = entry(model, "pte", 1, ["P"]);
    const writable = model.field("write bit of pte", 1, { labels: { 0: "read-only", 1: "writable" } });
    const [all, device] = [folios(model, 1, 1, ["P"]), dmaDevice(model, ["P"])];
    const done = model.field("operation", 0, { hidden: true });
    const thread = model.thread("write-protect", "review");
    thread.step({ text: "ptep_clear_flush(vma, addr, ptep)", ...clearEntry(pte) });
    const check = thread.step({
      text: "folio_maybe_dma_pinned(folio)",
      alternatives: [{ guard: not(maybePinned(all, 1)), note: "not pinned" }, { guard: maybePinned(all, 1), to: "restore", note: "pinned" }],
    });
    thread.step({
      text: "set_pte_at(mm, addr, ptep, pte_wrprotect(pte)); the tracker is told",
      effect: [assign(pte, 1), assign(writable, 0), assign(done, 1)],
      to: "END",
    });
    thread.label("restore");
    thread.step({ text: "set_pte_at(mm, addr, ptep, pte): restored, -EBUSY", ...setEntry(pte, 1) });
    model.reach(thread, check, "a pin is looked for");
    addGupFast(model, { kind: "FOLL_GET", all, pte: { entry: pte, writable }, device });
    const dma = model.thread("device", "daemon");
    dma.step({
      text: "DMA write to P",
      ...together(whenProgrammed(device), {
        alternatives: [
          {
            checks: [
              {
                holds: eq(done, 0),
                property: "untracked-write",
                message: "the page is written without a fault after the tracker was told that it is write-protected",
              },
            ],
          },
        ],
      }),
    });
    return model.finish();
  },
  expected: () => ({ fails: "untracked-write" }),
};
