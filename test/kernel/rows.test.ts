// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from "vitest";
import type { Effect } from "../../server/kernel/effect.ts";
import { effectsUnder, factFor } from "../../server/kernel/facts.ts";
import { parseRelease } from "../../server/kernel/release.ts";
import { ROWS } from "./rows.ts";

interface Expected {
  readonly kind: string;
  readonly isAbsent: boolean;
  readonly members: readonly (readonly [key: string, value: string])[];
}

function readRow(row: string) {
  const match = /^(\S+) (\w+)\/(\d+)((?: \w+=[yn])*)(?: as of (\S+))?: (.+)$/.exec(row);
  const release = match && parseRelease(match[1]!);
  if (!match || !release) throw new Error(`cannot read the row: ${row}`);
  const config = Object.fromEntries(match[4]!.trim().split(" ").filter((word) => word !== "").map((word) => word.split("=")).map(([symbol, value]) => [symbol!, value === "y"]));
  const expected = match[6]!.split("; ").map((text): Expected => {
    const [first, ...rest] = text.split(" ") as [string, ...string[]];
    if (first === "no") return { kind: rest[0]!, isAbsent: true, members: [] };
    return { kind: first, isAbsent: false, members: rest.map((word) => word.split("=") as [string, string]) };
  });
  return { release, name: match[2]!, count: Number(match[3]), config, asOf: match[5] ?? null, expected };
}

const matches = (effect: Effect, { kind, members }: Expected): boolean =>
  effect.kind === kind && members.every(([key, value]) => String((effect as unknown as Record<string, unknown>)[key]) === value);

describe("each row", () => {
  it.each(ROWS)("%s", (row) => {
    const { release, name, count, config, asOf, expected } = readRow(row);
    const known = factFor(name, count, release);
    if (!known) throw new Error("no fact for this call");
    expect(known.asOf).toBe(asOf);
    const effects = effectsUnder(known.fact, config);
    for (const one of expected) {
      const found = effects.some((effect) => matches(effect, one));
      expect(found, `${one.isAbsent ? "no " : ""}${one.kind} among ${JSON.stringify(effects)}`).toBe(!one.isAbsent);
    }
  });
});
