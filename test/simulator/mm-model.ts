// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder } from "../../server/simulator/build.ts";
import { assign, assignAt, decrementAt, incrementAt } from "../../server/simulator/effect.ts";
import { element, eq, ne } from "../../server/simulator/expression.ts";
import type { Model } from "../../server/simulator/model.ts";
import { downRead, rwsem, upRead } from "../../server/simulator/objects/rwsem.ts";
import { spinLock, spinUnlock, spinlock } from "../../server/simulator/objects/spinlock.ts";

const ENTRIES = [0, 1, 2, 3] as const;

/** CPUs that fault pages of one process in, under split page table locks, each several times, while another one zaps. */
export const faultingCpus = (cpus: number, faults: number): Model => {
  const model = modelBuilder(`${cpus} CPUs, ${faults} faults each`);
  const mmap = rwsem(model, "mmap_lock");
  const locks = [spinlock(model, "ptl of the first table"), spinlock(model, "ptl of the second table")] as const;
  const pte = model.array("pte", ENTRIES.map(() => 1));
  const refs = model.array("refcount", ENTRIES.map(() => 1));
  const tlb = model.array("TLB", Array.from({ length: cpus }, () => 0));
  for (let cpu = 0; cpu < cpus; cpu++) {
    const thread = model.thread(`CPU ${cpu}`, cpu === 0 ? "review" : "environment");
    const value = thread.local("value");
    for (let fault = 0; fault < faults; fault++) {
      const at = (cpu + fault) % ENTRIES.length;
      const lock = locks[at < 2 ? 0 : 1];
      thread.step({ text: "mmap_read_lock()", ...downRead(mmap) });
      thread.step({ text: "pte lock", ...spinLock(lock) });
      thread.step({ text: `value = pte[${at}]`, effect: [assign(value, element(pte, at))] });
      thread.step({
        text: "if (pte_none(value)) set_pte_at()",
        alternatives: [{ guard: eq(value, 0), effect: [assignAt(pte, at, 1), incrementAt(refs, at)] }, { guard: ne(value, 0) }],
      });
      thread.step({ text: "fill the TLB", effect: [assignAt(tlb, cpu, at + 1)] });
      thread.step({ text: "pte unlock", ...spinUnlock(lock) });
      thread.step({ text: "touch the page", effect: [assign(value, 0)] });
      thread.step({ text: "mmap_read_unlock()", ...upRead(mmap) });
    }
  }
  const zap = model.thread("zap", "environment");
  for (const at of [0, 2]) {
    const lock = locks[at < 2 ? 0 : 1];
    zap.step({ text: "mmap_read_lock()", ...downRead(mmap) });
    zap.step({ text: "pte lock", ...spinLock(lock) });
    zap.step({
      text: "if (pte_present()) ptep_clear()",
      alternatives: [{ guard: ne(element(pte, at), 0), effect: [assignAt(pte, at, 0), decrementAt(refs, at)] }, { guard: eq(element(pte, at), 0) }],
    });
    zap.step({ text: "pte unlock", ...spinUnlock(lock) });
    zap.step({ text: "mmap_read_unlock()", ...upRead(mmap) });
  }
  return model.finish();
};
