// SPDX-License-Identifier: GPL-2.0-only

/** A condition as a reader expects it, from its text and whether it stands under a `!`. */
export function shownCondition(text: string, negated: boolean): string {
  const whole = balanced(text);
  return negated ? negation(whole) : whole;
}

/** A condition begins behind the parentheses of its first part: `a & b) == c` gets its own back. */
function balanced(text: string): string {
  let depth = 0;
  let missing = 0;
  for (const character of text) {
    if (character === "(") depth++;
    if (character === ")" && --depth < 0) {
      missing++;
      depth = 0;
    }
  }
  return "(".repeat(missing) + text + ")".repeat(depth);
}

/** The text under its `!`: in parentheses unless it is one operand. */
const negation = (text: string): string => (/^[\w.]+(?:->\w+|\.\w+)*(?:\(.*\))?$/.test(text) || /^\([^()]*\)$/.test(text) ? `!${text}` : `!(${text})`);
