// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import { stepPlace, textAt } from "../program/place.ts";
import type { EffectProgram } from "../program/program.ts";
import { modelBuilder, type ModelBuilder, type ThreadBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { and, eq, FALSE, ne, not, TRUE, type Expression, type Field } from "../simulator/expression.ts";
import type { StepSource } from "../simulator/model.ts";
import type { Experiment } from "./experiment.ts";
import { followPredicate, upstreamPredicate, type EntryBits, type FlagWord } from "./gup-slow-path.ts";

/*
 * Three ways in which `can_follow_write_pte()` (or `_pmd`) goes wrong once GUP forces write faults (17839856fd58): it asks
 * for FOLL_FORCE and never accepts the page that the forced fault made; it does not ask whether the entry is dirty and
 * accepts a page that this call did not make (Dirty COW, 19be0eaffa3a); it takes any dirty entry, although an entry that fork
 * write-protected is dirty too. The rest of the slow path is a template: look up and decide under the page-table lock; fault;
 * again.
 */

/** The predicate as the patch has it, or as upstream has it. */
interface Predicate {
  readonly program: EffectProgram;
  readonly value: Value;
}

interface Slot {
  readonly entry: Field;
  readonly dirty: Field;
  /** FOLL_COW: this call has been through a COW cycle. */
  readonly cow: Field;
  /** The entry that a write fault makes may be written; default: the mapping is read-only, so it stays so. */
  readonly mayWrite?: true;
  /** The call begins when this holds; default: at once. */
  readonly after?: Expression;
}

/** The entry starts with the page that `pages` calls 1, clean; a write fault maps 2. */
const slotOf = (model: ModelBuilder, pages: { readonly labels: Readonly<Record<number, string>> }): Slot => ({
  entry: model.field("pte", 1, pages),
  dirty: model.field("pte dirty", 0, { labels: { 0: "no", 1: "yes" } }),
  cow: model.field("FOLL_COW", 0, { labels: { 0: "clear", 1: "set" } }),
});

const word = (bits: Readonly<Record<string, Expression>>, value: Value): FlagWord => ({ word: value, bit: (name) => bits[name] ?? FALSE });

const sourceOf = ({ program, value }: Predicate): { text: string; source: StepSource | null } => {
  const end = program.image.text.indexOf(";", value.at);
  return {
    text: `${program.name}(): ${textAt(program.image, value.at, end < 0 ? program.end : end)}`,
    source: stepPlace(program.image, value.at),
  };
};

/** The template of the slow path around the lifted predicate. */
function slowPath(
  model: ModelBuilder,
  predicate: Predicate,
  upstream: boolean,
  slot: Slot,
  force: boolean,
  take: { readonly text: string; readonly checks: NonNullable<Parameters<ThreadBuilder["step"]>[0]["checks"]>; readonly page: Field },
): { thread: ThreadBuilder; taken: number } | null {
  const thread = model.thread("__get_user_pages()", "review");
  const bits = { FOLL_WRITE: TRUE, FOLL_FORCE: force ? TRUE : FALSE, FOLL_COW: eq(slot.cow, 1) };
  const entry: EntryBits = { writable: slot.mayWrite ? eq(slot.entry, 2) : FALSE, dirty: eq(slot.dirty, 1) };
  const flags = word(bits, predicate.value);
  const accepts = upstream ? upstreamPredicate(entry, flags) : followPredicate(predicate.value, entry, flags);
  if (accepts === null) return null;
  const shown = sourceOf(predicate);
  const fault = [assign(slot.entry, 2), assign(slot.dirty, 1), assign(slot.cow, 1)];
  if (slot.after) thread.step({ text: "the call begins", hidden: true, guard: slot.after });
  thread.label("retry");
  thread.step({
    ...shown,
    alternatives: [
      { guard: eq(slot.entry, 0), note: "nothing mapped", to: "fault" },
      { guard: and(ne(slot.entry, 0), accepts), effect: [assign(take.page, slot.entry)], note: "true: the page is taken", to: "take" },
      { guard: and(ne(slot.entry, 0), not(accepts)), note: "false: another fault", to: "fault" },
    ],
  });
  thread.label("fault");
  const outcome = slot.mayWrite ? "the entry maps the copy, writable" : "the mapping is read-only, so the entry stays so";
  thread.step({ text: `faultin_page(FAULT_FLAG_WRITE): breaks COW; ${outcome}`, effect: fault, to: "retry" });
  thread.label("take");
  const taken = thread.step({ text: take.text, checks: take.checks });
  return { thread, taken };
}

/** Builds an experiment whose fix is the upstream predicate. */
function aboutPredicate(
  experiment: Omit<Experiment, "build" | "fix" | "mutate" | "wrongFixes">,
  value: Value,
  make: (model: ModelBuilder, predicate: Predicate, upstream: boolean) => boolean,
): Experiment {
  const fixed = new WeakSet<EffectProgram>();
  return {
    ...experiment,
    build(program) {
      const model = modelBuilder(experiment.name);
      return make(model, { program, value }, fixed.has(program)) ? { model: model.finish(), assumptions: [] } : null;
    },
    fix(program) {
      const copy = { ...program };
      fixed.add(copy);
      return { title: "write allowed, or FOLL_COW and dirty (17839856fd58)", program: copy };
    },
    mutate: (program) => ({ ...program }),
    wrongFixes: [],
  };
}

/** B:S5: the page of a read-only file mapping is accepted for writing (CVE-2016-5195). */
export const dirtyCow = (value: Value): Experiment =>
  aboutPredicate(
    {
      name: "dirty-cow",
      primary: ["write-to-file-page"],
      secondary: [],
      bounds: "environment {madvise(MADV_DONTNEED) and a read of the same address}, write through /proc/self/mem (FOLL_WRITE | FOLL_FORCE), SC",
    },
    value,
    (model, predicate, upstream) => {
      const pages = { labels: { 0: "none", 1: "page F of the file", 2: "anonymous copy" } };
      const slot = slotOf(model, pages);
      const page = model.field("page taken", 0, pages);
      const path = slowPath(model, predicate, upstream, slot, true, {
        text: "the kernel writes to the page it took",
        checks: [{ holds: ne(page, 1), property: "write-to-file-page", message: "the write lands in page F of a file that the process may only read" }],
        page,
      });
      if (!path) return false;
      const other = model.thread("another thread", "environment");
      other.step({ text: "madvise(MADV_DONTNEED)", effect: [assign(slot.entry, 0), assign(slot.dirty, 0)] });
      other.step({
        text: "reads the address: maps page F of the file, clean",
        alternatives: [{ guard: eq(slot.entry, 0), effect: [assign(slot.entry, 1), assign(slot.dirty, 0)] }, { guard: ne(slot.entry, 0) }],
      });
      model.reach(path.thread, path.taken, "the kernel writes");
      return true;
    },
  );

/**
 * B:S5, after a fork: `copy_one_pte()` write-protects the entry of a private mapping and leaves its dirty bit alone. Taken as
 * it is, the page is written while the other process reads it.
 */
export const sharedDirty = (value: Value): Experiment =>
  aboutPredicate(
    {
      name: "shared-dirty-page",
      primary: ["write-to-shared-page"],
      secondary: [],
      bounds: "environment {fork() after the page was written, a child that reads}, write through /proc/self/mem (FOLL_WRITE | FOLL_FORCE), private anonymous page, SC",
    },
    value,
    (model, predicate, upstream) => {
      const pages = { labels: { 0: "none", 1: "page X, shared with the child", 2: "copy" } };
      const slot: Slot = { ...slotOf(model, pages), mayWrite: true };
      const page = model.field("page taken", 0, pages);
      const fork = model.thread("child B", "environment");
      const begun = model.field("forked", 0, { hidden: true });
      const path = slowPath(model, predicate, upstream, { ...slot, after: eq(begun, 1) }, true, {
        text: "the kernel writes to the page it took",
        checks: [{ holds: ne(page, 1), property: "write-to-shared-page", message: "the write lands in page X, which fork() left read-only because the child reads it too" }],
        page,
      });
      if (!path) return false;
      fork.step({ text: "fork(): both entries of page X are write-protected now, and as dirty as before", effect: [assign(slot.dirty, 1), assign(begun, 1)] });
      model.reach(path.thread, path.taken, "the kernel writes");
      return true;
    },
  );

/** B:S6: a read-only reference to a page of a PROT_READ mapping that is shared with a child: fault after fault. */
export const endlessFault = (value: Value): Experiment =>
  aboutPredicate(
    {
      name: "endless-fault",
      primary: ["livelock"],
      secondary: [],
      bounds: "one thread; PROT_READ private mapping, page shared with a child, forced write fault without FOLL_FORCE, SC",
      livelock: true,
    },
    value,
    (model, predicate, upstream) => {
      const pages = { labels: { 0: "none", 1: "X", 2: "copy" } };
      const slot = slotOf(model, pages);
      const page = model.field("page taken", 0, pages);
      const path = slowPath(model, predicate, upstream, slot, false, {
        text: "the page is handed to the caller",
        checks: [],
        page,
      });
      if (path) model.reach(path.thread, path.taken, "the page is handed out");
      return path !== null;
    },
  );
