// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { presenceOf, presences } from "../../server/kernel/api/presence.ts";
import { factsNamed } from "../../server/kernel/facts.ts";
import { releasesByDate } from "../../server/kernel/release-dates.ts";
import { atLeast, covers, parseRelease } from "../../server/kernel/release.ts";
import { conventionNames, conventionOf, foreignSignature, signatureNames } from "../../server/kernel/signature.ts";
import { unitOf } from "../../server/analysis/unit.ts";
import { imageOfFile } from "../../server/source/image.ts";
import { filesOfMm, hasTree, tree, treeRelease } from "../kernel-tree.ts";

const release = (text: string) => parseRelease(text)!;

describe("where names exist", () => {
  test("each name once, with releases that exist, one bound at least, and a source", () => {
    expect(new Set(presences.map(({ name }) => name)).size).toBe(presences.length);
    for (const { name, since, until, source, headers } of presences) {
      expect([since ?? until, until ?? since].every((bound) => bound !== undefined && releasesByDate.includes(bound)), name).toBe(true);
      expect(source !== "" && headers.length > 0, name).toBe(true);
    }
  });

  test("no fact of a call that was read reaches beyond the releases that have the call", () => {
    for (const { name, since, until } of presences)
      for (const fact of factsNamed(name).filter(({ certainty }) => certainty !== "plausible")) {
        if (since !== undefined && fact.since !== undefined) expect(atLeast(release(fact.since), since), `${name} since ${fact.since}`).toBe(true);
        if (until !== undefined && fact.since !== undefined) expect(atLeast(release(fact.since), until), `${name} since ${fact.since}`).toBe(false);
      }
  });

  test.each([
    ["FOLL_PIN", "5.5", false], ["FOLL_PIN", "5.6", true], ["zap_page_range", "6.2", true], ["zap_page_range", "6.3", false],
    ["page_try_dup_anon_rmap", "5.18", false], ["page_try_dup_anon_rmap", "6.1", true], ["page_try_dup_anon_rmap", "6.12", false],
  ])("%s in %s: %s", (name, at, is) => {
    expect(covers(presenceOf(name)!, release(at))).toBe(is);
  });

  test("of others nothing is known", () => {
    expect(presenceOf("toy_walk")).toBeNull();
  });
});

describe("what says success", () => {
  test.each([
    ["try_grab_page", "6.1", { success: "nonzero", changes: "6.2" }],
    ["try_grab_page", "6.6", null],
    ["mmap_read_lock_killable", "6.1", null],
  ])("%s in %s", (name, at, expected) => {
    expect(conventionOf(name, release(at))).toEqual(expected);
  });

  test("functions that changed", () => {
    expect(conventionNames).toContain("try_grab_page");
    expect(conventionNames).not.toContain("folio_trylock");
  });
});

describe("signatures of other releases", () => {
  test.each([
    ["mmu_notifier_range_init", 6, "6.1", { own: [7], since: "6.3", until: null }],
    ["mmu_notifier_range_init", 7, "6.6", { own: [6], since: "5.2", until: "6.3" }],
    ["get_user_pages", 5, "6.6", { own: [4], since: "4.9", until: "6.5" }],
    ["get_user_pages", 7, "4.4", null],
    ["get_user_pages", 3, "6.1", null],
    ["huge_ptep_get_and_clear", 4, "6.12", null],
    ["toy_walk", 3, "6.1", null],
  ])("%s with %i arguments in %s", (name, count, at, expected) => {
    expect(foreignSignature(name, count, release(at))).toEqual(expected);
  });

  test("only functions of which every number of arguments is known", () => {
    expect(signatureNames).toContain("get_user_pages");
    expect(signatureNames).not.toContain("change_protection");
  });
});

/** A declaration, or the stub of kernels without notifiers, stayed when the function went. */
const LEFT_BEHIND = new Set(["mmu_notifier_range_update_to_read_only", "ptep_clear_flush_notify", "pmdp_huge_clear_flush_notify", "pudp_huge_clear_flush_notify"]);

describe.skipIf(!hasTree)(hasTree ? `the headers of ${treeRelease}` : "skipped: no kernel tree", () => {
  const code = (path: string): string => (existsSync(join(tree, path)) ? readFileSync(join(tree, path), "utf8").replace(/\/\*[\s\S]*?\*\//g, " ") : "");

  test.each(presences.map(({ name }) => name))("%s", (name) => {
    const presence = presenceOf(name)!;
    const shows = presence.headers.some((path) => new RegExp(`\\b${name}\\b`).test(code(path)));
    if (!LEFT_BEHIND.has(name)) expect(shows).toBe(covers(presence, release(treeRelease)));
  });

  test("no call in mm/ has the arguments of another release", { timeout: 120_000 }, () => {
    const names = new RegExp(`\\b(?:${signatureNames.join("|")})\\s*\\(`);
    const at = release(treeRelease);
    const foreign = [...filesOfMm()].filter(({ text }) => names.test(text)).flatMap(({ path, text }) =>
      unitOf([imageOfFile(path, text)], at).programs.flatMap(({ nodes }) =>
        nodes.flatMap((node) => (node.kind === "call" && foreignSignature(node.name, node.args.length, at) !== null ? [`${path}: ${node.name} with ${node.args.length}`] : []))));
    expect(foreign).toEqual([]);
  });
});
