// SPDX-License-Identifier: GPL-2.0-only
//
// One workbench for all steps, since a fresh one costs seconds.
const { expect, test } = require("@playwright/test");
const { mkdirSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { EDITOR, SQUIGGLES, enlargeHover, hoverSquiggle, openFile, openWorkbench, runCommand, scrollHover, tokensOfLine } = require("./workbench.cjs");

const RULE = "notifier-nonblock-outside-oom";
/** Where the files have what is found; an editor only draws what is in view. */
const LINE = 49;
const REVIEW_LINE = 27;
const C_LINE = 29;
const EXAMPLE_LINE = 51;
const CALL = "mmu_notifier_invalidate_range_start_nonblock";

test.describe.configure({ mode: "serial" });

let page;
const problems = () => page.locator(".markers-panel .monaco-list-row");
/** The panel draws only what is in view; the status bar counts all. */
const expectProblems = (errors, warnings) =>
  expect(page.locator("[id='status.problems']")).toHaveText(new RegExp(`^\\s*${errors}\\s*${warnings}\\s*$`), { timeout: 15_000 });
const screenshot = (name) => page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`) });

test.beforeAll(async ({ browser }) => {
  page = await browser.newPage();
  await openWorkbench(page, process.env.WORKSPACE, "faulty.patch");
});
test.afterEach(async () => {
  const info = test.info();
  if (info.status !== info.expectedStatus) await screenshot("failure");
});
test.afterAll(() => page.close());

test("the finding is underlined in the patch", async () => {
  await runCommand(page, "View: Close Primary Side Bar").catch(() => {});
  await openFile(page, "faulty.patch", LINE);
  await expect(page.locator(SQUIGGLES).first()).toBeVisible({ timeout: 30_000 });
  await screenshot("squiggle");
});

test("the breadcrumbs lead from the file to its function", async () => {
  const crumbs = page.locator(".breadcrumbs-control");
  await expect(crumbs).toContainText("mm/shift.c", { timeout: 15_000 });
  await expect(crumbs).toContainText("shift_one_pte");
});

test("C is highlighted on the added lines", async () => {
  await expect(async () => {
    const tokens = await tokensOfLine(page, "return -EAGAIN");
    const keyword = tokens.find((token) => token.text.trim() === "return");
    expect(keyword, JSON.stringify(tokens)).toBeDefined();
    expect(tokens.some((token) => token.kind !== keyword.kind)).toBe(true);
  }).toPass({ timeout: 15_000 });
});

test("the hover tells the rule and the schedule", async () => {
  const hover = await hoverSquiggle(page, RULE);
  await expect(hover).toContainText(/schedule/i);
  await expect(hover).toContainText("vCPU");
  await enlargeHover(page, hover);
  await screenshot("hover");
  await scrollHover(page, hover);
  await screenshot("schedule");
  await page.mouse.move(700, 880);
});

test("the Problems panel lists the finding under its rule", async () => {
  await runCommand(page, "Problems: Focus on Problems View");
  await expect(problems().filter({ hasText: RULE })).toHaveCount(1);
  await screenshot("problems");
});

test("a patch that keeps the rules has no finding", async () => {
  await openFile(page, "clean.patch");
  await expect(page.locator(`${EDITOR} .view-lines`)).toContainText("Example Developer");
  // The server answers one document after the other: with the next one reviewed, this one is as well.
  await openFile(page, "review.txt", REVIEW_LINE);
  await expect(page.locator(SQUIGGLES).first()).toBeVisible({ timeout: 30_000 });
  // All of them are those of the other two.
  await expectProblems(4, 6);
});

test("a quoted review that was saved as plain text is read as a patch", async () => {
  await expect(page.locator(".statusbar-item", { hasText: "Diff" })).toBeVisible();
  await expectProblems(4, 6);
  await screenshot("review");
});

test("C is reviewed below mm/ and left alone elsewhere", async () => {
  await openFile(page, "lib/shift.c", C_LINE);
  await expect(page.locator(`${EDITOR} .view-lines`)).toContainText(CALL);
  await openFile(page, "mm/shift.c", C_LINE);
  await expect(page.locator(SQUIGGLES).first()).toBeVisible({ timeout: 30_000 });
  await expectProblems(6, 9);
});

test("the bundled examples show what their page says", async () => {
  await openFile(page, "examples/0004-mm-toy-drop-single-pages.patch");
  await openFile(page, "examples/0002-mm-toy-count-huge-pages.patch", EXAMPLE_LINE);
  await expect(page.locator(SQUIGGLES)).toHaveCount(1, { timeout: 30_000 });
  await hoverSquiggle(page, "hugetlb-walk-unlocked");
  await screenshot("example");
  await page.mouse.move(700, 880);
  await expectProblems(7, 9);
});

test("the finding is gone when its line is, and comes back", async () => {
  await openFile(page, "faulty.patch", LINE);
  await expect(page.locator(SQUIGGLES).first()).toBeVisible();
  await page.keyboard.press("Control+Shift+K");
  await expect(page.locator(`${EDITOR} .view-lines`)).not.toContainText(CALL);
  // Without the start, the entry is cleared outside of every invalidation: another error where there were two, and nothing to move.
  await expectProblems(6, 7);
  await page.keyboard.press("Control+Z");
  await expectProblems(7, 9);
  await expect(page.locator(SQUIGGLES).first()).toBeVisible();
});

test("a setting of the workspace switches the rule off and on", async () => {
  const folder = join(process.env.WORKSPACE, ".vscode");
  mkdirSync(folder, { recursive: true });
  const choose = (rules) => writeFileSync(join(folder, "settings.json"), JSON.stringify({ "patchwalk.rules": rules }));
  // A result that is dropped breaks two rules, the place of the call another one, and what is compared in its section one more.
  choose({ [RULE]: "off", "notifier-nonblock-unchecked": "off", "notifier-in-atomic": "off", "pte-recheck-missing": "off" });
  await expect(page.locator(SQUIGGLES)).toHaveCount(0, { timeout: 15_000 });
  choose({});
  await expect(page.locator(SQUIGGLES).first()).toBeVisible({ timeout: 15_000 });
});

test("the server can be restarted and its output shown", async () => {
  await runCommand(page, "Patchwalk: Restart Language Server");
  await expect(page.locator(SQUIGGLES).first()).toBeVisible({ timeout: 30_000 });
  await runCommand(page, "Patchwalk: Show Output");
  await expect(page.locator(".part.panel .output-view, .part.panel .monaco-editor").first()).toBeVisible();
});
