// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Effect } from "../../server/kernel/effect.ts";
import { releasesByDate } from "../../server/kernel/release-dates.ts";

/** Says what is wrong with a value, or null. */
type Check = (value: unknown, arity: number) => string | null;

/** More arguments than any function of mm/ takes. */
const MOST_ARGUMENTS = 9;

const position: Check = (value, arity) =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < arity ? null : `no argument position: ${String(value)}`;
const orNull =
  (check: Check): Check =>
  (value, arity) =>
    value === null ? null : check(value, arity);
const optional =
  (check: Check): Check =>
  (value, arity) =>
    value === undefined ? null : check(value, arity);
const boolean: Check = (value) => (typeof value === "boolean" ? null : `not a boolean: ${String(value)}`);
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    words.includes(value as string) ? null : `not one of ${words.join(", ")}: ${String(value)}`;
const listOf =
  (pattern: RegExp): Check =>
  (value) =>
    Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string" && pattern.test(item)) ? null : `no list of ${pattern.source}`;

const lock = oneOf(
  "mmap_lock",
  "vma_lock",
  "hugetlb_fault_mutex",
  "hugetlb_vma_lock",
  "i_mmap_rwsem",
  "anon_vma",
  "folio_lock",
  "ptl",
  "spinlock",
  "mutex",
  "rwsem",
  "lock",
);
const word: Check = (value) => (typeof value === "string" && /^\w+$/.test(value) ? null : `no name: ${String(value)}`);
const mode = oneOf("read", "write", "exclusive");
const anyMode = oneOf("read", "write", "exclusive", "any");
const held = oneOf("always", "nonzero", "zero");
const atomic = { reason: oneOf("rcu", "irq", "preempt", "lazy_mmu") };
const flagName = /^(?:FOLL|FAULT_FLAG|MM_CP)_[A-Z_]+$/;

/** Every kind of effect with all of its members: a member that is missing here is a typo there. */
const EFFECTS: Readonly<Record<Effect["kind"], Readonly<Record<string, Check>>>> = {
  bugIf: { condition: orNull(position), how: oneOf("bug", "debug-bug", "warn") },
  neverReturns: {},
  acquire: { lock, object: orNull(position), mode, sleeps: boolean, held, objectIsValue: optional(boolean), field: optional(word) },
  release: { lock, object: orNull(position), mode, field: optional(word) },
  assertHeld: { lock, object: orNull(position), mode: anyMode },
  enterAtomic: { ...atomic, held: optional(held) },
  leaveAtomic: atomic,
  maySleep: { onlyIf: optional(oneOf("blockable", "last-reference", "batch-full", "contended", "page-faults")) },
  mapPte: {
    mm: orNull(position),
    pmd: position,
    address: orNull(position),
    ptlOut: orNull(position),
    locks: boolean,
    mayFail: boolean,
    rcu: boolean,
    pteOut: optional(position),
    pmdOut: optional(position),
  },
  unmapPte: { pte: position, ptl: orNull(position), rcu: boolean },
  ptlOf: { of: position, table: optional(oneOf("below", "own")) },
  notifierInit: { range: position, mm: position, start: position, end: optional(position), event: optional(position) },
  widensRange: { start: position, end: position },
  notifierStart: { range: position, blocking: boolean },
  notifierEnd: { range: position },
  hugetlbWalk: { mm: orNull(position), vma: orNull(position), asserts: boolean },
  accessEntry: { pte: position, write: boolean },
  lockEntryTable: { pte: position, held: optional(held) },
  clearEntry: { pte: position, flush: boolean },
  clearRange: { vma: position, start: position },
  setEntry: { pte: position, value: position },
  getReference: { object: position, held: optional(held) },
  putReference: { object: position },
  getAnonVma: { folio: position },
  grabPage: { page: position, flags: position, held },
  gup: {
    reference: oneOf("get", "pin"),
    form: oneOf("plain", "remote", "unlocked", "locked", "fast", "fast-only"),
    flags: orNull(position),
    write: orNull(position),
    force: orNull(position),
    pages: orNull(position),
    impliesLongterm: boolean,
    locked: optional(position),
    implies: optional(listOf(flagName)),
    returns: optional(oneOf("count", "count-or-error", "bool", "page-or-null", "page-or-error")),
  },
  unpin: { reference: oneOf("get", "pin"), pages: position, flags: optional(position), count: optional(position), dirty: optional(position), asserts: optional(oneOf("exclusive")) },
  gupFollow: { path: oneOf("normal", "hugetlb"), flags: position },
  gupFault: { flags: position },
  handlesFault: { flags: position },
  removesRmap: { page: position },
  gupFastWalk: { write: position },
  cowFault: { does: oneOf("copy", "own") },
  seqcountSection: { step: oneOf("begin", "end"), seqcount: position },
  changesBit: { bit: position, word: position, to: oneOf("set", "clear") },
  notesPins: {},
  forkCopy: {},
  sleepsIf: { flag: position, word: oneOf("gfp", "fast-only", "boolean", "retry-nowait") },
  requiresHeld: { lock, object: orNull(position), mode: anyMode, or: optional(lock) },
  requiresNotHeld: { lock, object: orNull(position) },
  dropsLock: {
    lock,
    object: orNull(position),
    mode: anyMode,
    when: oneOf("always", "retry", "retry-or-completed", "locked-cleared", "zero", "nonzero", "failure", "sometimes"),
    onReturn: oneOf("released", "held"),
    tells: optional(position),
    unless: optional(oneOf("FAULT_FLAG_RETRY_NOWAIT")),
    allowedBy: optional(position),
  },
  consumes: { pte: orNull(position), ptl: orNull(position), when: oneOf("always", "nonzero"), through: oneOf("argument", "vm_fault") },
  returnsReference: {
    to: oneOf("page", "folio", "mm", "task", "file", "anon_vma", "swap-device", "pages"),
    reference: oneOf("get", "pin", "by-flags"),
    failure: oneOf("null", "error-pointer", "null-or-error", "negative"),
    flags: optional(position),
    out: optional(position),
    locks: optional(oneOf("always", "by-flags")),
  },
  transfersReference: {
    object: position,
    to: oneOf("lru", "list", "mapping", "scatterlist", "bio", "pipe", "callee"),
    when: oneOf("always", "zero", "nonzero"),
  },
  returnsError: {
    form: oneOf("negative", "error-pointer", "null", "vm-fault"),
    errors: listOf(/^E[A-Z]+$/),
    allocates: boolean,
    flags: optional(position),
    onlyWith: optional((value) => (flagName.test(String(value)) ? null : `no flag: ${String(value)}`)),
  },
  modifyEntry: {
    pte: position,
    address: orNull(position),
    space: orNull(position),
    level: oneOf("pte", "pmd", "pud", "p4d", "hugetlb"),
    how: oneOf("clear", "protect", "set", "begin", "commit", "unshare"),
    onlyPresent: boolean,
  },
  walkMapped: { walk: position, step: oneOf("fill", "next", "done") },
  freesTable: { table: position, how: oneOf("by-architecture", "rcu", "at-once") },
  asksPins: { page: position },
  freesPage: { page: position },
  marksDirty: { page: position, locks: boolean, through: oneOf("mapping", "flag") },
  addressOfPage: { page: position, form: oneOf("virtual", "physical") },
  writesMemory: { to: position, form: oneOf("address", "page") },
  deviceAccess: { memory: position, form: oneOf("page", "scatterlist", "address"), direction: orNull(position), failure: orNull(oneOf("zero", "nonzero")) },
  deviceAccessEnd: { memory: position },
  waitsForOthers: {},
  flushTlb: { interrupts: optional(boolean) },
  unshareTable: { pte: position, vma: orNull(position) },
  localMap: { step: oneOf("push", "pop") },
  taskState: { to: (value, arity) => (value === "running" || value === "kept" ? null : position(value, arity)) },
};

