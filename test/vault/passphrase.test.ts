import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findPassphrase, hasStoredPassphrase } from '../../source/vault/passphrase.ts'
import { edit } from '../../source/vault/prompt.ts'
import { temporaryHome } from '../config/temporary-home.ts'

const person = async () => 'typed by a person'

async function ask(env: NodeJS.ProcessEnv, askPerson: typeof person | null) {
	const source = await findPassphrase(env, askPerson)
	return { passphrase: await source.ask('unlock', 1), attempts: source.attempts }
}

describe('findPassphrase', () => {
	it('takes the named file first, then the systemd credential, then a person', async () => {
		await using at = await temporaryHome()
		const file = join(at.root, 'file')
		const credentials = join(at.root, 'credentials')
		await writeFile(file, 'from the file\n')
		await mkdir(credentials)
		const env = { STYRBY_PASSPHRASE_FILE: file, CREDENTIALS_DIRECTORY: credentials }
		expect(await ask(env, person)).toEqual({ passphrase: 'from the file', attempts: 1 })

		const noFile = { CREDENTIALS_DIRECTORY: credentials }
		expect(await ask(noFile, person)).toEqual({ passphrase: 'typed by a person', attempts: 3 })
		expect(hasStoredPassphrase(noFile)).toBe(false)
		await writeFile(join(credentials, 'styrby-passphrase'), 'from systemd')
		expect(await ask(noFile, person)).toEqual({ passphrase: 'from systemd', attempts: 1 })
		expect(hasStoredPassphrase(noFile)).toBe(true)
	})

	it('says what to give when there is nobody to ask', async () => {
		await expect(findPassphrase({}, null)).rejects.toMatchObject({
			code: 'no_passphrase',
			exitCode: 3,
			message: expect.stringContaining('STYRBY_PASSPHRASE_FILE'),
		})
	})

	it.each([
		['a\r\n', 'a'],
		['with spaces \n', 'with spaces '],
		['\u00e9', '\u00e9'],
	])('reads %j', async (content, passphrase) => {
		await using at = await temporaryHome()
		const file = join(at.root, 'file')
		await writeFile(file, content)
		expect((await ask({ STYRBY_PASSPHRASE_FILE: file }, null)).passphrase).toBe(passphrase)
	})

	it.each(['', '\n', 'one\ntwo\n', Buffer.from([0xff, 0xfe]), 'x'.repeat(5_000)])(
		'refuses %j without quoting it, and does not go on to a person',
		async (content) => {
			await using at = await temporaryHome()
			const file = join(at.root, 'file')
			await writeFile(file, content)
			const error = await findPassphrase({ STYRBY_PASSPHRASE_FILE: file }, person).catch(
				(cause: unknown) => cause,
			)
			expect(error).toMatchObject({ code: 'no_passphrase', exitCode: 3 })
			expect(String(error)).not.toContain('two')
		},
	)

	it('refuses a file that is not there', async () => {
		await using at = await temporaryHome()
		const missing = { STYRBY_PASSPHRASE_FILE: join(at.root, 'none') }
		await expect(findPassphrase(missing, person)).rejects.toMatchObject({ code: 'no_passphrase' })
	})
})

describe('editing the line that is typed', () => {
	it('knows backspace, Ctrl-U, return and what came after', () => {
		expect(edit('', 'pass\u007fs word')).toEqual({ line: 'pass word', end: null, rest: '' })
		expect(edit('abc', '\u0015x\rnext\r')).toEqual({ line: 'x', end: 'line', rest: 'next\r' })
		expect(edit('a😀', '\b')).toMatchObject({ line: 'a' })
		expect(edit('', '\u007f\u007f')).toMatchObject({ line: '', end: null })
	})

	it('leaves on Ctrl-C, and on Ctrl-D with nothing typed', () => {
		expect(edit('abc', 'd\u0003e')).toMatchObject({ end: 'interrupt' })
		expect(edit('', '\u0004')).toMatchObject({ end: 'interrupt' })
		expect(edit('a', '\u0004b')).toEqual({ line: 'ab', end: null, rest: '' })
	})

	it('takes no arrow key, paste mark or other control character for text', () => {
		const typed = '\u001b[200~pasted\u001b[201~\u001b[A\u001bOP\u001b[1;5C\t\u0000!'
		expect(edit('', typed)).toEqual({ line: 'pasted!', end: null, rest: '' })
	})

	it('takes everything else as it is', () => {
		const plain = fc.string({ unit: 'grapheme' }).filter((text) => !/\p{Cc}/u.test(text))
		fc.assert(
			fc.property(plain, plain, (before, text) => {
				expect(edit(before, text)).toEqual({ line: before + text, end: null, rest: '' })
			}),
		)
	})
})
