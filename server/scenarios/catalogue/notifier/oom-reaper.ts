// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { modelBuilder } from "../../../simulator/build.ts";
import { assign } from "../../../simulator/effect.ts";
import { eq, ne } from "../../../simulator/expression.ts";
import { clearEntry, entry } from "../../../simulator/objects/entry.ts";
import { folioLives, folios, putFolio } from "../../../simulator/objects/folio.ts";
import { endInvalidateKvm, intervalSubscriber, invalidateInterval, invalidateKvm, kvmSubscriber } from "../../../simulator/objects/notifier.ts";
import { downWrite, rwsem, tryDownRead, upRead, upWrite } from "../../../simulator/objects/rwsem.ts";
import { addGuest } from "../../environment/guest.ts";
import type { CatalogueScenario } from "../scenario.ts";
import { END, START_NONBLOCK } from "./moved-page.ts";

/**
 * The one function that may start without blocking, because it must not wait for anyone: what was refused it leaves alone.
 * The vCPU stands for any subscriber that is told on the list; a victim's own would be out of the guest by now.
 */
export const oomReaper: CatalogueScenario = {
  id: "notifier-oom-reaper",
  rules: ["notifier-nonblock-unchecked"],
  title: "the OOM reaper unmaps what a subscriber refused to let go",
  sources: ["mm/oom_kill.c:519-561, 598 (6.1.192)", "93065ac753e4 (4.19): mm, oom: distinguish blockable mode for mmu notifiers"],
  properties: ["uaf"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "ignored", what: "the refusal is ignored", isFixed: false },
    { id: "skipped", what: "the range is skipped: neither unmapped nor ended", isFixed: true },
  ],
  axes: { eras: [], releases: ["6.1"], byArchitecture: false },
  build({ variant, release }) {
    // Interval notifiers came with 5.5.
    if (!atLeast(release, "5.5")) return null;
    const model = modelBuilder(`notifier-oom-reaper, ${variant}`);
    const pte = entry(model, "pte", 1, ["P"]);
    const all = folios(model, 1, 1, ["P"]);
    const kvm = kvmSubscriber(model, 1, ["P"]);
    const driver = intervalSubscriber(model, "device", 1, ["P"]);
    const mmapLock = rwsem(model, "mmap_lock");
    const reaper = model.thread("oom_reaper", "review");
    const err = reaper.local("err", 0, { labels: { 0: "0", 1: "-EAGAIN" } });
    reaper.step({ text: "mmap_read_trylock(mm)", ...tryDownRead(mmapLock, "END") });
    const [refuse, accept] = invalidateInterval(driver, "started").alternatives;
    reaper.step({ text: START_NONBLOCK, alternatives: [{ ...refuse!, effect: [assign(err, 1)] }, accept!] });
    reaper.step({ text: "kvm_mmu_notifier_invalidate_range_start()", ...invalidateKvm(kvm) });
    reaper.label("started");
    if (variant === "skipped")
      reaper.step({
        text: "if (err) continue",
        isFix: true,
        alternatives: [{ guard: eq(err, 0) }, { guard: ne(err, 0), to: "out", note: "refused: left for exit_mmap()" }],
      });
    const zap = reaper.step({ text: "unmap_page_range(tlb, vma)", ...clearEntry(pte) });
    reaper.step({ text: "tlb_finish_mmu(): the page is freed", ...putFolio(all, 1) });
    reaper.step({ text: END, ...endInvalidateKvm(kvm) });
    reaper.label("out");
    reaper.step({ text: "mmap_read_unlock(mm)", ...upRead(mmapLock) });
    model.reach(reaper, zap, "the victim's memory is reaped");
    const exit = model.thread("exit_mmap()", "environment");
    exit.step({ text: "mmap_write_lock(mm)", ...downWrite(mmapLock) });
    exit.step({ text: "mmap_write_unlock(mm)", ...upWrite(mmapLock) });
    addGuest(model, kvm, pte, folioLives(all, kvm.spte));
    return model.finish();
  },
  expected: ({ variant }) => (variant === "ignored" ? { fails: "uaf" } : "pass"),
};
