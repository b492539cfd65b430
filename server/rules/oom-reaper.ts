// SPDX-License-Identifier: GPL-2.0-only
import type { EffectProgram } from "../program/program.ts";
import type { Site } from "./rule.ts";

/** The one function that the non-blocking start was made for: mm/oom_kill.c, 93065ac753e4. */
export const OOM_REAPER = "__oom_reap_task_mm";

/** The wrappers themselves, in the header that defines them. */
export const isNotifierCore = ({ name }: EffectProgram): boolean => name.startsWith("mmu_notifier_");

/** True in the reaper, and in helpers that nobody else is seen to call. */
export const isForReaper = ({ program, fn }: Site): boolean =>
  program.name === OOM_REAPER || (fn.contexts.length > 0 && fn.contexts.every(({ chain }) => chain.some(({ name }) => name === OOM_REAPER)));
