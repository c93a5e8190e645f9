/** Keys from the config file: what they do, and what is refused. */
import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { settingsSchema } from '../../source/config/settings.ts'
import { StyrbyError } from '../../source/protocol/errors.ts'
import { bindKeys, type KeySettings } from '../../source/ui/keymap/bindings.ts'
import { readKeyName } from '../../source/ui/keymap/key-names.ts'
import { answers, commands } from '../../source/ui/keymap/keymap.ts'
import { keys } from './_screen.ts'
import { first, twoWaiting } from './_stage.ts'

function refused(settings: KeySettings): string {
	try {
		bindKeys(settings)
	} catch (error) {
		expect(error).toBeInstanceOf(StyrbyError)
		if (error instanceof StyrbyError) {
			expect(error.code).toBe('bad_settings')
			return error.message
		}
	}
	throw new Error('It was taken.')
}

const keysOf = (settings: KeySettings, id: string) =>
	bindKeys(settings).commands.find((command) => command.id === id)?.keys

describe('keys in the config file', () => {
	test('take the place of the ones of the table, and only of those named', () => {
		const settings = { allow: ['ö', 'ctrl-y'], deny: 'ä' }
		expect(keysOf(settings, 'allow')).toEqual(['ö', 'ctrl-y'])
		expect(keysOf(settings, 'deny')).toEqual(['ä'])
		expect(keysOf(settings, 'help')).toEqual(['?'])
	})

	test.each([
		['esc', 'escape'],
		['PgDn', 'pageDown'],
		['pagedown', 'pageDown'],
		['^D', 'ctrl-d'],
		['ctrl+d', 'ctrl-d'],
		['^', '^'],
		['ö', 'ö'],
		[' ', 'space'],
	])('may be written as %j', (written, key) => {
		expect(readKeyName(written)).toEqual({ key })
	})

	test('are those of the example in the documentation', () => {
		const text = readFileSync(new URL('../../docs/viewer.md', import.meta.url), 'utf8')
		const [, example = ''] = /```json\n(\{\n\t"keys".*?)```/s.exec(text) ?? []
		const { keys: chosen } = v.parse(settingsSchema, JSON.parse(example))
		expect(Object.keys(chosen)).toContain('allow')
		bindKeys(chosen)
	})

	test('two commands can change places', () => {
		const settings = { 'interrupt-agent': 'd', deny: 'x' }
		expect(keysOf(settings, 'deny')).toEqual(['x'])
	})

	test('a command can be left without a key', () => {
		expect(keysOf({ 'allow-session': [] }, 'allow-session')).toEqual([])
	})

	test.each<[string, KeySettings, string[]]>([
		['an unknown command', { alow: 'x' }, ['"alow"', 'did you mean "allow"']],
		['a command like none', { 'make-tea': 'x' }, ['"make-tea"', 'docs/viewer.md']],
		['an unknown key', { allow: 'hyper-x' }, ['"allow"', '"hyper-x"']],
		['text for a key', { allow: 'ab' }, ['"allow"', '"ab"']],
		['an invisible key', { allow: '\u200b' }, ['"allow"']],
		['a key that is another', { redraw: 'ctrl-i' }, ['ctrl-i', 'tab']],
		['a conflict', { deny: 'x' }, ['"deny"', '"interrupt-agent"', 'the key x', '"session"']],
		['a conflict between two that were chosen', { deny: 'ä', allow: 'ä' }, ['"allow"', '"deny"']],
		['leaving without ctrl-c', { leave: 'ctrl-q' }, ['"leave"', 'ctrl-c']],
		['ctrl-c for something else', { redraw: 'ctrl-c' }, ['"redraw"', '"leave"', 'ctrl-c']],
		['going back without esc', { back: 'q' }, ['"back"', 'escape']],
		['esc for something else', { quit: ['q', 'esc'] }, ['"quit"', 'escape']],
		['no way to the help', { help: [] }, ['"help"']],
		['an answer on a key that moves', { allow: 'j' }, ['"allow"', '"down"', 'the key j']],
		['a move on a key that answers', { 'page-down': ['pgdn', 'd'] }, ['"deny"', '"page-down"']],
		['an answer on enter', { allow: 'enter' }, ['"allow"', 'enter', 'without looking']],
		['an answer on tab', { deny: 'tab' }, ['"deny"', 'tab', 'without looking']],
		['text on a screen where it is typed', { 'send-prompt': 's' }, ['"send-prompt"', 'the key s']],
		['an editing key there', { 'send-prompt': 'ctrl-a' }, ['"send-prompt"', 'ctrl-a']],
		['other keys for numbers', { 'pick-number': 'x' }, ['"pick-number"']],
	])('refuse %s, and say what is in the way', (_, settings, parts) => {
		const message = refused(settings)
		expect(message).toMatch(/^"keys" in config\.json: .*[.?]$/)
		for (const part of parts) expect(message).toContain(part)
	})

	test('no answer can be put on a key that moves anywhere', () => {
		const moves = commands.filter(({ group }) => group === 'Move').flatMap((one) => one.keys)
		for (const id of answers) {
			for (const key of moves) expect(() => bindKeys({ [id]: key }), `${id} ${key}`).toThrow(id)
		}
	})

	test('what stands in the file is not shown raw', () => {
		expect(refused({ '\u001b]2;x\u0007': 'x' })).not.toContain('\u001b')
		expect(refused({ allow: '\u001b[2J' })).not.toContain('\u001b')
	})
})

describe('with other keys', () => {
	const settings = { allow: 'ö', deny: 'ä', permissions: 'ü', help: ['ctrl-g', '?'] }

	test('those answer, the old ones do not, and every text names them', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open({ keys: settings })
		await screen.look()
		const text = await screen.until('[ö] allow')
		expect(text).toContain('[ä] deny')
		expect(text.split('\n').slice(-2).join('\n')).toMatch(/ ö allow {2}ä deny .*\^g all keys/s)
		await screen.press('a', 'd')
		expect(stage.answers()).toEqual([])
		await screen.press('ö')
		expect(stage.answers()).toEqual([{ id: first, decision: 'allow', scope: 'once' }])
	})

	test('the help has them, and finds them', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open({ keys: settings })
		await screen.press('\u0007')
		expect(screen.text()).toMatch(/ö +Allow the highlighted request, once\./)
		await screen.press('/', 'ü')
		expect(screen.text()).toMatch(/ü +All permission requests/)
		expect(screen.text()).not.toContain('Allow the highlighted')
		await screen.press(keys.enter)
		expect(screen.text()).toContain('all keys · ü')
		await screen.press(keys.escape)
		expect(screen.text()).toContain('Allow the highlighted')
		await screen.press(keys.escape)
		expect(screen.lines()[1]).toContain('sessions')
	})
})
