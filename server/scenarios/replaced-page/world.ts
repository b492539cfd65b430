// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import type { BoundEffect, CallNode } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import type { ModelBuilder, ThreadBuilder } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { and, expression, FALSE, not, TRUE, type Expression, type Field } from "../../simulator/expression.ts";
import type { Assignment } from "../../simulator/model.ts";
import { someIn } from "../doubt.ts";
import { name } from "../rewrite.ts";
import type { LiftedStep, World } from "../world.ts";
import { asExpressions, assignEntry, BITS, entryLocals, entryValue, NEW, NOTHING, OLD, type Bit, type EntryFields, type EntryValue } from "./entry-value.ts";
import type { Replacement } from "./replacement.ts";

/** What replacing a page is about. */
export interface Objects {
  /** The entry in the page table. */
  readonly entry: EntryFields;
  /** What a CPU that runs the same process has in its TLB: a page, or nothing. */
  readonly tlb: Field;
  /** Processes that map the old page. */
  readonly mapped: Field;
}

/** What the reference fix does in front of the new entry, by its name. */
export type Amendments = Readonly<Record<string, Change>>;
type Change = Partial<Readonly<Record<Exclude<Bit, "page">, "off" | "as-before">>>;

export interface Circumstances {
  /** FAULT_FLAG_UNSHARE, else FAULT_FLAG_WRITE. */
  readonly unshare: boolean;
  /** The entry as the fault found it: the old page, read-only, noted as this says. */
  readonly noted: "nothing" | "uffdWp" | "softDirty";
  readonly amendments: Amendments;
}

const PAGES = { [NOTHING]: "none", [OLD]: "old page", [NEW]: "new page" };

export const replacedObjects = (model: ModelBuilder, { noted }: Circumstances): Objects => ({
  entry: {
    page: model.field("entry(va)", OLD, { labels: PAGES }),
    writable: model.field("entry(va), write", 0, { labels: { 0: "read-only", 1: "writable" } }),
    uffdWp: model.field("entry(va), uffd-wp", noted === "uffdWp" ? 1 : 0, { labels: { 0: "no", 1: "yes" }, hidden: noted !== "uffdWp" }),
    softDirty: model.field("entry(va), soft-dirty", noted === "softDirty" ? 1 : 0, { labels: { 0: "no", 1: "yes" }, hidden: noted !== "softDirty" }),
  },
  tlb: model.field("TLB of CPU2", NOTHING, { labels: PAGES }),
  mapped: model.field("mapcount of the old page", 2),
});

const NO_ENTRY: EntryValue = { page: expression(NOTHING), writable: FALSE, uffdWp: FALSE, softDirty: FALSE };

const originalOf = ({ noted }: Circumstances): EntryValue => ({
  page: expression(OLD),
  writable: FALSE,
  uffdWp: noted === "uffdWp" ? TRUE : FALSE,
  softDirty: noted === "softDirty" ? TRUE : FALSE,
});

const ASKS: Readonly<Record<string, Bit>> = { pte_write: "writable", pte_uffd_wp: "uffdWp", pte_soft_dirty: "softDirty" };

/** Questions that are, or may be, about the bits of the entry: of it, of its mapping, of what the configuration has. */
const ASKS_ENTRY = /^(?:pte_(?!offset)|ptep_get$|IS_ENABLED$)|uffd|userfaultfd|dirty|write|wp(?:_|$)|unshare/;
const FINDS_PAGE = /^(?:pte_pfn|pte_page|is_zero_pfn|vm_normal_(?:page|folio))$/;

/** Questions about the entry as the fault found it, that do not name it. */
const OF_ORIGINAL = ["vmf_orig_pte_uffd_wp", "userfaultfd_pte_wp", "userfaultfd_wp"];

/** A fault of either kind on a private mapping that may be written. */
const flagValue = (flag: string, unshare: boolean): 0 | 1 | null => {
  if (flag === "FAULT_FLAG_UNSHARE") return unshare ? 1 : 0;
  if (flag === "FAULT_FLAG_WRITE") return unshare ? 0 : 1;
  return flag === "VM_WRITE" || flag === "VM_MAYWRITE" ? 1 : flag === "VM_SHARED" || flag === "VM_MAYSHARE" ? 0 : null;
};

