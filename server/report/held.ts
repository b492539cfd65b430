// SPDX-License-Identifier: GPL-2.0-only
import type { ChangeWhen, ContractLock, HeldFact, HeldHere, Sleep, Summary } from "../review/held.ts";
import { visibleLine } from "./visible.ts";

/** Locks whose class says more than the object does. */
const CLASSES: ReadonlySet<string> = new Set(["mmap_lock", "vma_lock", "hugetlb_fault_mutex", "hugetlb_vma_lock", "i_mmap_rwsem", "anon_vma", "folio_lock"]);

const WITHOUT_NAME: Readonly<Record<string, string>> = { spinlock: "a spin lock", mutex: "a mutex", rwsem: "an rwsem", lock: "a lock" };

/** `mmap_lock(R)`, `ptl(pmd)`, `zone->lock`; `others`: facts beside it, of which one may be the same lock of another object. */
function lockText({ lock, name, mode }: Pick<HeldFact, "lock" | "name" | "mode">, others: readonly HeldFact[] = []): string {
  const object = visibleLine(name.replace(/^&/, ""));
  if (lock === null) return object;
  if (CLASSES.has(lock)) {
    const isOneOfMany = others.some((one) => one.lock === lock && one.name !== name);
    const inside = [mode, isOneOfMany && object !== "" ? object : null].filter((part) => part !== null);
    return inside.length === 0 ? lock : `${lock}(${inside.join(" ")})`;
  }
  if (lock === "ptl") return object === "" ? "ptl" : /ptl/.test(object) ? object : `ptl(${object})`;
  const words = object === "" ? (WITHOUT_NAME[lock] ?? lock) : object;
  return mode === null ? words : `${words}(${mode})`;
}

const listed = (facts: readonly HeldFact[], all: readonly HeldFact[]): string => facts.map((fact) => lockText(fact, all)).join(" ");

function partsOf(facts: readonly HeldFact[]): readonly { readonly label: string; readonly text: string }[] {
  const of = (...kinds: readonly HeldFact["kind"][]): string => listed(facts.filter((fact) => kinds.includes(fact.kind)), facts);
  return [
    { label: "held here", text: of("sleeping") },
    { label: "asserted", text: of("asserted") },
    { label: "atomic", text: of("spinning", "section") },
    { label: "mapped", text: of("mapped") },
  ].filter(({ text }) => text !== "");
}

/** What certainly holds, on one line: `held here: mmap_lock(R) · atomic: ptl(pmd) · mapped: pte`; "" where that is nothing. */
export const heldLine = ({ facts }: HeldHere): string =>
  partsOf(facts.filter((fact) => fact.isCertain)).map(({ label, text }) => `${label}: ${text}`).join(" · ");

/** What holds, in lines for a popup; none where there is nothing to say. */
export function heldLines(here: HeldHere): readonly string[] {
  const certain = heldLine(here);
  const open = here.facts.filter((fact) => !fact.isCertain);
  const asserted = here.facts.filter((fact) => fact.isCertain && fact.from === "assertion" && fact.lock !== null && fact.kind !== "asserted");
  return [
    ...(certain === "" ? [] : [certain]),
    ...(open.length === 0 ? [] : [`on some paths: ${listed(open, here.facts)}`]),
    ...(asserted.length === 0 ? [] : [`by assertion only: ${listed(asserted, here.facts)}`]),
    ...((certain !== "" || open.length > 0) && !here.callersKnown ? ["callers that are not in view may hold more"] : []),
  ];
}

const WHEN: Readonly<Record<ChangeWhen, string>> = { always: "", nonzero: " if the value is not 0", zero: " if the value is 0", sometimes: " on some paths" };

const contractLock = ({ lock, mode, object }: ContractLock): string =>
  lockText({ lock, name: object ?? "", mode: mode === "read" ? "R" : mode === "write" ? "W" : null });

function sleepText(sleep: Sleep): string | null {
  if (sleep.kind === "never") return null;
  if (sleep.kind === "may") return `may sleep: ${sleep.by}()`;
  return `may sleep as ${[...new Set(sleep.when.map(({ parameter }) => parameter))].join(", ")} says: ${[...new Set(sleep.when.map(({ by }) => `${by}()`))].join(", ")}`;
}

/** What a function asks of its callers and leaves behind for them, in lines; none where that is nothing. */
export function summaryLines(name: string, summary: Summary): readonly string[] {
  const list = (label: string, items: readonly string[]): string[] => (items.length === 0 ? [] : [`${label}: ${[...new Set(items)].join(", ")}`]);
  const named = <T extends ContractLock>(locks: readonly T[]): readonly T[] => locks.filter((one) => one.object !== null || CLASSES.has(one.lock));
  const sleep = sleepText(summary.sleeps);
  const lines = [
    ...list("needs", named(summary.requires).map(contractLock)),
    ...list("returns with", [
      ...summary.takes.filter((one) => one.isValue || one.object !== null).map((one) => `${contractLock(one)}${one.isValue ? " of its value" : ""}${WHEN[one.when]}`),
      ...summary.enters.map(({ reason, when }) => `${reason}${WHEN[when]}`),
    ]),
    ...list("gives up", [
      ...named(summary.givesUp.filter((one) => !one.isDoubtful)).map((one) => `${contractLock(one)}${WHEN[one.when]}`),
      ...summary.leaves.map(({ reason, when }) => `${reason}${WHEN[when]}`),
    ]),
    ...list("drops and takes again", named(summary.drops).map(contractLock)),
    ...(sleep === null ? [] : [sleep]),
  ].map(visibleLine);
  if (lines.length === 0) return [];
  return [visibleLine(`${name}()`), ...lines, ...(summary.complete ? [] : ["not all of it could be followed"])];
}
