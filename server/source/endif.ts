// SPDX-License-Identifier: GPL-2.0-only

const IF = /^\s*#\s*if/;
const ENDIF = /^\s*#\s*endif\b/;

/**
 * The row behind the `#endif` lines that follow row `to` and close conditionals of the rows before it: a file that ends with
 * them is whole only with them. `rows` are as written; `code` has blanks for comments and directives.
 */
export function withEndifs(rows: readonly string[], code: readonly string[], to: number): number {
  let open = 0;
  for (const row of rows.slice(0, to)) {
    if (IF.test(row)) open++;
    else if (ENDIF.test(row)) open = Math.max(0, open - 1);
  }
  let end = to;
  for (let row = to; row < rows.length && open > 0 && (code[row] ?? "").trim() === ""; row++) {
    const text = rows[row] ?? "";
    if (IF.test(text)) break;
    if (!ENDIF.test(text)) continue;
    open--;
    end = row + 1;
  }
  return end;
}
