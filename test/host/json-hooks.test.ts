import fc from 'fast-check'
import jsonc from 'jsonc-parser'
import { expect, test } from 'vitest'
import {
	addHooks,
	findHooks,
	removeHooks,
	UnusableSettings,
	type WantedHook,
} from '../../source/host/hooks/json-hooks.ts'

const isOurs = (command: string) => command.startsWith('ours ')
const wanted: WantedHook[] = [
	{ event: 'PermissionRequest', matcher: '*', command: 'ours ask', timeout: 60 },
	{ event: 'Stop', command: 'ours tell', timeout: 5, more: { async: true } },
]
const add = (text: string) => addHooks(text, wanted, isOurs)
const remove = (text: string, before = '') => removeHooks(text, isOurs, before)

test('into a file without hooks, as the file is written', () => {
	const text =
		'{\r\n    // a remark\r\n    "model": "x", /* and one more */\r\n    "env": {"A":"1"}\r\n}\r\n'
	const added = add(text)
	expect(added).toContain('    // a remark\r\n    "model": "x", /* and one more */\r\n')
	expect(added).toContain('"env": {"A":"1"}')
	expect(added.replaceAll('\r\n', '')).not.toContain('\n')
	expect(jsonc.parse(added)).toEqual({
		model: 'x',
		env: { A: '1' },
		hooks: {
			PermissionRequest: [
				{ matcher: '*', hooks: [{ type: 'command', command: 'ours ask', timeout: 60 }] },
			],
			Stop: [{ hooks: [{ type: 'command', command: 'ours tell', timeout: 5, async: true }] }],
		},
	})
	expect(remove(added)).toBe(text)
})

test("others' hooks, in our events and in our very group, stay as they are", () => {
	const text = `{
  "hooks": {
    "Stop": [
      {"hooks": [ {"type": "command", "command": "theirs"} ]} // mine
    ],
    "Odd": [],
    "Other": [null, 7, {"hooks": "no list"}, {"hooks": [{"command": 3}, "word"]}]
  }
}`
	const added = add(text)
	expect(added).toContain('{"hooks": [ {"type": "command", "command": "theirs"} ]}')
	expect(findHooks(added, isOurs)).toEqual([
		{ event: 'Stop', command: 'ours tell', timeout: 5 },
		{ event: 'PermissionRequest', command: 'ours ask', timeout: 60 },
	])
	const removed = remove(added, text)
	expect(removed).toBe(text)

	const shared = '{"hooks":{"Stop":[{"hooks":[{"command":"ours x"},{"command":"theirs"}]}]}}'
	expect(JSON.parse(remove(shared))).toEqual({
		hooks: { Stop: [{ hooks: [{ command: 'theirs' }] }] },
	})
	const named = '{"hooks":{"Stop":[{"id":"kept","hooks":[{"command":"ours x"}]}]}}'
	expect(JSON.parse(remove(named))).toEqual({ hooks: { Stop: [{ id: 'kept', hooks: [] }] } })
})

test('installing again changes nothing; other versions of ours are replaced', () => {
	const added = add('{}')
	expect(add(added)).toBe(added)
	const old = added.replace('ours ask', 'ours old').replace('60', '61')
	expect(
		findHooks(add(old), isOurs)
			.map(({ command }) => command)
			.sort(),
	).toEqual(['ours ask', 'ours tell'])
	expect(add(old)).not.toContain('ours old')
})

test.each([
	['', 'is not JSON (line 1, column 1)'],
	['{\n "a": \n', 'is not JSON (line 3'],
	['{"a": 1} {"b": 2}', 'is not JSON'],
	['[]', 'is not a JSON object'],
	['null', 'is not a JSON object'],
	['{"hooks": []}', 'has "hooks" that are not an object'],
	['{"hooks": null}', 'has "hooks" that are not an object'],
	['{"hooks": {"Stop": {}}}', 'has hooks for "Stop" that are not a list'],
	['{"hooks": {}, "hooks": {}}', 'has the key "hooks" twice'],
	['{"hooks": {"Stop": [], "Stop": []}}', 'has the key "Stop" twice'],
	['\u0000', 'is not JSON'],
	['{"a": "\u0001}', 'is not JSON'],
])('what it can not be sure of is refused: %j', (text, why) => {
	expect(() => add(text)).toThrow(UnusableSettings)
	expect(() => add(text)).toThrow(why)
})

const key = fc.oneof(
	fc.constantFrom('Stop', 'PermissionRequest', 'Other', '__proto__', 'a b', ''),
	fc.string({ maxLength: 5 }),
)
const theirs = fc.record(
	{ type: fc.constant('command'), command: fc.string({ maxLength: 8 }), timeout: fc.nat(99) },
	{ requiredKeys: ['command'] },
)
const group = fc.record(
	{ matcher: fc.string({ maxLength: 3 }), hooks: fc.array(theirs, { maxLength: 2 }) },
	{ requiredKeys: ['hooks'] },
)
const settings = fc
	.tuple(
		fc.dictionary(fc.string({ maxLength: 6 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }),
		fc.option(
			fc.dictionary(
				key,
				fc.array(fc.oneof(group, fc.jsonValue({ maxDepth: 1 })), { maxLength: 3 }),
				{ maxKeys: 4 },
			),
		),
	)
	.map(([rest, hooks]) => {
		const { hooks: _, ...others } = rest
		return hooks === null ? others : { ...others, hooks }
	})
const indent = fc.constantFrom(undefined, 1, 2, 4, '\t')
const ending = fc.constantFrom('', '\n', '\r\n', ' // end')

test('whatever is in the file: installed, removed, and the same is in it', () => {
	fc.assert(
		fc.property(settings, indent, ending, (value, space, end) => {
			const text = JSON.stringify(value, null, space) + end
			const added = add(text)
			const entries = findHooks(added, isOurs).map(({ event, command }) => `${event} ${command}`)
			expect(entries.sort()).toEqual(['PermissionRequest ours ask', 'Stop ours tell'])
			expect(add(added)).toBe(added)
			expect(remove(added, text)).toBe(text)
		}),
	)
})
