// SPDX-License-Identifier: GPL-2.0-only
import { atLeast, type Release } from "../../kernel/release.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { functionText, type FunctionText, type StatementPlace } from "../../program/statements.ts";
import type { Fix } from "../rule.ts";
import { writtenCall } from "./release-call.ts";
import { aroundSection } from "./section.ts";
import { insertAfter, joined, removeStatement, replaced, statementAt, type Edits } from "./statement-edits.ts";

type Gup = BoundEffect & { readonly kind: "gup" };

/*
 * The form of GUP that fits what is held: the plain one with mmap_lock, the fast and the unlocked one without it. All three are about
 * the current process and take the same things, in another order.
 */

type Form = "plain" | "fast" | "unlocked";

interface Signature {
  readonly suffix: string;
  readonly order: readonly ("addr" | "nr" | "flags" | "pages")[];
  /** From then on with these arguments, as a reference and as a pin. */
  readonly since: { readonly get: string; readonly pin: string };
}

const SIGNATURES: Readonly<Record<Form, Signature>> = {
  plain: { suffix: "", order: ["addr", "nr", "flags", "pages"], since: { get: "4.9", pin: "5.6" } },
  fast: { suffix: "_fast", order: ["addr", "nr", "flags", "pages"], since: { get: "5.2", pin: "5.6" } },
  unlocked: { suffix: "_unlocked", order: ["addr", "nr", "pages", "flags"], since: { get: "4.9", pin: "5.8" } },
};

/** 54d020692b34, 4c630f307455: the plain forms lost their array of VMAs. */
const WITHOUT_VMAS = "6.5";

/** The call in another form; null where it has arguments that the form does not take. */
function inForm(fn: FunctionText, call: CallNode, gup: Gup, form: Form, release: Release): Edits {
  const written = writtenCall(fn, call);
  const [from, to] = [gup.form, SIGNATURES[form]];
  if (!written || !(from === "plain" || from === "fast" || from === "unlocked") || !atLeast(release, to.since[gup.reference])) return null;
  const { order } = SIGNATURES[from];
  const [rest, more] = [written.args.slice(order.length), form === "plain" && !atLeast(release, WITHOUT_VMAS) ? ["NULL"] : []];
  if (written.args.length < order.length || !rest.every((word) => word === "NULL")) return null;
  const args = to.order.map((one) => written.args[order.indexOf(one)] ?? "");
  return [replaced(written.at, written.end, `${gup.reference}_user_pages${to.suffix}(${[...args, ...more].join(", ")})`)];
}

/** For a call with mmap_lock held that takes it itself. */
export function heldFormFixes(program: EffectProgram, call: CallNode, gup: Gup, release: Release): readonly Fix[] {
  const fn = functionText(program);
  return fn ? offered(`${gup.reference}_user_pages(), which is called with mmap_lock held`, inForm(fn, call, gup, "plain", release)) : [];
}

/** For a call that needs mmap_lock, without it. */
export function lockedCallFixes(program: EffectProgram, call: CallNode, gup: Gup, release: Release): readonly Fix[] {
  const fn = functionText(program);
  if (!fn) return [];
  const statement = statementAt(fn, call.at);
  const mm = call.effects.flatMap((effect) => (effect.kind === "requiresHeld" ? [effect.object ? render(effect.object) : "current->mm"] : []))[0];
  const forms = (["fast", "unlocked"] as const).flatMap((form) => offered(`${gup.reference}_user_pages${SIGNATURES[form].suffix}(), which takes mmap_lock itself`, inForm(fn, call, gup, form, release)));
  const later = statement ? offered("Give mmap_lock up behind the call", unlockLater(fn, statement)) : [];
  const around = mm === undefined ? [] : offered(`Hold mmap_lock of ${mm} around the call`, aroundSection(fn, { inside: [call.at], before: [`mmap_read_lock(${mm});`], after: [`mmap_read_unlock(${mm});`] }));
  return [...forms, ...later, ...around].map((fix, index) => (index > 0 ? { ...fix, isFallback: true as const } : fix));
}

/** The unlock that stands in front of the statement, behind it. */
function unlockLater(fn: FunctionText, statement: StatementPlace): Edits {
  const list = statement.parent?.children ?? [];
  const before = list[list.indexOf(statement) - 1];
  const words = before?.kind === "simple" ? fn.text.slice(before.at, before.end) : "";
  if (!before || statement.kind !== "simple" || !/^(?:mmap_(?:read|write)_unlock|up_(?:read|write))\([^()]*\);$/.test(words)) return null;
  return joined(removeStatement(fn, before), insertAfter(fn, statement, [words]));
}

const offered = (title: string, edits: Edits): readonly Fix[] => (edits ? [{ title, edits }] : []);
