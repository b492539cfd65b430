// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import { withAliases } from "../program/alias.ts";
import type { Definitions } from "../program/code.ts";
import { returnedValue } from "../program/helper-body.ts";
import { inlineInto, keepsAll, openCalls, standsInCallers, type Helper } from "../program/inline.ts";
import { leftBehind, type Leftover } from "../program/leftovers.ts";
import { lowerFunction, type LowerOptions } from "../program/lower.ts";
import type { Outline, OutlineFunction } from "../program/outline.ts";
import { readPart } from "../program/read-code.ts";
import type { EffectProgram } from "../program/program.ts";
import { imageOfFile, type Image } from "../source/image.ts";
import { fileMacros, wordsOf } from "./file-macros.ts";
import { groupsFrom } from "./groups.ts";
import { hash } from "./shape.ts";
import { codesOf, isShort, type Slot } from "./slot.ts";
import { slotsOf } from "./slots.ts";

/** A file of a tree of which functions are lowered as they are asked for. */
export interface LoweredFile {
  readonly image: Image;
  /** Functions by name; long ones without a body. */
  readonly definitions: Definitions;
  /** Programs of functions of the outline, with the helpers that they need in their places. */
  programsOf(wanted: readonly OutlineFunction[]): readonly EffectProgram[];
  /** Equal keys: equal programs, up to places in the text. */
  keyOf(fn: OutlineFunction): string;
  /** Functions that the program has places of, itself first. */
  placesOf(fn: OutlineFunction): readonly OutlineFunction[];
  /** The file with another text. Functions whose texts are the same are not read again, and this one is of no use any more. */
  edited(text: string, outline: Outline): LoweredFile;
}

export const lowerFile = (image: Image, outline: Outline, release: Release, options: LowerOptions = {}): LoweredFile =>
  loweredFile(image, slotsOf(image.text, outline, null), release, options);

/** What callers and keys have to know of a function. */
interface Summary {
  readonly key: string;
  /** Functions that the program has places of, itself first. */
  readonly slots: ReadonlySet<Slot>;
  readonly helper: Helper;
  /** True where the helper stands in the place of its calls. */
  readonly stands: boolean;
}

/** One of two definitions of a name, whichever it is: neither stands for both. */
const eitherOf = (a: Summary, b: Summary): Summary => ({
  key: `${a.key} ${b.key}`,
  slots: new Set([...a.slots, ...b.slots]),
  stands: false,
  helper: { whole: () => null, keeps: a.helper.keeps && b.helper.keeps, leaves: new Set([...a.helper.leaves, ...b.helper.leaves]) },
});

/** A function that comes back to itself through others may leave what any of them leaves. */
function inTurn(summary: Summary, group: readonly Summary[]): Summary {
  const leaves = new Set(group.flatMap((one) => [...one.helper.leaves]));
  return { ...summary, key: `${summary.key} ${listOf(leaves)}`, helper: { ...summary.helper, leaves } };
}

const listOf = (leaves: ReadonlySet<Leftover>): string => [...leaves].toSorted().join();

/** What a function leaves otherwise than it found it, itself or through the helpers that stay calls in it. */
const leftBy = (whole: EffectProgram | null, helpers: ReadonlyMap<string, Summary>): ReadonlySet<Leftover> =>
  new Set(whole === null ? [] : [...leftBehind(whole), ...openCalls(whole).flatMap((name) => [...(helpers.get(name)?.helper.leaves ?? [])])]);

/** What a function is lowered from. */
interface Source {
  readonly key: string;
  readonly slots: ReadonlySet<Slot>;
}

const NO_BODY = { parameters: [], body: { kind: "list", items: [] }, start: -1, end: -1, hasError: false } as const;

