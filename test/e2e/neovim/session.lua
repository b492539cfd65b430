-- SPDX-License-Identifier: GPL-2.0-only
--
-- One session of Neovim 0.7 or newer: only vim.lsp.start_client, no vim.lsp.start,
-- and diagnostics are pushed. Ends with status 0 when every check holds.

local RULE = 'notifier-nonblock-outside-oom'
local CALL = 'mmu_notifier_invalidate_range_start_nonblock'
local WAIT_MS = 20000

local published = {} -- uri -> diagnostics as sent last, or nil
local exit_code = nil

local function say(text)
  io.stdout:write('neovim: ' .. text .. '\n')
end

local function check(condition, text, detail)
  if condition then
    say('ok   ' .. text)
    return
  end
  io.stderr:write('neovim: FAIL ' .. text .. '\n' .. vim.inspect(detail) .. '\n')
  vim.cmd('cquit 1')
end

local client_id = vim.lsp.start_client({
  name = 'patchwalk',
  cmd = { 'node', os.getenv('SERVER'), '--stdio' },
  root_dir = os.getenv('WORKSPACE'),
  handlers = {
    ['textDocument/publishDiagnostics'] = function(err, result, context, config)
      published[result.uri] = result.diagnostics
      vim.lsp.diagnostic.on_publish_diagnostics(err, result, context, config)
    end,
    ['window/logMessage'] = function(_, result)
      io.stderr:write('server: ' .. result.message .. '\n')
    end,
  },
  on_exit = function(code)
    exit_code = code
  end,
})
check(client_id ~= nil, 'the server starts')

local function wait_for_diagnostics(uri, wanted, text)
  vim.wait(WAIT_MS, function()
    return (published[uri] ~= nil and wanted(published[uri])) or exit_code ~= nil
  end, 20)
  check(published[uri] ~= nil and wanted(published[uri]), text, { published = published[uri], exit = exit_code })
end

local function open(name)
  vim.cmd('edit ' .. vim.fn.fnameescape(os.getenv('WORKSPACE') .. '/' .. name))
  local buffer = vim.api.nvim_get_current_buf()
  vim.bo[buffer].filetype = 'diff'
  vim.lsp.buf_attach_client(buffer, client_id)
  return buffer, vim.uri_from_bufnr(buffer)
end

local function line_of(buffer, text)
  for index, line in ipairs(vim.api.nvim_buf_get_lines(buffer, 0, -1, false)) do
    if line:find(text, 1, true) then
      return index
    end
  end
end

local function of_rule(diagnostics)
  return vim.tbl_filter(function(diagnostic)
    return diagnostic.code == RULE
  end, diagnostics)
end

local function none(diagnostics)
  return #diagnostics == 0
end

local buffer, uri = open('faulty.patch')
local line = line_of(buffer, CALL)
wait_for_diagnostics(uri, function(d)
  return #of_rule(d) == 1
end, 'the finding is pushed under its rule')
local finding = of_rule(published[uri])[1]
check(finding.range.start.line == line - 1, 'it is at the line of the call', finding)
check(finding.source == 'patchwalk', 'it names its source', finding)

vim.api.nvim_win_set_cursor(0, { line, vim.fn.getline(line):find(CALL, 1, true) + 2 })
local answers = vim.lsp.buf_request_sync(buffer, 'textDocument/hover', vim.lsp.util.make_position_params(), WAIT_MS)
local hover = vim.inspect(answers)
check(hover:find(RULE, 1, true) ~= nil, 'the hover names the rule', answers)
check(hover:lower():find('schedule', 1, true) ~= nil and hover:find('vCPU', 1, true) ~= nil, 'the hover shows the schedule', answers)

local outline = vim.inspect(vim.lsp.buf_request_sync(buffer, 'textDocument/documentSymbol',
  { textDocument = vim.lsp.util.make_text_document_params() }, WAIT_MS))
check(outline:find('mm/shift.c', 1, true) ~= nil and outline:find('shift_one_pte', 1, true) ~= nil,
  'the outline has the file and its function', outline)

vim.api.nvim_buf_set_lines(buffer, line - 1, line, false, {})
wait_for_diagnostics(uri, function(d)
  return #of_rule(d) == 0
end, 'the finding goes with its line')
vim.cmd('undo')
wait_for_diagnostics(uri, function(d)
  return #of_rule(d) == 1
end, 'and comes back')

local _, clean = open('clean.patch')
wait_for_diagnostics(clean, none, 'a patch that keeps the rules has no finding')
local _, review = open('review.txt')
wait_for_diagnostics(review, function(d)
  return #of_rule(d) == 1
end, 'the finding is pushed in a quoted review')

vim.lsp.stop_client(client_id)
vim.wait(5000, function()
  return exit_code ~= nil
end, 20)
check(exit_code == 0, 'the server ends', exit_code)
vim.cmd('qall!')
