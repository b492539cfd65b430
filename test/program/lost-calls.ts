// SPDX-License-Identifier: GPL-2.0-only
import { factFor, isQuiet } from "../../server/kernel/facts.ts";
import type { Release } from "../../server/kernel/release.ts";
import type { FunctionCode } from "../../server/program/code.ts";
import type { EffectProgram } from "../../server/program/program.ts";
import { kernelDialect } from "../../server/syntax/dialect.ts";

/** Comments, strings and directives. */
const NO_CODE = /\/\*[^]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\.)*'|^[ \t]*#(?:[^\n\\]|\\[^])*/gm;

/** The size of a declared array: a constant. */
const ARRAY_SIZE = /\b(?!return\b|else\b|case\b|goto\b)\w+\s+\w+\[[^\]]*\](?=\s*[;=,])/g;

/** What has parentheses behind it and is no call, and what the program has under another name: the lock of a guard. */
const NO_CALL = /^(?:if|while|for|switch|return|sizeof|do|else|case|static|volatile|void|int|long|unsigned|char|bool|(?:DEFINE|DECLARE)_\w+|guard|scoped_guard|scoped_cond_guard|CLASS|aligned)$/;

/** Counts words before an opening parenthesis: by intent knows nothing of C but its tokens. */
function callsInText(body: string): ReadonlyMap<string, number> {
  const code = body.replace(NO_CODE, (text) => text.replace(/[^\n]/g, " ")).replace(ARRAY_SIZE, "");
  const found = new Map<string, number>();
  for (const [, name = ""] of code.matchAll(/\b([A-Za-z_]\w*)\s*\(/g)) {
    if (!NO_CALL.test(name) && !/^(?:attributeCall|typeQuery|typeOperator|fieldPath)$/.test(kernelDialect.roleOf(name))) found.set(name, (found.get(name) ?? 0) + 1);
  }
  return found;
}

/** Calls anywhere in a part of a program, or of what was read of the text: nodes, arguments, conditions; iterator macros, too. */
function countCalls(part: unknown, found = new Map<string, number>()): ReadonlyMap<string, number> {
  if (typeof part !== "object" || part === null) return found;
  if (Array.isArray(part)) {
    for (const one of part as unknown[]) countCalls(one, found);
    return found;
  }
  const { kind, name, reason, text, macro } = part as Record<string, unknown>;
  const called = kind === "call" ? name : kind === "iterate" ? macro : kind === "choice" && reason === "iterate" ? text : null;
  if (typeof called === "string") {
    // Through a pointer: `ops->fn`, `(*fn)`.
    const word = /(\w+)\W*$/.exec(called)?.[1] ?? called;
    found.set(word, (found.get(word) ?? 0) + 1);
  }
  // Effects repeat arguments.
  for (const [key, one] of Object.entries(part)) if (key !== "effects") countCalls(one, found);
  return found;
}

const hasMacro = (text: string, name: string): boolean => new RegExp(`^[ \\t]*#[ \\t]*define[ \\t]+${name}\\(`, "m").test(text);

/** A value that no rule asks about may be dropped where nothing uses it. */
function isWithoutEffect(name: string, release: Release): boolean {
  if (isQuiet(name)) return true;
  for (let arity = 0; arity < 12; arity++) {
    const known = factFor(name, arity, release);
    // `if (WARN_ON(x))` is a test of x: the program has that.
    if (known) return known.fact.effects.every((effect) => effect.kind === "bugIf" && effect.how === "warn");
  }
  return false;
}

/** Calls that stand in the text of a function more often than in what was read of it, or than in its program, with both numbers. */
export function lostCalls(text: string, code: FunctionCode, program: EffectProgram, release: Release): string[] {
  const inText = callsInText(text.slice(text.indexOf("{", code.start), code.end));
  const inCode = countCalls(code.body);
  const inProgram = countCalls(program.nodes);
  return [...inText].flatMap(([name, times]) => {
    const read = inCode.get(name) ?? 0;
    if (read < times) return [`${name} ${times} -> ${read} read`];
    const left = inProgram.get(name) ?? 0;
    // A macro of the same file is read, and what it calls stands there in its place.
    return left >= times || isWithoutEffect(name, release) || hasMacro(text, name) ? [] : [`${name} ${times} -> ${left} lowered`];
  });
}
