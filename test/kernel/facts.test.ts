// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from "vitest";
import { allFacts, factFor, flagSleeper, isQuiet, knownNames, namesWithEffect } from "../../server/kernel/facts.ts";
import { QUIET_NAMES } from "../../server/kernel/api/quiet.ts";
import type { ApiFact, Effect } from "../../server/kernel/effect.ts";
import { releasesByDate } from "../../server/kernel/release-dates.ts";
import { covers, parseRelease, type Release } from "../../server/kernel/release.ts";
import { factProblems } from "./schema.ts";

const release = (text: string): Release => {
  const parsed = parseRelease(text);
  if (!parsed) throw new Error(`not a release: ${text}`);
  return parsed;
};

const title = (fact: ApiFact): string => `${fact.name}/${fact.arity ?? "any"} ${fact.since ?? ""}..${fact.until ?? ""}`;

const sameCall = (a: ApiFact, b: ApiFact): boolean => a.name === b.name && (a.arity === undefined || b.arity === undefined || a.arity === b.arity);

describe("the tables of facts", () => {
  it("hold only what the schema allows", () => {
    expect(allFacts.flatMap((fact) => factProblems(fact).map((problem) => `${title(fact)}: ${problem}`))).toEqual([]);
  });

  it("never have two facts for one call in one release", () => {
    const clashes = allFacts.flatMap((fact, at) =>
      allFacts
        .slice(at + 1)
        .filter((other) => sameCall(fact, other) && releasesByDate.some((each) => covers(fact, release(each)) && covers(other, release(each))))
        .map((other) => `${title(fact)} and ${title(other)}`),
    );
    expect(clashes).toEqual([]);
  });

  it("do not call a function quiet that has a fact", () => {
    const named = new Set(allFacts.map((fact) => fact.name));
    expect([...QUIET_NAMES].filter((name) => named.has(name) || !/^\w+$/.test(name))).toEqual([]);
    expect(QUIET_NAMES.size).toBeGreaterThan(150);
  });

  it("do not say that a call always sleeps and that a flag decides", () => {
    const both = allFacts.filter(({ effects }) => effects.some((one) => one.kind === "sleepsIf") && effects.some((one) => one.kind === "maySleep" && one.onlyIf === undefined));
    expect(both.map(title)).toEqual([]);
  });
});

const effectOf = <K extends Effect["kind"]>(kind: K, name: string, argumentCount: number, target: string) => {
  const known = factFor(name, argumentCount, release(target));
  const effect = known?.fact.effects.find((each) => each.kind === kind) as Extract<Effect, { kind: K }> | undefined;
  return { effect, asOf: known?.asOf ?? null };
};

