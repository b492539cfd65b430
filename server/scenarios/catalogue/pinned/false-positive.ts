// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { eq, gt, not, TRUE, type Expression, type Field } from "../../../simulator/expression.ts";
import { dmaDevice, type DmaDevice } from "../../../simulator/objects/device.ts";
import { clearEntry, entry, setEntry, type Entry } from "../../../simulator/objects/entry.ts";
import { folios, maybePinned, type Folios } from "../../../simulator/objects/folio.ts";
import { addGupFast } from "../../environment/gup-fast.ts";
import type { CatalogueScenario } from "../scenario.ts";

/** Why the page looks pinned: a large folio with a pin of GUP-fast that is about to be dropped, or a small one with 1024 references. */
type Cause = "transient" | "references";
/** What the operation makes of it. */
type Answer = "error" | "retry" | "skip";

interface Told {
  readonly cause: Cause;
  readonly answer: Answer;
}

const TOLD: Readonly<Record<string, Told>> = {
  "transient-error": { cause: "transient", answer: "error" },
  "references-error": { cause: "references", answer: "error" },
  "transient-retried": { cause: "transient", answer: "retry" },
  "references-skipped": { cause: "references", answer: "skip" },
};

const CAUSES: Readonly<Record<Cause, string>> = {
  transient: "a transient pin of GUP-fast on a large folio",
  references: "1024 plain references on a small folio",
};
const ANSWERS: Readonly<Record<Answer, string>> = {
  error: "a hard error is returned",
  retry: "-EAGAIN, and the caller tries again",
  skip: "the page is left as it is and reported as dirty",
};

interface Objects {
  readonly model: ModelBuilder;
  readonly pte: Entry;
  readonly writable: Field;
  readonly all: Folios;
  readonly device: DmaDevice;
  /** Pins that someone keeps. */
  readonly granted: Field;
}

function addMove({ model, pte, all, granted }: Objects, { cause, answer }: Told): void {
  const thread = model.thread("move", "review");
  const looksPinned: Expression = cause === "references" ? TRUE : maybePinned(all, 1);
  thread.label("again");
  const clear = thread.step({ text: "ptep_clear_flush(vma, addr, ptep)", ...clearEntry(pte) });
  thread.step({
    text: "folio_maybe_dma_pinned(folio)",
    alternatives: [
      { guard: not(looksPinned), note: "not pinned" },
      { guard: looksPinned, to: "pinned", note: cause === "references" ? "refcount is 1024 or more" : "_pincount is not 0" },
    ],
  });
  thread.step({ text: "the page is moved", to: "END" });
  thread.label("pinned");
  thread.step({ text: "set_pte_at(mm, addr, ptep, pte): restored", ...setEntry(pte, 1) });
  if (answer === "error") {
    thread.step({
      text: "return -EFAULT",
      checks: [{ holds: maybePinned(all, 1), property: "spurious-error", message: "userspace gets an error although nobody has the page pinned" }],
    });
  } else if (answer === "retry") {
    thread.step({
      text: "return -EAGAIN: userspace tries again",
      alternatives: [{ guard: gt(granted, 0), to: "END", note: "still pinned: gives up" }, { guard: eq(granted, 0), to: "again" }],
    });
  } else {
    thread.step({ text: "the page is reported as dirty" });
  }
  model.reach(thread, clear, "the entry is cleared");
}

/**
 * folio_maybe_dma_pinned() says "maybe". A property of its own: nothing is corrupted, but an operation fails for ever for
 * userspace, or a transient state of GUP-fast becomes an error. What may be done instead is to ask again or to report too much.
 */
export const falsePositive: CatalogueScenario = {
  id: "pinned-false-positive",
  rules: ["pinned-as-hard-error"],
  title: "a page that only looks pinned makes an operation fail",
  sources: [
    "include/linux/mm.h:1585 (6.1.192): GUP_PIN_COUNTING_BIAS",
    "mm/gup.c:125-180: a pin that is dropped again",
    "fs/proc/task_mmu.c: soft-dirty may say too much",
    "adef440691ba (6.8): -EBUSY, which callers may retry",
  ],
  properties: ["spurious-error"],
  deadlock: true,
  livelock: "move",
  variants: Object.entries(TOLD).map(([id, { cause, answer }]) => ({
    id, what: `${CAUSES[cause]}; ${ANSWERS[answer]}`, isFixed: answer !== "error", ...(answer === "error" ? {} : { undone: `${cause}-error` }),
  })),
  axes: { eras: [], releases: ["6.1"], byArchitecture: false },
  build({ variant, release }) {
    // Pins are told apart from references since 5.7.
    if (!atLeast(release, "5.7")) return null;
    const told = TOLD[variant]!;
    const model = modelBuilder(`pinned-false-positive, ${variant}`);
    const objects: Objects = {
      model,
      pte: entry(model, "pte", 1, ["P"]),
      writable: model.field("write bit of pte", 1, { labels: { 0: "read-only", 1: "writable" } }),
      all: folios(model, 1, 1, ["P"]),
      device: dmaDevice(model, ["P"]),
      granted: model.field("pins that are kept"),
    };
    addMove(objects, told);
    if (told.cause === "transient") addGupFast(model, {
      kind: "FOLL_PIN",
      all: objects.all,
      pte: { entry: objects.pte, writable: objects.writable },
      device: objects.device,
      granted: objects.granted,
    });
    return model.finish();
  },
  expected: ({ variant }) => (TOLD[variant]!.answer === "error" ? { fails: "spurious-error" } : "pass"),
};
