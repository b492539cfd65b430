// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, ThreadBuilder } from "../../simulator/build.ts";
import { together } from "../../simulator/combine.ts";
import { and, eq, not, type Expression, type Field } from "../../simulator/expression.ts";
import { programDevice, type DmaDevice } from "../../simulator/objects/device.ts";
import { getFolio, pinFolio, putFolio, unpinFolio, type Folios } from "../../simulator/objects/folio.ts";
import { assign } from "../../simulator/effect.ts";
import { beginOrGiveUp, retrySeqcount, type Seqcount } from "../../simulator/objects/seqcount.ts";

/** An entry as GUP-fast sees it: which folio, and whether it may be written. */
export interface WalkedEntry {
  readonly entry: Field;
  readonly writable: Field;
}

export interface GupFast {
  readonly kind: "FOLL_PIN" | "FOLL_GET";
  readonly all: Folios;
  readonly pte: WalkedEntry;
  readonly device: DmaDevice;
  /** `write_protect_seq`, where the release has it: its two steps are the fix that the scenario is about. */
  readonly seq?: Seqcount;
  /** Counts the references that were not given back. */
  readonly granted?: Field;
}

const isWritableEntry = ({ entry, writable }: WalkedEntry): Expression => and(not(eq(entry, 0)), eq(writable, 1));

/**
 * `gup_fast_pte_range()` for writing (mm/gup.c:2449-2529, 2989-3036, 6.1.192): read the entry, take the reference, read the
 * entry again; where it has changed, the reference is given back and the slow path decides (not modeled: it takes the locks
 * and faults, which raises the event). A page that is granted goes to a device.
 */
export function addGupFast(model: ModelBuilder, { kind, all, pte, device, seq, granted }: GupFast): ThreadBuilder {
  const thread = model.thread(`${kind === "FOLL_PIN" ? "pin" : "get"}_user_pages_fast(FOLL_WRITE)`, "environment");
  const [folio, seen] = [thread.local("folio", 0, { hidden: true }), thread.local("seq seen", 0, { hidden: true })];
  if (seq) thread.step({ text: "seq = raw_read_seqcount(&mm->write_protect_seq)", isFix: true, ...beginOrGiveUp(seq, seen, "END") });
  thread.step({
    text: "gup_pte_range(): pte = ptep_get_lockless(ptep)",
    alternatives: [
      { guard: isWritableEntry(pte), effect: [assign(folio, pte.entry)], note: "present and writable" },
      { guard: not(isWritableEntry(pte)), to: "END", note: "not writable: slow path" },
    ],
  });
  thread.step({ text: `try_grab_folio(${kind})`, ...(kind === "FOLL_PIN" ? pinFolio(all, folio) : getFolio(all, folio)) });
  const same = and(isWritableEntry(pte), eq(pte.entry, folio));
  thread.step({
    text: "pte_val(pte) != pte_val(ptep_get(ptep))",
    alternatives: [{ guard: same, note: "unchanged" }, { guard: not(same), to: "changed", note: "changed" }],
  });
  if (seq) thread.step({ text: "read_seqcount_retry(&mm->write_protect_seq, seq)", isFix: true, ...retrySeqcount(seq, seen, "changed") });
  const grant = thread.step({
    text: "the page goes to the driver, which programs its device",
    ...together(programDevice(device, folio), { alternatives: [{ effect: granted ? [assign(granted, 1)] : [], to: "END" }] }),
  });
  thread.label("changed");
  thread.step({ text: "gup_put_folio(); slow path", ...(kind === "FOLL_PIN" ? unpinFolio(all, folio) : putFolio(all, folio)) });
  model.reach(thread, grant, "GUP-fast grants the page");
  return thread;
}
