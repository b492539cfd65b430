// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { CallNode, EffectProgram } from "../program/program.ts";
import { render } from "../program/render.ts";
import { maskOf } from "../program/vma-flags.ts";
import { someIn } from "./doubt.ts";

/** Fields through which code asks whether a mapping shares its page tables, or reaches a lock that protects them. */
const FIELDS = new Set(["vm_flags", "__vm_flags", "vm_private_data", "vm_file", "f_mapping", "i_mapping", "i_mmap", "i_mmap_rwsem", "i_mmap_writable"]);

/** What a VMA is asked for that has nothing to do with sharing. */
const INDEPENDENT = new Set([
  "hstate_vma", "huge_page_size", "huge_page_mask", "huge_page_order", "huge_page_shift", "pages_per_huge_page",
  "vma_kernel_pagesize", "vma_mmu_pagesize", "vma_pages", "vma_hugecache_offset", "linear_page_index", "linear_hugepage_index",
]);

/** Bits that a mapping has or has not, whether it is shared or not. */
const FREE_BITS = new Set(["VM_READ", "VM_WRITE", "VM_EXEC", "VM_MAYREAD", "VM_MAYWRITE", "VM_MAYEXEC", "VM_LOCKED", "VM_LOCKONFAULT", "VM_SEQ_READ", "VM_RAND_READ", "VM_DONTCOPY", "VM_DONTEXPAND", "VM_DONTDUMP", "VM_NORESERVE", "VM_ACCOUNT", "VM_SOFTDIRTY", "VM_MADV_DONTNEED"]);

/** Types of objects whose locks keep a page table from being freed, or lead to one that does. */
const LOCKED = new Set(["vm_area_struct", "mm_struct", "address_space", "inode", "file", "hugetlb_vma_lock", "vm_fault", "rw_semaphore"]);
const LEADS_TO_LOCKED = new Set(["vm_mm", "vm_file", "f_mapping", "i_mapping", "vma", "vm_private_data", "i_mmap_rwsem", "mmap_lock"]);

const FREE_TEST = (value: Value): boolean => {
  if (value.kind === "call") return INDEPENDENT.has(value.name);
  if (value.kind !== "binary" || value.operator !== "&") return false;
  const mask = maskOf(value.right);
  return mask !== null && mask.length > 0 && mask.every((bit) => FREE_BITS.has(bit));
};

/** True where a value is about how the walked mapping shares its tables. `names`: variables that hold such values. */
export const asksSharing =
  (program: EffectProgram) =>
  (value: Value, names: ReadonlySet<string>): boolean =>
    someIn(
      value,
      (part) => {
        if (part.kind === "name") return names.has(part.name) || /^VM_(?:MAY)?SHARED?$/.test(part.name);
        if (part.kind === "member") return FIELDS.has(part.field) || names.has(render(part));
        return part.kind === "call" && (/shar|private|cow_mapping|anon/i.test(part.name) || part.args.some((arg) => isVma(arg, program)));
      },
      FREE_TEST,
    );

const typeOf = (value: Value, program: EffectProgram): string | null =>
  value.kind === "name" ? (program.variables.get(value.name)?.type ?? null) : value.kind === "member" && value.field === "vma" ? "vm_area_struct" : null;

const isVma = (value: Value, program: EffectProgram): boolean => typeOf(value, program) === "vm_area_struct";

/** What a call is handed that has, or leads to, a lock of the scenario; null: nothing. */
export function handedLocked(program: EffectProgram, call: CallNode): string | null {
  for (const arg of call.args) {
    const place = arg.kind === "unary" && arg.operator === "&" ? arg.of : arg;
    const type = typeOf(place, program);
    if ((type !== null && LOCKED.has(type)) || (place.kind === "member" && LEADS_TO_LOCKED.has(place.field))) return render(place);
  }
  return null;
}