/** Members of a fact itself; `effects` and `pure` are checked apart. */
const FACT_MEMBERS: ReadonlySet<string> = new Set(["name", "arity", "effects", "pure", "needs", "underConfig", "certainty", "source", "since", "until"]);

const effectProblems = (effect: Effect, arity: number): readonly string[] => {
  const members = EFFECTS[effect.kind];
  if (members === undefined) return [`unknown kind ${effect.kind}`];
  const given: Readonly<Record<string, unknown>> = { ...effect };
  return [
    ...Object.keys(given).filter((key) => key !== "kind" && !(key in members)).map((key) => `${effect.kind} has no member ${key}`),
    ...Object.entries(members).flatMap(([key, check]) => {
      const problem = check(given[key], arity);
      return problem === null ? [] : [`${effect.kind}.${key}: ${problem}`];
    }),
  ];
};

const configurationProblems = (config: Readonly<Record<string, boolean>> | undefined): readonly string[] =>
  Object.keys(config ?? {}).filter((symbol) => !/^[A-Z][A-Z0-9_]+$/.test(symbol) || symbol.startsWith("CONFIG_"));

/** What is wrong with one fact; empty where it is well formed. */
export function factProblems(fact: ApiFact): readonly string[] {
  const arity = fact.arity ?? MOST_ARGUMENTS;
  const problems = [...fact.effects, ...(fact.underConfig ?? []).flatMap(({ adds }) => adds)].flatMap((effect) => effectProblems(effect, arity));
  const bounds = [fact.since, fact.until].filter((bound) => bound !== undefined);
  const [since, until] = [fact.since, fact.until].map((bound) => (bound === undefined ? -1 : releasesByDate.indexOf(bound))) as [number, number];
  return [
    ...problems,
    ...Object.keys(fact).filter((key) => !FACT_MEMBERS.has(key)).map((key) => `no member ${key}`),
    ...(/^\w+$/.test(fact.name) ? [] : ["no name"]),
    ...(fact.source.trim() === "" || /unverified/.test(fact.source) ? [`source: ${fact.source}`] : []),
    ...(fact.certainty === undefined || fact.certainty === "plausible" || fact.certainty === "verified" ? [] : ["certainty"]),
    ...(Number.isInteger(arity) && arity >= 0 && arity <= MOST_ARGUMENTS ? [] : [`arity ${arity}`]),
    ...bounds.filter((bound) => !releasesByDate.includes(bound)).map((bound) => `no release ${bound}`),
    ...(since >= 0 && until >= 0 && since >= until ? ["empty range"] : []),
    ...(fact.effects.length === 0 && fact.pure === undefined && fact.underConfig === undefined ? ["says nothing"] : []),
    ...(fact.pure?.of ?? []).filter((at) => position(at, arity) !== null).map((at) => `pure: position ${at}`),
    ...configurationProblems(fact.needs),
    ...(fact.underConfig ?? []).flatMap(({ config }) => configurationProblems(config)),
  ];
}