const amended = (value: EntryValue, before: EntryValue, changes: readonly (readonly [Field, Change])[]): EntryValue =>
  changes.reduce<EntryValue>(
    (sum, [active, change]) =>
      Object.fromEntries(
        BITS.map((bit) => {
          const how = bit === "page" ? undefined : change[bit];
          if (how === undefined) return [bit, sum[bit]];
          const off = and(sum[bit], not(expression(active)));
          return [bit, how === "off" ? off : { kind: "binary", operator: "+", left: off, right: and(expression(active), before[bit]) }];
        }),
      ) as Record<Bit, Expression>,
    value,
  );

/** The world of a function that replaces a page. */
export function replacedWorld(thread: ThreadBuilder, replacement: Replacement, objects: Objects, circumstances: Circumstances): World {
  const { pointer, oldPage, variables } = replacement;
  const { entry, tlb, mapped } = objects;
  const { unshare, amendments } = circumstances;
  const registers = new Map([...variables.names].map((one) => [one, entryLocals(thread, one)] as const));
  const active = new Map(Object.keys(amendments).map((one) => [one, thread.local(one, 0, { hidden: true })] as const));
  const [live, original] = [asExpressions(entry), originalOf(circumstances)];
  const read = (value: Value): EntryValue | null =>
    entryValue(value, variables, (one) => {
      const fields = registers.get(one);
      return fields ? asExpressions(fields) : NO_ENTRY;
    }, live, original);
  const isEntry = (pte: Value): boolean => render(pte) === pointer;
  const isAmendment = (call: CallNode): boolean => call.at < 0 && active.has(call.name);
  const changes = [...active].flatMap(([one, field]) => (amendments[one] ? [[field, amendments[one]] as const] : []));
  const give = (variable: string | null, value: EntryValue): readonly Assignment[] => {
    const fields = variable === null ? undefined : registers.get(variable);
    return fields ? assignEntry(fields, value) : [];
  };
  const flushed = assign(tlb, NOTHING);

  function effectOf(effect: BoundEffect, call: CallNode): readonly Assignment[] | null {
    if (isAmendment(call)) return [assign(active.get(call.name) ?? tlb, 1)];
    switch (effect.kind) {
      case "clearEntry":
        return isEntry(effect.pte) ? [...give(call.result, live), ...assignEntry(entry, NO_ENTRY), ...(effect.flush ? [flushed] : [])] : null;
      case "setEntry": {
        const value = isEntry(effect.pte) ? read(effect.value) : null;
        return value && assignEntry(entry, amended(value, original, changes));
      }
      case "flushTlb":
        return [flushed];
      case "removesRmap":
        return render(effect.page) === oldPage ? [assign(mapped, 1)] : null;
      default:
        return null;
    }
  }

  return {
    sees: (effect, call) => effectOf(effect, call) !== null,
    // Conditions ask variables of entries too.
    reads: (effect) => (effect.kind === "setEntry" ? [effect.value, ...[...variables.names].map(name)] : []),
    refine(effect, call): readonly LiftedStep[] {
      const done = effectOf(effect, call);
      return done ? [{ alternatives: [{ effect: done }] }] : [];
    },
    origin(node): LiftedStep | null {
      const target = node.kind === "assign" ? render(node.target) : node.result;
      const value = node.kind === "assign" && node.value && target !== null && registers.has(target) ? read(node.value) : null;
      return value && { alternatives: [{ effect: [...give(target, value)] }] };
    },
    place(value) {
      if (value.kind === "call") {
        const bit = ASKS[value.name];
        const of = bit && value.args[0] && read(value.args[0]);
        if (of && bit) return of[bit];
        return OF_ORIGINAL.includes(value.name) ? original.uffdWp : value.name === "is_zero_pfn" ? 0 : null;
      }
      if (value.kind === "binary" && value.operator === "&" && value.right.kind === "name") return flagValue(value.right.name, unshare);
      const text = render(value);
      return text === oldPage || text === "vmf->page" ? 1 : null;
    },
    // Nobody else changes the entry.
    meaning: (pure) => (pure.meaning === "entry-same" ? TRUE : null),
    decidedBy: (value, names) =>
      someIn(
        value,
        (part) => (part.kind === "name" ? names.has(part.name) : part.kind === "call" ? ASKS_ENTRY.test(part.name) : part.kind === "member" && /^(?:vm_flags|flags|orig_pte)$/.test(part.field)),
        // Which page it is, is no question about the entry.
        (part) => part.kind === "call" && FINDS_PAGE.test(part.name),
      ),
    parameter: (key, bit) => (bit !== null ? null : key === "unshare" ? (unshare ? 1 : 0) : key === "vmf" || key === "vma" || key === oldPage ? 1 : null),
  };
}
