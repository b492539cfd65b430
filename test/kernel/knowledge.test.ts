// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from "vitest";
import { NOT_MODELLED } from "../../server/kernel/api/not-modelled.ts";
import type { ApiFact, Effect } from "../../server/kernel/effect.ts";
import { allFacts, isQuiet } from "../../server/kernel/facts.ts";
import { GUP_NAMES, NEVER_SLEEPS, NOTIFIER_NAMES } from "./knowledge-names.ts";

const SECTIONS = [...NOTIFIER_NAMES, ...GUP_NAMES];
const factsOf = (name: string): readonly ApiFact[] => allFacts.filter((fact) => fact.name === name);
const hasFact = (name: string): boolean => factsOf(name).length > 0;

/** Names of a section without any of the effects in any release, though they have a fact. */
const without = (title: string, kinds: readonly Effect["kind"][], except: readonly string[] = []): string[] => {
  const found = SECTIONS.find((one) => one.section === title);
  if (!found) throw new Error(`no section ${title}`);
  return found.names.filter(
    (name) => !except.includes(name) && !(name in NOT_MODELLED) && !factsOf(name).some((fact) => fact.effects.some((effect) => kinds.includes(effect.kind))),
  );
};

describe("the knowledge tables", () => {
  it.each(SECTIONS)("have a fact, or a reason for none, for each name: $section", ({ names }) => {
    expect(names.filter((name) => !hasFact(name) && !(name in NOT_MODELLED))).toEqual([]);
  });

  it("give reasons only for names that have no fact and stand in a table", () => {
    const named = new Set(SECTIONS.flatMap(({ names }) => names));
    expect(Object.keys(NOT_MODELLED).filter((name) => hasFact(name) || !named.has(name))).toEqual([]);
  });

  it("say what the table says: locks are taken or given back", () => {
    expect(without("sleeping locks", ["acquire", "release"], ["vma_start_write", "rmap_walk_file", "rmap_walk_locked"])).toEqual([]);
  });

  it("say what the table says: atomic contexts are entered or left", () => {
    const kinds: Effect["kind"][] = ["acquire", "release", "mapPte", "seqcountSection", "unmapPte", "lockEntryTable", "ptlOf", "enterAtomic", "leaveAtomic", "walkMapped", "notifierStart", "notifierEnd"];
    expect(without("spinning and atomic contexts", kinds)).toEqual([]);
  });

  it("say what the table says: maps and locks of the caller are consumed", () => {
    const ownMap = ["migration_entry_wait", "__migration_entry_wait_huge", "finish_fault"];
    expect(without("locks that a callee releases for its caller", ["consumes", "dropsLock", "release"], ownMap)).toEqual([]);
  });

  it("say what the table says: mmap_lock is dropped", () => {
    const takesItself = ["mcopy_atomic", "__vm_munmap", "find_extend_vma", "mmap_write_downgrade", "migrate_pages"];
    expect(without("functions that drop mmap_lock", ["dropsLock"], takesItself)).toEqual([]);
  });

  it("say what the table says: sleepers sleep", () => {
    const never = ["get_user_pages_fast_only", "try_to_free_buffers", "filemap_get_folio", "fput"];
    const sleeps = (fact: ApiFact): boolean =>
      fact.effects.some((effect) => effect.kind === "maySleep" || effect.kind === "sleepsIf" || (effect.kind === "acquire" && effect.sleeps));
    const names = SECTIONS.find((one) => one.section === "may sleep")?.names ?? [];
    expect(names.filter((name) => !never.includes(name) && !factsOf(name).some(sleeps))).toEqual([]);
  });

  it("say what the table says: others never sleep", () => {
    const sleeping = NEVER_SLEEPS.filter((name) => factsOf(name).some((fact) => fact.effects.some((effect) => effect.kind === "maySleep" || effect.kind === "sleepsIf")));
    expect(sleeping).toEqual([]);
    expect(NEVER_SLEEPS.filter((name) => !hasFact(name) && !isQuiet(name))).toEqual([]);
  });

  it("say what the table says: preconditions, errors and modifications", () => {
    expect(without("functions that assert what their caller holds", ["requiresHeld"], ["folio_unlock"])).toEqual([]);
    expect(without("error-returning set", ["returnsError"], ["mprotect_fixup", "change_prot_numa"])).toEqual([]);
    expect(without("modifications of entries", ["modifyEntry"])).toEqual([]);
  });

  it("lose no error where the kernel loses one itself", () => {
    const before = allFacts.filter((fact) => fact.until === "6.3" && fact.effects.some((effect) => effect.kind === "returnsError" && effect.allocates));
    expect(before.map((fact) => fact.name)).toEqual([]);
  });
});
