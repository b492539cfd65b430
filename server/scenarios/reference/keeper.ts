// SPDX-License-Identifier: GPL-2.0-only
import type { BoundEffect, CallNode } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import type { ModelBuilder } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { and, eq, type Expression, type Field } from "../../simulator/expression.ts";

/*
 * Who else keeps an object while a function uses it without a reference of its own, and which locks of the function keep
 * them from giving theirs up.
 */

export type KeeperId = "mapping" | "page-cache" | "users";

export interface Keeper {
  readonly id: KeeperId;
  /** What is counted: locks under which nobody else can give up the object; null: there are none. */
  readonly section: string | null;
  readonly enters: (effect: BoundEffect) => boolean;
  readonly leaves: (effect: BoundEffect) => boolean;
  /** The other thread, and the step in which the last other reference goes. */
  readonly thread: string;
  readonly drops: string;
  /** True where only an object that was found under such a lock is known to be kept. */
  readonly foundUnder: boolean;
}

const spins = (lock: string): boolean => lock === "ptl" || lock === "spinlock";

/** `zap_pte_range()` (mm/memory.c) clears the entry and drops the mapping's reference under the page-table lock. */
const MAPPING: Keeper = {
  id: "mapping",
  section: "page-table locks held",
  enters: (effect) => (effect.kind === "acquire" && spins(effect.lock)) || effect.kind === "lockEntryTable" || (effect.kind === "mapPte" && effect.locks),
  leaves: (effect) => (effect.kind === "release" && spins(effect.lock)) || ((effect.kind === "unmapPte" || effect.kind === "consumes") && effect.ptl !== null),
  thread: "madvise(MADV_DONTNEED)",
  drops: "zap_pte_range(): under the page-table lock, clears the entry and puts the mapping's reference",
  foundUnder: true,
};

/** `__remove_mapping()` (mm/vmscan.c) and `truncate_inode_folio()` (mm/truncate.c) have the folio locked. */
const PAGE_CACHE: Keeper = {
  id: "page-cache",
  section: "folio locks held",
  enters: (effect) => (effect.kind === "acquire" && effect.lock === "folio_lock") || (effect.kind === "returnsReference" && effect.locks !== undefined),
  leaves: (effect) => effect.kind === "release" && effect.lock === "folio_lock",
  thread: "truncation of the file",
  drops: "truncate_inode_folio(): under the folio lock, takes the folio out of the page cache and puts its reference",
  foundUnder: false,
};

/** `exit_mm()` (kernel/exit.c) gives up the users' count when it likes. */
const USERS: Keeper = {
  id: "users",
  section: null,
  enters: () => false,
  leaves: () => false,
  thread: "exit of the process",
  drops: "exit_mm(): mmput(), the last one: mmdrop() frees it",
  foundUnder: false,
};

/** Who keeps what a call began to hold; null: nothing is known of it. */
export function keeperOf(effect: BoundEffect, call: CallNode): Keeper | null {
  if (effect.kind === "getReference") return MAPPING;
  if (effect.kind !== "returnsReference") return null;
  if (effect.to === "page" || effect.to === "folio") return PAGE_CACHE;
  // The current task has its own, as long as it runs.
  return effect.to === "mm" && !call.args.some((arg) => /\bcurrent\b/.test(render(arg))) ? USERS : null;
}

/**
 * Adds the thread that gives up the last other reference, once. `when`: the function has put its own; what happened before,
 * a second look at the entry under its lock may have told it.
 */
export function addKeeper(model: ModelBuilder, keeper: Keeper, kept: Field, section: Field | null, when: Expression): void {
  const thread = model.thread(keeper.thread, "environment");
  const isFree = and(when, eq(kept, 1), ...(section === null ? [] : [eq(section, 0)]));
  const drop = thread.step({ text: keeper.drops, guard: isFree, effect: [assign(kept, 0)] });
  model.reach(thread, drop, "the last other reference is put");
}