describe("factFor", () => {
  const maps: readonly [name: string, argumentCount: number, target: string, mayFail: boolean, rcu: boolean][] = [
    ["pte_offset_map", 2, "6.1", false, false],
    ["pte_offset_map", 2, "6.4", false, false],
    ["pte_offset_map", 2, "6.5", true, false],
    ["pte_offset_map", 2, "6.6", true, true],
    ["pte_offset_map_lock", 4, "6.4", false, false],
    ["pte_offset_map_lock", 4, "6.5", true, false],
    ["pte_offset_map_lock", 4, "6.17", true, true],
    ["pte_offset_map_nolock", 4, "6.6", true, true],
    ["pte_alloc_map_lock", 4, "4.4", true, false],
    ["pte_alloc_map_lock", 4, "6.6", true, true],
  ];
  it.each(maps)("knows whether %s/%i of %s may fail (%s) and is an RCU section (%s)", (name, argumentCount, target, mayFail, rcu) => {
    const { effect, asOf } = effectOf("mapPte", name, argumentCount, target);
    expect(effect).toMatchObject({ mayFail, rcu });
    expect(asOf).toBeNull();
  });

  const signatures: readonly [name: string, argumentCount: number, target: string, flags: number | null, write: number | null, pages: number][] = [
    ["get_user_pages", 8, "4.4", null, 4, 6],
    ["get_user_pages", 7, "4.4.200", 4, null, 5],
    ["get_user_pages", 6, "4.8", null, 2, 4],
    ["get_user_pages", 5, "4.9", 2, null, 3],
    ["get_user_pages", 5, "6.4", 2, null, 3],
    ["get_user_pages", 4, "6.5", 2, null, 3],
    ["get_user_pages_remote", 8, "4.8", null, 4, 6],
    ["get_user_pages_remote", 7, "4.9", 4, null, 5],
    ["get_user_pages_remote", 8, "5.8", 4, null, 5],
    ["get_user_pages_remote", 7, "5.9", 3, null, 4],
    ["get_user_pages_remote", 6, "6.5", 3, null, 4],
    ["get_user_pages_unlocked", 4, "5.4", 3, null, 2],
    ["get_user_pages_fast", 4, "5.1", null, 2, 3],
    ["get_user_pages_fast", 4, "5.2", 2, null, 3],
    ["pin_user_pages", 5, "5.6", 2, null, 3],
    ["pin_user_pages_remote", 8, "5.8", 4, null, 5],
    ["pin_user_pages_remote", 6, "6.6", 3, null, 4],
    ["pin_user_pages_fast", 4, "6.1", 2, null, 3],
    ["get_user_pages_longterm", 5, "4.19", 2, null, 3],
  ];
  it.each(signatures)("knows the arguments of %s/%i in %s", (name, argumentCount, target, flags, write, pages) => {
    const { effect, asOf } = effectOf("gup", name, argumentCount, target);
    expect(effect).toMatchObject({ flags, write, pages });
    expect(asOf).toBeNull();
  });

  it("gives the pin forms from 5.6 on only", () => {
    for (const name of namesWithEffect("gup").filter((each) => each.startsWith("pin_")))
      for (const fact of allFacts.filter((each) => each.name === name)) expect(covers(fact, release("5.5")), title(fact)).toBe(false);
  });

  it("uses the nearest release where none covers the target, and says so", () => {
    expect(effectOf("hugetlbWalk", "hugetlb_walk", 3, "6.1")).toMatchObject({ asOf: "6.3", effect: { vma: 0 } });
    expect(effectOf("acquire", "double_pt_lock", 2, "6.6")).toMatchObject({ asOf: "6.8" });
    expect(effectOf("setEntry", "set_pte_at_notify", 4, "6.12")).toMatchObject({ asOf: "6.9" });
    expect(effectOf("accessEntry", "huge_ptep_get", 3, "6.6")).toMatchObject({ asOf: "6.11", effect: { pte: 2 } });
    expect(effectOf("maySleep", "cond_resched", 0, "6.30")).toMatchObject({ asOf: "6.17" });
  });

  it("does not read arguments that a call does not have", () => {
    expect(factFor("huge_ptep_set_wrprotect", 1, release("6.1"))).toBeNull();
    expect(factFor("huge_ptep_get", 2, release("6.1"))?.asOf).toBe("6.1");
  });

  it("knows nothing about names outside of the tables", () => {
    for (const name of ["frobnicate", "constructor", "__proto__", ""]) expect(factFor(name, 1, release("6.1"))).toBeNull();
    expect(isQuiet("frobnicate")).toBe(false);
  });

  it("tells which value of the call means that a lock is held", () => {
    expect(effectOf("acquire", "mmap_read_lock_killable", 1, "6.1").effect).toMatchObject({ held: "zero", sleeps: true });
    expect(effectOf("acquire", "mmap_read_trylock", 1, "6.1").effect).toMatchObject({ held: "nonzero", sleeps: false });
    expect(effectOf("acquire", "folio_lock_or_retry", 3, "6.1").effect).toMatchObject({ held: "nonzero" });
    expect(effectOf("acquire", "folio_lock_or_retry", 2, "6.6").effect).toMatchObject({ held: "zero" });
    expect(effectOf("acquire", "down_read", 1, "5.4").effect).toMatchObject({ lock: "rwsem", mode: "read" });
    expect(effectOf("acquire", "lock_vma_under_rcu", 2, "6.6").effect).toMatchObject({ object: null, objectIsValue: true });
  });

  it("knows the steps inside GUP by era", () => {
    expect(effectOf("gupFault", "faultin_page", 5, "4.4").effect).toMatchObject({ flags: 3 });
    expect(effectOf("gupFault", "faultin_page", 5, "6.1").effect).toMatchObject({ flags: 2 });
    expect(effectOf("gupFollow", "follow_hugetlb_page", 8, "4.4").effect).toMatchObject({ path: "hugetlb", flags: 7 });
    expect(effectOf("gupFastWalk", "gup_pud_range", 6, "4.4").effect).toMatchObject({ write: 3 });
    expect(effectOf("gupFastWalk", "gup_huge_pd", 7, "4.4").effect).toMatchObject({ write: 4 });
    expect(effectOf("grabPage", "try_grab_page", 2, "6.1").effect).toMatchObject({ held: "nonzero" });
    expect(effectOf("grabPage", "try_grab_page", 2, "6.2").effect).toMatchObject({ held: "zero" });
    expect(factFor("gup_must_unshare", 2, release("6.1"))?.fact.pure?.of).toEqual([0, 1]);
    expect(factFor("gup_must_unshare", 3, release("6.2"))?.fact.pure?.of).toEqual([1, 2, 0]);
  });
});

describe("names", () => {
  it("lists every function with an effect once", () => {
    expect(namesWithEffect("hugetlbWalk")).toEqual(["huge_pte_offset", "hugetlb_walk", "huge_pte_alloc"]);
    expect(new Set(namesWithEffect("maySleep")).size).toBe(namesWithEffect("maySleep").length);
  });

  it("knows sleepers by flag", () => {
    expect(flagSleeper("kmalloc")).toEqual({ name: "kmalloc", flag: 1, word: "gfp" });
    expect(flagSleeper("folio_lock")).toBeNull();
    expect(knownNames().has("kmalloc")).toBe(true);
    expect(isQuiet("inc_mm_counter")).toBe(true);
  });
});
