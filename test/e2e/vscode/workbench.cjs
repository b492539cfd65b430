// SPDX-License-Identifier: GPL-2.0-only
//
// What a person does in the workbench, by the names of things in its page.
const { expect } = require("@playwright/test");
const { basename, dirname, join } = require("node:path");

const EDITOR = ".editor-group-container.active .editor-instance";

/** Squiggles of every severity; a hint has dots instead. */
const SQUIGGLES = `${EDITOR} .squiggly-error, ${EDITOR} .squiggly-warning, ${EDITOR} .squiggly-info`;

async function openWorkbench(page, folder, file) {
  const uri = `vscode-remote://127.0.0.1:${process.env.PORT}${join(folder, file)}`;
  const payload = JSON.stringify([["openFile", uri]]);
  await page.goto(`/?folder=${encodeURIComponent(folder)}&payload=${encodeURIComponent(payload)}`);
  await page.locator(".monaco-workbench").waitFor({ timeout: 45_000 });
  await expect(page.locator(".tab.active")).toContainText(file, { timeout: 30_000 });
}

/** The quick input closes when the focus moves under it, so the whole gesture is repeated until it took. */
async function quickInput(page, keys, text, choice) {
  await expect(async () => {
    const box = page.locator(".quick-input-widget input.input");
    if (!(await box.isVisible())) await page.keyboard.press(keys);
    await box.fill(text, { timeout: 2_000 });
    await choice.waitFor({ timeout: 3_000 });
    await page.keyboard.press("Enter");
    await box.waitFor({ state: "hidden", timeout: 3_000 });
  }).toPass({ timeout: 20_000 });
}

/** Opens a file of the workspace by its path, with the cursor in `line`. */
async function openFile(page, path, line = 1) {
  const [folder, name] = [dirname(path).replace(".", ""), basename(path)];
  const row = page.locator(".quick-input-list .monaco-list-row.focused", { hasText: name }).filter({ hasText: folder });
  await quickInput(page, "Control+P", `${path}:${line}`, row);
  await expect(page.locator(".tab.active")).toContainText(name);
}

const runCommand = (page, title) =>
  quickInput(page, "F1", `>${title}`, page.locator(".quick-input-list .monaco-list-row.focused", { hasText: title }));

/** Moves the pointer onto the first squiggle and gives the hover that appears, found by a text in it. */
async function hoverSquiggle(page, text) {
  const hover = page.locator(".monaco-hover:visible").filter({ hasText: text });
  await expect(async () => {
    const box = await page.locator(SQUIGGLES).first().boundingBox();
    await page.mouse.move(box.x + 5, box.y - 60);
    await page.mouse.move(box.x + Math.min(box.width / 2, 60), box.y + box.height / 2, { steps: 5 });
    await hover.first().waitFor({ timeout: 3_000 });
  }).toPass({ timeout: 20_000 });
  return hover.first();
}

/** Drags the upper edge of a hover to the top of the editor, so that a picture shows the schedule. */
async function enlargeHover(page, hover) {
  const box = await hover.boundingBox();
  const x = box.x + box.width / 2;
  await page.mouse.move(x, box.y + 20, { steps: 5 });
  await page.mouse.move(x, box.y, { steps: 5 });
  await page.mouse.down();
  await page.mouse.move(x, 100, { steps: 5 });
  await page.mouse.up();
  await page.mouse.move(x, box.y, { steps: 5 });
}

/** Scrolls a hover to its end, where a picture of it shows how the schedule ends. */
async function scrollHover(page, hover) {
  const box = await hover.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 5 });
  for (let turn = 0; turn < 20; turn++) await page.mouse.wheel(0, 200); // one event scrolls a few lines, however big
  await page.waitForTimeout(600); // the scrolling is animated, and nothing tells its end
}

/** Class and text of every token of the first visible line that contains `text`. */
async function tokensOfLine(page, text) {
  const line = page.locator(`${EDITOR} .view-line`).filter({ hasText: text }).first();
  return line.locator("span[class^='mtk']").evaluateAll((spans) =>
    spans.map((span) => ({ kind: span.classList[0], text: span.textContent.replaceAll("\u00a0", " ") })),
  );
}

module.exports = { EDITOR, SQUIGGLES, enlargeHover, hoverSquiggle, openFile, openWorkbench, runCommand, scrollHover, tokensOfLine };
