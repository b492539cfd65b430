// SPDX-License-Identifier: GPL-2.0-only
import { ANON_VMA_CALLS, ANON_TESTS } from "../kernel/private-mapping.ts";
import type { State } from "../analysis/state.ts";
import type { Value } from "../program/code.ts";
import type { EffectProgram } from "../program/program.ts";
import { partsOf } from "../program/value-parts.ts";
import type { Site } from "./rule.ts";

/**
 * Whose page tables a function walks. `anonymous`: of a VMA that is anonymous or has an anon_vma, as far as the code
 * around it goes by that; `file`: the function has asked, and the VMA is neither; `unknown`: nothing says it.
 */
export type TableMapping = "anonymous" | "file" | "unknown";

/*
 * khugepaged takes tables of file mappings away only, and leaves VMAs with an anon_vma alone: mm/khugepaged.c,
 * retract_page_tables() (6.6). Anonymous memory is collapsed with mmap_lock held for writing.
 */
export function tableMappingAt(site: Site): TableMapping {
  if (mentions(site.program, ANON_MEMORY)) return "anonymous";
  if (site.states.length > 0 && site.states.every(({ state }) => isFile(site.program, state))) return "file";
  return codeAround(site).some((program) => mentions(program, ANY_ANON)) ? "anonymous" : "unknown";
}

const ANON_MEMORY: ReadonlySet<string> = new Set([...ANON_VMA_CALLS, ...ANON_TESTS]);
const ANY_ANON: ReadonlySet<string> = new Set([...ANON_MEMORY, "vma_is_anonymous"]);

/** The function, its visible callers, and what these call: a caller asks first, or has a helper ask. */
function codeAround({ unit, program, fn }: Site): readonly EffectProgram[] {
  const callers = [program, ...fn.contexts.flatMap(({ chain }) => chain.map((one) => one.program))];
  const called = new Set(callers.flatMap(({ nodes }) => nodes.flatMap((node) => (node.kind === "call" ? [node.name] : []))));
  return [...new Set([...callers, ...[...called].flatMap((name) => unit.named(name))])];
}

/** True where the program calls one of the functions, or goes through the anon_vma of something. */
function mentions({ nodes }: EffectProgram, calls: ReadonlySet<string>): boolean {
  const isOne = (value: Value): boolean =>
    (value.kind === "call" && calls.has(value.name)) || (value.kind === "member" && value.field === "anon_vma") || partsOf(value).some(isOne);
  return nodes.some((node) => {
    switch (node.kind) {
      case "call":
        return calls.has(node.name) || node.args.some(isOne);
      case "assign":
        return isOne(node.target) || (node.value !== null && isOne(node.value));
      case "branch":
        return isOne(node.condition);
      case "return":
        return node.value !== null && isOne(node.value);
      default:
        return false;
    }
  });
}

/** True where every VMA that the function has a name for is known to map a file. */
function isFile({ variables }: EffectProgram, { truths }: State): boolean {
  const vmas = [...variables.values()].flatMap(({ name, type }) => (type === "vm_area_struct" ? [name] : type === "vm_fault" ? [`${name}->vma`] : []));
  return vmas.length > 0 && vmas.every((vma) => truths.get(`vma_is_anonymous(${vma})`) === false || truths.get(`${vma}->vm_file`) === true);
}
