// SPDX-License-Identifier: GPL-2.0-only

/** FNV-1a over UTF-16 units, 32 bits, with a seed. */
function fnv1a(text: string, seed: number): number {
  let hash = seed >>> 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

const hex = (value: number): string => value.toString(16).padStart(8, "0");

/**
 * Stable name of a finding: rule, function and the code without white space. Line numbers take no part, so that it
 * survives when code moves. 16 hex digits; not a security measure.
 */
export function fingerprintOf(ruleId: string, functionName: string, code: string): string {
  const text = `${ruleId}\n${functionName}\n${code.replace(/\s+/g, "")}`;
  return hex(fnv1a(text, 0x811c9dc5)) + hex(fnv1a(text, 0x9e3779b9));
}
