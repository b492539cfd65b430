// SPDX-License-Identifier: GPL-2.0-only
import type { ReleaseRange } from "./effect.ts";

/** Files of architectures that have an implementation of their own of what a file of mm/ does. */
export interface Twins extends ReleaseRange {
  readonly generic: string;
  readonly twins: readonly string[];
  readonly source: string;
}

const gup = (architectures: string): string[] => architectures.split(" ").map((name) => `arch/${name}/mm/gup.c`);

/**
 * Lockless walks of GUP. x86 came to the generic one in 4.13; the others stayed longer, and what stable releases from 4.14 on did
 * about the COW break left them out.
 */
export const GUP_TWINS: Twins = {
  generic: "mm/gup.c",
  twins: gup("mips s390 sh sparc x86"),
  until: "4.13",
  source: "the rework of 9bbd42e79720 in 4.9.y, January 2022: arch/{mips,s390,sh,sparc,x86}/mm/gup.c",
};

/** The same for references that must not overflow: 2ed768cfd895 (4.9.y) and 04198de24771 (4.14.y) missed them. */
export const GUP_REFERENCE_TWINS: Twins = { ...GUP_TWINS, twins: gup("mips s390 sh sparc"), until: "4.15", source: "04198de24771, fix of 8fde12ca79af in 4.14.y" };
