// SPDX-License-Identifier: GPL-2.0-only
import { EMPTY_STATE, type State } from "../analysis/state.ts";
import { bitOf, normalize } from "../analysis/truth.ts";
import { ERAS, gupEra } from "../kernel/era.ts";
import { factFor } from "../kernel/facts.ts";
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import { successors, type BranchNode, type CallNode, type EffectProgram, type NodeId, type ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { flagsOfPaths, type FlagsOfPaths, type KnownFlags } from "../scenarios/known-flags.ts";
import { givesBack, placeBehind } from "../scenarios/pinned-pages.ts";
import { prove } from "../scenarios/prove.ts";
import { entryOfPage, grabbedNames, type Grab } from "../scenarios/walked-page.ts";
import { walkerWithoutUnshare } from "../scenarios/walker-without-unshare.ts";
import { countOf, isCounted } from "./gup-fast-bail-out.ts";
import { unshareCheckFixes } from "./fix/unshare-check.ts";
import { linesOf, settingsOf } from "./other-lines.ts";
import type { Candidate, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";

/** GUP's own functions that grab on behalf of a walker. */
const GRABBERS = /^(?:try_grab_|try_get_|gup_put_|grab_)/;

/**
 * Walkers that hand out a page of an entry which may be read-only, for a request that may be FOLL_PIN, on a path that
 * does not ask `gup_must_unshare()`. For rule gup-cow-break-missing, messageId `walker`; from 5.19 on.
 */
export function* walkerCandidates(site: Site): Iterable<Candidate> {
  const { fn, call, node, effect, target, states, unit } = site;
  if (effect.kind !== "grabPage" || GRABBERS.test(fn.program.name)) return;
  if (!ERAS[gupEra(target.release)].readOnlyGup.startsWith("unshare")) return;
  if (!states.some(({ state }) => mayBeReadOnlyPin(state, effect.flags))) return;
  const entry = entryOfPage(fn.program, effect.page);
  if (!entry) return;
  const asks = (callee: CallNode): boolean => /unshare/.test(render({ ...callee, kind: "call" })) || unit.named(callee.name).some(asksItself);
  const walk: Walk = { program: fn.program, node, call, effect, entry, names: grabbedNames(fn.program, { call, grab: effect }), release: target.release, count: countOf(fn.program), asks };
  const kept = keptUnasked(walk);
  if (!kept) return;
  yield {
    ruleId: "gup-cow-break-missing",
    messageId: "walker",
    data: { function: fn.program.name },
    place: placeOf(fn.program, call),
    related: linesOf("the entry is read here", fn.program, settingsOf(fn.program, render(entry))),
    prove: isAffordable(site) ? (maxStates) => prove(walkerWithoutUnshare(node, target.release), fn.program, target.release, maxStates) : null,
    asked: (code) => {
      const [program, at] = [code.program(fn.program), code.node(fn.program, node)];
      return program === null || at === null || !isAffordable(site) ? null : [{ experiment: walkerWithoutUnshare(at, target.release), program }];
    },
    fixes: () => unshareCheckFixes(fn.program, call, effect, entry, target.release),
    // A walker under the page-table lock may have asked in the part that the hunk does not show.
    ...(fn.program.openStart && !kept.looksAgain ? { asks: true } : {}),
  };
}

const mayBeReadOnlyPin = (state: State, flags: Value): boolean => bitOf(state, flags, "FOLL_PIN") !== "no" && bitOf(state, flags, "FOLL_WRITE") !== "yes";

const asksItself = ({ image, start, end }: EffectProgram): boolean => /\bgup_must_unshare\s*\(/.test(image.text.slice(start, end));

interface Walk {
  readonly program: EffectProgram;
  readonly node: NodeId;
  readonly call: CallNode;
  readonly effect: Grab;
  readonly entry: Value;
  readonly names: ReadonlySet<string>;
  readonly release: Release;
  /** Where the walker counts what it hands out; null: it counts nothing. */
  readonly count: string | null;
  /** True for a callee that asks for the walker. */
  asks(callee: CallNode): boolean;
}

/** What is known on one path. */
interface Path {
  readonly id: NodeId;
  /** The page is held. */
  readonly held: boolean;
  /** The entry needs no (further) question. */
  readonly safe: boolean;
  /** The request is not for a read-only pin, whatever the entry: nothing further is asked on this path. */
  readonly other: boolean;
  /** The entry was read again after the grab. */
  readonly again: boolean;
  /** The page is handed out: it is counted, or the function counts nothing. */
  readonly handed: boolean;
  readonly flags: KnownFlags;
}

/** A path on which the page is handed out unasked, or null. Follows every path of the graph once per state. */
function keptUnasked(walk: Walk): { readonly looksAgain: boolean } | null {
  const { program } = walk;
  const seen = new Set<string>();
  const flags = flagsOfPaths(program);
  const work: Path[] = [{ id: program.entry, held: false, safe: false, other: false, again: false, handed: walk.count === null, flags: flags.none }];
  let found = false;
  let looksAgain = false;
  for (let path = work.pop(); path; path = work.pop()) {
    if (path.other) continue;
    const key = `${path.id} ${path.held} ${path.safe} ${path.again} ${path.handed} ${path.flags}`;
    const node = program.nodes[path.id];
    if (seen.has(key) || !node) continue;
    seen.add(key);
    const keeps = path.held && !path.safe && path.handed && (node.kind === "exit" || readsNextEntry(walk, node));
    // Code that is not visible may still ask.
    if (node.kind === "unseen" && node.where === "end") continue;
    if (keeps) {
      found = true;
      looksAgain ||= path.again;
    } else work.push(...after(walk, node, path, flags));
  }
  return found ? { looksAgain } : null;
}

function after(walk: Walk, node: ProgramNode, path: Path, flags: FlagsOfPaths): Path[] {
  if (node.kind === "branch") return afterBranch(walk, node, path, flags);
  const known = flags.after(node, path.flags);
  const next = (change: Partial<Path>): Path[] => successors(node).map((id) => ({ ...path, ...change, id, flags: known }));
  if (readsNextEntry(walk, node)) return next({ held: false, safe: false, again: false, handed: walk.count === null });
  if (walk.count !== null && isCounted(walk.count, node)) return next({ handed: true });
  if (node.kind !== "call") return next({});
  if (path.id === walk.node) return next({ held: true, again: false });
  if (node.effects.some((effect) => givesBack(effect, walk.names))) return next({ held: false });
  if (walk.asks(node)) return next({ safe: true });
  return next(path.held && node.effects.some((effect) => effect.kind === "accessEntry") ? { again: true } : {});
}

/** The entry's variable (or the pointer to it) moves on to another entry. */
function readsNextEntry({ entry }: Walk, node: ProgramNode): boolean {
  const base = render(placeBehind(entry));
  if (node.kind === "assign") return render(node.target) === base;
  return node.kind === "call" && node.result === base;
}

/** What the outcome of a test says about the page. */
function afterBranch(walk: Walk, node: BranchNode, path: Path, flags: FlagsOfPaths): Path[] {
  const { then, otherwise } = meaningOf(walk, node.condition);
  const { key, inverted } = normalize(EMPTY_STATE, node.condition);
  const result = path.held && walk.call.result !== null && key === walk.call.result;
  const failsWhen = walk.effect.held === "zero" ? !inverted : inverted;
  const on = (id: NodeId, outcome: boolean, says: Partial<Path>): Path => ({ ...path, ...says, id, ...(result && failsWhen === outcome ? { held: false } : {}) });
  return flags.ways(node, path.flags).map(({ id, outcome }) => on(id, outcome, outcome ? then : otherwise));
}

const SAFE = { safe: true } as const;
const OTHER = { other: true } as const;
const NOTHING = {} as const;

function meaningOf(walk: Walk, condition: Value): { then: Partial<Path>; otherwise: Partial<Path> } {
  if (condition.kind === "call") return meaningOfCall(walk, condition);
  if (condition.kind !== "binary" || condition.operator !== "&" || condition.right.kind !== "name") return { then: NOTHING, otherwise: NOTHING };
  // Writes break COW anyway, and only FOLL_PIN is unshared.
  const flag = condition.right.name;
  if (flag === "FOLL_WRITE" || flag === "FOLL_GET") return { then: OTHER, otherwise: NOTHING };
  return flag === "FOLL_PIN" ? { then: NOTHING, otherwise: OTHER } : { then: NOTHING, otherwise: NOTHING };
}

function meaningOfCall(walk: Walk, call: Value & { kind: "call" }): { then: Partial<Path>; otherwise: Partial<Path> } {
  const meaning = factFor(call.name, call.args.length, walk.release)?.fact.pure?.meaning;
  if (meaning === "entry-write") return { then: SAFE, otherwise: NOTHING };
  if (meaning === "must-unshare") return { then: NOTHING, otherwise: SAFE };
  if (meaning === "folio-anon") return { then: NOTHING, otherwise: SAFE };
  // A writable anonymous entry is exclusive; device memory is never anonymous here.
  const access = call.args[1];
  if (call.name.endsWith("_access_permitted") && access && bitOf(EMPTY_STATE, access, "FOLL_WRITE") === "yes") return { then: SAFE, otherwise: NOTHING };
  if (/AnonExclusive$|_anon_exclusive$|_devmap$/.test(call.name)) return { then: SAFE, otherwise: NOTHING };
  return { then: NOTHING, otherwise: NOTHING };
}
