// SPDX-License-Identifier: GPL-2.0-only
import type { EraBehavior } from "../../kernel/era.ts";
import type { ModelBuilder } from "../../simulator/build.ts";
import { ne, TRUE, type Expression, type Field, type Operand } from "../../simulator/expression.ts";
import { folios, type Folios, type FolioView } from "../../simulator/objects/folio.ts";
import { pte, type Pte } from "../../simulator/objects/pte.ts";
import { rwsem, type Rwsem } from "../../simulator/objects/rwsem.ts";
import type { PageCounts } from "./reuse.ts";
import { pageBehavior, type PageBehavior, type PageKind } from "./page-behavior.ts";

/** One private address and the pages that may be there, under the rules of an era. */
export interface Memory {
  readonly model: ModelBuilder;
  readonly behavior: PageBehavior;
  /** `swapCached` where a scenario has a swap cache. */
  readonly folios: Folios & Pick<PageCounts, "swapCached">;
  readonly names: readonly string[];
  /** Number of the page that is nobody's own (the zero page, a page of a file), or null. */
  readonly foreign: number | null;
}

/** A process, seen through that one address. */
export interface AddressSpace {
  readonly name: string;
  readonly pte: Pte;
  readonly mmapLock: Rwsem;
  /** `mm->has_pinned`, MMF_HAS_PINNED; looked at by eras that protect pins in fork. */
  readonly hasPinned: Field;
}

export interface MemoryOptions {
  readonly kind?: PageKind;
  /** Names of the pages in the order in which they are used; the first one exists from the start. */
  readonly names?: readonly string[];
  /** The first page is nobody's own: it is there, and no process maps it yet. */
  readonly firstIsForeign?: boolean;
  /** Who uses the first page besides its owner in the beginning: a second mapping. */
  readonly firstIsMappedTwice?: boolean;
  /** What the content of a page means; shown where given. */
  readonly contents?: Readonly<Record<number, string>>;
}

/** A reader sees the counts that decide in the era. */
export const hiddenCounts = (reuse: PageBehavior["reuse"]): readonly ("refcount" | "mapcount" | "pincount" | "anonExclusive")[] => [
  ...(reuse === "mapcount" ? (["refcount"] as const) : (["mapcount"] as const)),
  ...(reuse === "exclusive" ? [] : (["anonExclusive"] as const)),
  "pincount",
];

function firstCounts({ firstIsForeign = false, firstIsMappedTwice = false }: MemoryOptions): FolioView["first"] {
  if (firstIsForeign) return { refcount: 1, mapcount: 0 };
  return firstIsMappedTwice ? { refcount: 2, mapcount: 2 } : undefined;
}

export function privateMemory(model: ModelBuilder, era: EraBehavior, options: MemoryOptions = {}): Memory {
  const { kind = "order-0", names = ["X", "Y", "Z"], firstIsForeign = false, contents } = options;
  const behavior = pageBehavior(era, kind);
  const hidden = [...hiddenCounts(behavior.reuse), ...(contents === undefined ? (["content"] as const) : [])];
  const first = firstCounts(options);
  const view: FolioView = { hidden, ...(contents === undefined ? {} : { contents }), ...(first === undefined ? {} : { first }) };
  return {
    model,
    behavior,
    folios: folios(model, names.length, firstIsForeign ? 0 : 1, names, view),
    names,
    foreign: firstIsForeign ? 1 : null,
  };
}

/** `mapped`: the value that the entry has in the beginning, 0 for none. */
export const addressSpace = ({ model, names }: Memory, name: string, mapped: number): AddressSpace => ({
  name,
  pte: pte(model, `pte(${name})`, mapped, names),
  mmapLock: rwsem(model, `mmap_lock(${name})`),
  hasPinned: model.field(`has_pinned(${name})`, 0, { labels: { 0: "no", 1: "yes" } }),
});

/** True where a page is anonymous. */
export const isAnonymous = ({ foreign }: Memory, page: Operand): Expression => (foreign === null ? TRUE : ne(page, foreign));
