// SPDX-License-Identifier: GPL-2.0-only
import type { EraBehavior } from "../../kernel/era.ts";
import { and, element, eq, or, plus, type Expression, type Field, type Operand } from "../../simulator/expression.ts";

/** What a write fault may look at before it keeps the page. Arrays by page. */
export interface PageCounts {
  readonly refcount: Field;
  readonly mapcount: Field;
  /** PageAnonExclusive; means nothing before 5.19. */
  readonly anonExclusive: Field;
  /** 1 while the swap cache has a reference of its own. Missing: never. */
  readonly swapCached?: Field;
}

type ReuseTest = EraBehavior["anonReuse"];

/**
 * True where a write fault on a present, read-only anonymous entry may keep the page: `reuse_swap_page()`, the test of
 * 09854ba94c6a in `do_wp_page()`, `PageAnonExclusive()` (`mm/memory.c`).
 */
export function mayReuse(test: ReuseTest, counts: PageCounts, page: Operand): Expression {
  const only = eq(element(counts.refcount, page), 1);
  const once = eq(element(counts.mapcount, page), 1);
  const cached = counts.swapCached === undefined ? 0 : element(counts.swapCached, page);
  const onlyWithoutCache = cached === 0 ? only : eq(element(counts.refcount, page), plus(1, cached));
  const tests: Record<ReuseTest, Expression> = {
    mapcount: once,
    refcount: and(only, once),
    "refcount-drop-caches": onlyWithoutCache,
    exclusive: or(eq(element(counts.anonExclusive, page), 1), onlyWithoutCache),
  };
  return tests[test];
}

/** The count that decides, for a reader. */
export const decidingCount: Readonly<Record<ReuseTest, string>> = {
  mapcount: "mapcount",
  refcount: "refcount",
  "refcount-drop-caches": "refcount",
  exclusive: "refcount",
};

/** Why a page stays, for a reader. */
export const reuseReason: Readonly<Record<ReuseTest, string>> = {
  mapcount: "mapped once",
  refcount: "the only reference",
  "refcount-drop-caches": "the only reference",
  exclusive: "exclusive, or the only reference",
};
