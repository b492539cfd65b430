// SPDX-License-Identifier: GPL-2.0-only
import type { Model, Step } from "./model.ts";

/** A step that does nothing and always goes on: what is left where the fix is taken out. */
const skipped = ({ text, source }: Step): Step => ({ text: `(without) ${text}`, source, hidden: true, alternatives: [{}] });

/** The model without the steps of its fix; null where it has none. Places and labels stay. */
export function withoutFix(model: Model): Model | null {
  if (!model.threads.some(({ steps }) => steps.some(({ isFix }) => isFix))) return null;
  return {
    ...model,
    name: `${model.name}, the fix taken out`,
    threads: model.threads.map((thread) => ({ ...thread, steps: thread.steps.map((step) => (step.isFix ? skipped(step) : step)) })),
  };
}
