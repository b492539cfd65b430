// SPDX-License-Identifier: GPL-2.0-only
import type { RuleMeta } from "../rules/meta.ts";
import { RULES } from "../rules/registry.ts";

/** The rules known to this build, ordered by id. */
export const rules = (): readonly RuleMeta[] => RULES.map((rule) => rule.meta);

export const ruleById = (id: string): RuleMeta | null => rules().find((rule) => rule.id === id) ?? null;
