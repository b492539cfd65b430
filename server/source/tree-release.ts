// SPDX-License-Identifier: GPL-2.0-only

const setting = (makefile: string, name: string): string | null =>
  new RegExp(`^${name}[ \\t]*=[ \\t]*(\\d{1,4})[ \\t]*$`, "m").exec(makefile.slice(0, 4096))?.[1] ?? null;

/** The release that the top Makefile of a kernel tree names, as `6.1.192`; null where it names none. */
export function releaseOfMakefile(makefile: string): string | null {
  const [version, patchlevel, sublevel] = ["VERSION", "PATCHLEVEL", "SUBLEVEL"].map((name) => setting(makefile, name));
  if (!version || !patchlevel) return null;
  return sublevel && sublevel !== "0" ? `${version}.${patchlevel}.${sublevel}` : `${version}.${patchlevel}`;
}
