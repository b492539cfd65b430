// SPDX-License-Identifier: GPL-2.0-only
import { atLeast, type Release } from "../../kernel/release.ts";
import { functionText, type FunctionText } from "../../program/statements.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import type { Fix } from "../rule.ts";
import { argumentsAt, calleeAt, replaceArgument, replaced, statementsIn, type Edits } from "./statement-edits.ts";

type Gup = BoundEffect & { readonly kind: "gup" };

/** FOLL_WRITE at the call, or in the only value of its flag word; the second way is for mappings that may be read-only. */
export function writePinFixes(program: EffectProgram, call: CallNode, gup: Gup, release: Release): readonly Fix[] {
  const fn = functionText(program);
  const at = fn ? calleeAt(fn, call) : 0;
  const args = fn && argumentsAt(fn, at)?.args;
  if (!fn || !args || args.length !== call.args.length || !fn.code.startsWith(call.name, at)) return [];
  const word = gup.flags ?? gup.write;
  const index = word ? call.args.findIndex((arg) => arg === word || render(arg) === render(word)) : -1;
  const argument = args[index];
  if (!argument) return [];
  if (!gup.flags) return offered("Pin for writing", replaceArgument(fn, at, index, "1"));
  const flags = fn.text.slice(argument.at, argument.end);
  const withBits = (bits: string): Edits => inOnlyValue(fn, program, flags, bits) ?? replaceArgument(fn, at, index, added(flags, bits));
  const mayForce = !flags.includes("FOLL_FORCE") && (!call.name.includes("_fast") || atLeast(release, "5.6"));
  return [
    ...offered("Pin with FOLL_WRITE: COW is broken before the device gets the page", withBits("FOLL_WRITE")),
    ...(mayForce ? offered("Pin with FOLL_WRITE | FOLL_FORCE, for mappings that may be read-only", withBits("FOLL_WRITE | FOLL_FORCE")) : []),
  ];
}

const offered = (title: string, edits: Edits): readonly Fix[] => (edits ? [{ title, edits }] : []);

/** A flag word with more bits. */
function added(flags: string, bits: string): string {
  if (flags === "0") return bits;
  const outside = flags.replaceAll("->", ".").replace(/\([^()]*\)/g, "");
  const word = /[?&^=<>]|\|\|/.test(outside) ? `(${flags})` : flags;
  return /^FOLL_\w+$/.test(flags.split("|")[0]?.trim() ?? "") ? `${bits} | ${word}` : `${word} | ${bits}`;
}

/** Where the word is a local variable that has one value only, the bits belong there. */
function inOnlyValue(fn: FunctionText, program: EffectProgram, flags: string, bits: string): Edits {
  const writes = program.nodes.filter((node) => (node.kind === "assign" && render(node.target) === flags) || (node.kind === "call" && node.result === flags));
  const [only, ...others] = writes;
  if (!/^\w+$/.test(flags) || only?.kind !== "assign" || only.operator !== "=" || others.length > 0) return null;
  const declared = statementsIn(fn.block).some((one) => one.kind === "declaration" && one.at <= only.at && only.at < one.end);
  const match = /^(\w+\s*=\s*)((?:FOLL_\w+|0)(?:\s*\|\s*FOLL_\w+)*)\s*(?=[,;])/.exec(fn.code.slice(only.at, only.at + 200));
  if (!declared || !match) return null;
  const at = only.at + (match[1] ?? "").length;
  return [replaced(at, at + (match[2] ?? "").length, added(match[2] ?? "", bits))];
}