function loweredFile(image: Image, slots: ReadonlyMap<number, Slot>, release: Release, options: LowerOptions): LoweredFile {
  const { text } = image;
  const macros = fileMacros(text);
  const byName = new Map<string, Slot[]>();
  for (const slot of slots.values()) byName.set(slot.fn.name, [...(byName.get(slot.fn.name) ?? []), slot]);

  const codeOf = (slot: Slot) => codesOf(slot, () => readPart(text, slot.fn));

  /** The function that callers see through; of two (`#ifdef` and the stub of `#else`) the longer one. */
  const helperNamed = (name: string): Slot | null => {
    const [first = null, ...others] = byName.get(name)?.filter(isShort) ?? [];
    return others.reduce((a, b) => (a && b.fn.end - b.fn.start <= a.fn.end - a.fn.start ? a : b), first);
  };
  const definitions: Definitions = {
    has: (name) => byName.has(name),
    get: (name) => {
      const helper = helperNamed(name);
      const code = helper && codeOf(helper).findLast((one) => one.name === name);
      return code ?? (byName.has(name) ? { ...NO_BODY, name, isStatic: byName.get(name)?.[0]?.fn.isStatic ?? false } : undefined);
    },
  };

  const names = [...byName.keys(), macros.key].join();
  const lexicon = hash(names, 0, names.length).toString(36);
  /** Names of functions of the file that the text of a function mentions, in itself or through a macro. */
  const mentionedBy = (slot: Slot): readonly string[] => {
    if (slot.mentions?.key !== lexicon) {
      const words = wordsOf(slot.text);
      slot.mentions = { key: lexicon, names: [...new Set([...words, ...macros.wordsBehind(words)])].filter((word) => byName.has(word)) };
    }
    return slot.mentions.names;
  };

  const isValue = (slot: Slot): boolean => (slot.isValue ??= isShort(slot) && codeOf(slot).some((code) => returnedValue(code.body) !== null));

  /** What the lowering of a text that mentions a name looks at: a helper that is nothing but a value may stand there. */
  const valueNamed = (name: string): Slot | null => {
    const helper = helperNamed(name);
    return helper && isValue(helper) ? helper : null;
  };
  /** The function and helpers that may stand in its own code. */
  const openedIn = (slot: Slot): ReadonlySet<Slot> => {
    const found = new Set([slot]);
    for (const one of found)
      for (const name of mentionedBy(one)) {
        const helper = valueNamed(name);
        if (helper) found.add(helper);
      }
    return found;
  };

  const sources = new Map<Slot, Source>();
  const sourceOf = (slot: Slot): Source => {
    const known = sources.get(slot);
    if (known) return known;
    const opened = openedIn(slot);
    const mentioned = (one: Slot): string => mentionedBy(one).map((name) => `${name} ${valueNamed(name)?.hash ?? ""}`).join();
    const parts = [macros.key, ...[...opened].map((one) => `${one.fn.name} ${one.hash} ${mentioned(one)}`)].join("\n");
    const made = { key: hash(parts, 0, parts.length).toString(36), slots: opened };
    sources.set(slot, made);
    return made;
  };

  /** The function's own code, lowered. */
  const rawOf = (slot: Slot): EffectProgram | null => {
    const source = sourceOf(slot);
    return slot.raw.get(source.key, image, () => source.slots, () => {
      // Broken text may hold pieces of other functions.
      const codes = codeOf(slot);
      const code = codes.findLast((one) => one.name === slot.fn.name) ?? codes.at(-1);
      return code ? lowerFunction(image, code, release, definitions, options) : null;
    });
  };

  /** Helpers that the function calls. */
  const calleesOf = (slot: Slot): readonly Slot[] => {
    const { key } = sourceOf(slot);
    if (slot.calls?.key !== key) {
      const names = rawOf(slot)?.nodes.flatMap((node) => (node.kind === "call" && node.knowledge === "defined-here" ? [node.name] : [])) ?? [];
      slot.calls = { key, names: [...new Set(names)] };
    }
    return slot.calls.names.flatMap((name) => byName.get(name)?.filter(isShort) ?? []);
  };

  const groupOf = new Map<Slot, readonly Slot[]>();
  const summaries = new Map<Slot, Summary>();
  const summaryOf = (slot: Slot): Summary => {
    // Callees before callers. Functions that call each other do not stand in each other's places.
    if (!summaries.has(slot))
      for (const group of groupsFrom(slot, calleesOf, (one) => summaries.has(one))) {
        const made = group.map((one) => [one, summarized(one, group)] as const);
        for (const [one, summary] of made) summaries.set(one, group.length > 1 ? inTurn(summary, made.map(([, other]) => other)) : summary);
        for (const one of group) groupOf.set(one, group);
      }
    return summaries.get(slot) ?? summarized(slot, [slot]);
  };

  /** What the functions are to their callers that a function calls, outside of those that come back to it. */
  const helpersOf = (slot: Slot, group: readonly Slot[]): ReadonlyMap<string, Summary> => {
    const found = new Map<string, Summary>();
    for (const one of calleesOf(slot)) {
      const summary = group.includes(one) ? undefined : summaries.get(one);
      const other = found.get(one.fn.name);
      if (summary) found.set(one.fn.name, other ? eitherOf(other, summary) : summary);
    }
    return found;
  };

  function summarized(slot: Slot, group: readonly Slot[]): Summary {
    const source = sourceOf(slot);
    const helpers = helpersOf(slot, group);
    const parts = [source.key, ...[...helpers].map(([name, { key, stands, helper }]) => `${name} ${stands ? key : ""} ${helper.keeps} ${listOf(helper.leaves)}`)].join("\n");
    // Which of several definitions of a name it is does not show: none of them stands for all.
    const isOnly = byName.get(slot.fn.name)?.length === 1;
    const key = `${hash(parts, 0, parts.length).toString(36)}${group.length > 1 ? " in turn" : ""}${isOnly ? "" : " of several"}`;
    const from = new Set([...source.slots, ...[...helpers.values()].flatMap((one) => (one.stands ? [...one.slots] : []))]);
    const helperOf = (name: string): Helper | null => helpers.get(name)?.helper ?? null;
    const whole = (): EffectProgram | null => slot.whole.get(key, image, () => from, () => {
      const raw = rawOf(slot);
      return raw && inlineInto(raw, helperOf);
    });
    if (slot.judged?.key !== key) {
      const raw = isShort(slot) ? rawOf(slot) : null;
      const stands = raw !== null && isOnly && group.length === 1 && standsInCallers(raw, () => whole() ?? raw);
      slot.judged = { key, stands, keeps: raw !== null && keepsAll(raw, helperOf), leaves: leftBy(raw && whole(), helpers) };
    }
    const { stands, keeps, leaves } = slot.judged;
    return { key, slots: from, stands, helper: { whole: () => (stands ? whole() : null), keeps, leaves } };
  }

  const programOf = (slot: Slot): EffectProgram | null => {
    const { key, slots: from } = summaryOf(slot);
    return slot.done.get(key, image, () => from, () => {
      const raw = rawOf(slot);
      const group = groupOf.get(slot) ?? [slot];
      const helpers = helpersOf(slot, group);
      const back = group.some((one) => calleesOf(slot).includes(one)) ? summaries.get(slot) : undefined;
      const comesBack = (name: string): Helper | null => (back && group.some((one) => one.fn.name === name) ? { whole: () => null, keeps: false, leaves: back.helper.leaves } : null);
      return raw && withAliases(inlineInto(raw, (name) => helpers.get(name)?.helper ?? comesBack(name)));
    });
  };

  return {
    image,
    definitions,
    programsOf: (wanted) => wanted.flatMap((fn) => {
      const slot = slots.get(fn.start);
      return (slot && programOf(slot)) ?? [];
    }),
    keyOf: (fn) => {
      const slot = slots.get(fn.start);
      return slot ? summaryOf(slot).key : "";
    },
    placesOf: (fn) => {
      const slot = slots.get(fn.start);
      return slot ? [...summaryOf(slot).slots].map((one) => one.fn) : [];
    },
    edited: (now, outline) => loweredFile(imageOfFile(image.path ?? "", now), slotsOf(now, outline, { text, slots }), release, options),
  };
}
