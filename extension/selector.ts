// SPDX-License-Identifier: GPL-2.0-only

/** One entry of a document selector, in the form that the language server protocol gives it. */
export interface DocumentFilter {
  readonly scheme: string;
  readonly language: string;
  readonly pattern?: string;
}

/** Documents that a person reads or writes; the read-only twins of a diff view (`git:`) are left alone. */
const SCHEMES = ["file", "untitled", "vscode-vfs"] as const;

/** The C files whose rules are known: memory management and the places that share its locks. */
const KERNEL_C = "**/{mm/**/*.c,fs/userfaultfd.c,fs/hugetlbfs/**/*.c,fs/proc/task_mmu.c,virt/kvm/**/*.c}";

/** The documents that the server is told about: every patch and mail, C under the paths above, and its configuration. */
export const documentSelector: readonly DocumentFilter[] = SCHEMES.flatMap((scheme) => [
  { scheme, language: "diff" },
  { scheme, language: "c", pattern: KERNEL_C },
  { scheme, language: "json", pattern: "**/.patchwalk.json" },
]);
