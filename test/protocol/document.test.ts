/** docs/protocol.md names what source/protocol has, source/ refers to its sections, documents to files. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { kinds } from '../../source/protocol/events.ts'

const root = new URL('../../', import.meta.url)
const read = (file: string) => readFileSync(new URL(file, root), 'utf8')
const document = read('docs/protocol.md')
const headings = new Map(
	[...document.matchAll(/^##+ (\d(?:\.\d)?)\.? (.+)$/gm)].map(([, number, title]) => [
		number,
		title,
	]),
)
const sources = globSync('source/**/*.{ts,tsx}', { cwd: root })

test('every section that source/ refers to is in the document', () => {
	const references = sources.flatMap((file) => {
		const comments = read(file).match(/\/\*\*[\s\S]*?\*\/|\/\/.*/g) ?? []
		return comments.flatMap((comment) =>
			[...comment.matchAll(/\bsections? ([\d.]+\d|\d)(?:,? and ([\d.]+\d|\d))?/g)].flatMap(
				([, one, two]) => [one, two].flatMap((number) => (number ? [`${file}: ${number}`] : [])),
			),
		)
	})
	expect(references.length).toBeGreaterThan(20)
	const unknown = references.filter((reference) => !headings.has(reference.split(': ')[1]))
	expect(unknown).toEqual([])
})

test('nothing in it is merely planned', () => {
	expect(document).not.toMatch(/planned/i)
})

test('every purpose, and no other, is in the document', () => {
	const [, union = ''] =
		/export type Purpose =([\s\S]*?)\n\n/.exec(read('source/protocol/digest.ts')) ?? []
	const purposes = [...union.matchAll(/'([a-z-]+)'/g)].map(([, purpose]) => purpose)
	const [, list = ''] = /The purposes p in use: (.*)\. No other/.exec(document) ?? []
	expect([...list.matchAll(/`([a-z-]+)`/g)].map(([, purpose]) => purpose)).toEqual(purposes)
	const used = new Set([...document.matchAll(/D\("([a-z-]+)"\)/g)].map(([, purpose]) => purpose))
	expect([...used].toSorted()).toEqual(purposes.toSorted())
})

test('every kind of message is in the document', () => {
	for (const kind of kinds) expect(document).toContain(`\`${kind}\``)
})

test('every code with which a window, a command, a log or a key is refused is in the document', () => {
	const files = ['window', 'message', 'command', 'device-log', 'epoch', 'pairing'].map(
		(name) => `source/protocol/${name}.ts`,
	)
	const codes = [...files, 'source/host/check-mail.ts'].flatMap((file) =>
		[...read(file).matchAll(/'((?:message|command|log|epoch|key|pairing)_[a-z_]+)'/g)].map(
			([, code]) => code ?? '',
		),
	)
	const missing = codes.filter((code) => !document.includes(`\`${code}\``) && code !== 'log_empty')
	// `log_entry` and such are what is malformed, not codes.
	expect(new Set(missing)).toEqual(
		new Set(['log_entry', 'epoch_record', 'pairing_request', 'pairing_answer']),
	)
})

test('every file of the project that a document names is there', () => {
	const missing = ['docs/protocol.md', 'docs/security.md', 'security.md'].flatMap((file) =>
		[...read(file).matchAll(/`((?:source|test|docs|supabase|scripts)\/[\w./-]+)`/g)].flatMap(
			([, path = '']) => (existsSync(new URL(path, root)) ? [] : [`${file}: ${path}`]),
		),
	)
	expect(missing).toEqual([])
})

test('the protocol has no clock, network or files of its own', () => {
	const own =
		/Date\.now|new Date|performance|Math\.random|setTimeout|process\.|fetch\(|from 'node:(?!crypto|buffer)/
	for (const file of globSync('source/protocol/*.ts', { cwd: root })) {
		expect([file, own.exec(read(file))?.[0]]).toEqual([file, undefined])
	}
})
