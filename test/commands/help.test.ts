import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { helpOf, overview } from '../../source/commands/help.ts'
import { loaders } from '../../source/commands/load.ts'
import { commands, viewerCommand } from '../../source/commands/table.ts'
import { exit } from '../../source/protocol/errors.ts'
import { readmeFile, withCommandTable } from '../tools/readme-commands.ts'

test('every command of the table can be loaded, and no other', async () => {
	expect(Object.keys(loaders).sort()).toEqual(['', ...commands.map(({ name }) => name)].sort())
	for (const [name, load] of Object.entries(loaders)) {
		expect([name, typeof (await load()).run]).toEqual([name, 'function'])
	}
})

test('the overview names every command with what it does', () => {
	const text = overview('1.2.3')
	expect(text.startsWith('styrby-tui 1.2.3: ')).toBe(true)
	for (const { usage, summary } of commands) {
		expect(text).toMatch(new RegExp(`^  ${escaped(usage)} +${escaped(summary)}$`, 'm'))
	}
	expect(text).toContain(viewerCommand.summary)
	for (const code of Object.values(exit)) expect(text).toMatch(new RegExp(`^  ${code} +\\w`, 'm'))
})

test.each(commands)('the help of $name names every option and its values', (command) => {
	const text = helpOf(command)
	expect(text.split('\n')[0]).toBe(`styrby-tui ${command.usage}`)
	for (const [name, { value, summary, choices }] of Object.entries(command.flags)) {
		const left = `--${name}${value ? ` ${value}` : ''}`
		const right = summary + (choices ? `: ${choices.join(', ')}` : '')
		expect(text).toMatch(new RegExp(`^  ${escaped(left)} +${escaped(right)}$`, 'm'))
	}
})

test('the help of a family names its commands', () => {
	const devices = commands.find(({ name }) => name === 'devices')
	const text = devices ? helpOf(devices) : ''
	const members = commands.filter(({ name }) => name.startsWith('devices '))
	expect(members.length).toBeGreaterThan(8)
	for (const { usage, summary } of members) {
		expect(text).toMatch(new RegExp(`^  ${escaped(usage)} +${escaped(summary)}$`, 'm'))
	}
})

test('a line of help fits 120 columns', () => {
	for (const text of [overview('1.2.3'), ...commands.map(helpOf)]) {
		for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(120)
	}
})

test('the table in the readme is current', async () => {
	const readme = await readFile(readmeFile, 'utf8')
	// When this fails: node test/tools/readme-commands.ts
	expect(readme).toBe(withCommandTable(readme))
	expect(readme).toContain('| `permissions`')
})

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
