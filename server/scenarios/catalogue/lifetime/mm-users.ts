// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder, type ModelBuilder, type ThreadBuilder } from "../../../simulator/build.ts";
import { assign } from "../../../simulator/effect.ts";
import { eq, type Field } from "../../../simulator/expression.ts";
import { exitMmap, mappingsLive, mm, mmdrop, mmget, mmgetNotZero, mmgrab, mmput, type Mm } from "../../../simulator/objects/mm.ts";
import { downRead, downWrite, rwsem, upRead, upWrite, type Rwsem } from "../../../simulator/objects/rwsem.ts";
import type { CatalogueScenario } from "../scenario.ts";

interface Uffd {
  readonly model: ModelBuilder;
  readonly of: Mm;
  readonly lock: Rwsem;
  /** The file exists, and another process has it too. */
  readonly open: Field;
}

/** `mmput()` and, for the last user, what `__mmput()` does. */
function addMmput(thread: ThreadBuilder, { of, lock }: Uffd): void {
  thread.step({ text: "mmput(mm)", ...mmput(of, "not the last") });
  thread.step({ text: "exit_mmap(): mmap_write_lock(mm)", ...downWrite(lock) });
  thread.step({ text: "exit_mmap(): free_pgtables()", ...exitMmap(of) });
  thread.step({ text: "exit_mmap(): mmap_write_unlock(mm)", ...upWrite(lock) });
  thread.step({ text: "__mmput(): mmdrop(mm)", ...mmdrop(of) });
  thread.label("not the last");
}

/** The process opens a userfaultfd, hands it to a monitor and exits. */
function addOwner(uffd: Uffd, variant: string): void {
  const { model, of, open } = uffd;
  const thread = model.thread("process", "environment");
  if (variant !== "no-mmgrab") thread.step({ text: "userfaultfd(): mmgrab(ctx->mm)", ...mmgrab(of) });
  thread.step({ text: "hands the file to the monitor", effect: [assign(open, 1)] });
  addMmput(thread, uffd);
}

/** The monitor resolves a fault, at any time, and closes the file. */
function addCopy(uffd: Uffd, variant: string): void {
  const { model, of, lock, open } = uffd;
  const thread = model.thread("monitor: UFFDIO_COPY", "review");
  thread.step({ text: "ioctl(uffd, UFFDIO_COPY)", guard: eq(open, 1) });
  if (variant === "mmget") thread.step({ text: "mmget(ctx->mm)", ...mmget(of) });
  if (variant === "mmget-not-zero" || variant === "no-mmgrab") thread.step({ text: "mmget_not_zero(ctx->mm)", ...mmgetNotZero(of, "out") });
  thread.step({ text: "mmap_read_lock(dst_mm)", ...downRead(lock) });
  const walk = thread.step({ text: "dst_pmd = mm_alloc_pmd(dst_mm, dst_addr)", checks: [mappingsLive(of)] });
  thread.step({ text: "mmap_read_unlock(dst_mm)", ...upRead(lock) });
  if (variant !== "no-mmget") addMmput(thread, uffd);
  thread.label("out");
  if (variant !== "no-mmgrab") thread.step({ text: "userfaultfd_release(): mmdrop(ctx->mm)", ...mmdrop(of) });
  model.reach(thread, walk, "the page tables are walked");
}

/** A file outlives the process that opened it: it keeps the structure, and asks for the mappings each time. */
export const mmUsers: CatalogueScenario = {
  id: "mm-used-after-exit",
  rules: ["reference-imbalance"],
  title: "page tables are walked after the last user of the mm is gone",
  sources: [
    "d2005e3f41d4: userfaultfd: don't pin the user memory in userfaultfd_file_create()",
    "fs/userfaultfd.c (6.1.192): mmgrab() in userfaultfd(), mmget_not_zero() in userfaultfd_copy()",
  ],
  properties: ["uaf", "underflow"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "no-mmget", what: "the file keeps mm_count, and nobody asks for mm_users", isFixed: false },
    { id: "mmget", what: "mmget() takes a user from 0 to 1 after exit_mmap()", isFixed: false },
    { id: "no-mmgrab", what: "mmget_not_zero() without a reference that keeps the structure", isFixed: false },
    { id: "mmget-not-zero", what: "mmgrab() for the file, mmget_not_zero() for each use", isFixed: true, undone: "no-mmget" },
  ],
  axes: { eras: [], releases: ["6.1"], byArchitecture: false },
  build({ variant }) {
    const model = modelBuilder(`mm-used-after-exit, ${variant}`);
    const open = model.field("userfaultfd", 0, { labels: { 0: "not open", 1: "open" } });
    const uffd: Uffd = { model, of: mm(model, "mm"), lock: rwsem(model, "mmap_lock"), open };
    addCopy(uffd, variant);
    addOwner(uffd, variant);
    return model.finish();
  },
  expected: ({ variant }) => (variant === "mmget-not-zero" ? "pass" : { fails: "uaf" }),
};
