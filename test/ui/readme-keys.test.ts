import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { tables, withTable } from '../../scripts/readme/keys.ts'

const root = new URL('../../', import.meta.url)
const readme = readFileSync(new URL('readme.md', root), 'utf8')

test.each(tables)('the table of $mark is the one that the keys follow', (each) => {
	const bare = (text: string) => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---')
	const text = readFileSync(each.file, 'utf8')
	expect(bare(withTable(text, each)), 'run: node scripts/readme/keys.ts').toBe(bare(text))
})

test('every picture that the readme names is there', () => {
	const pictures = [...readme.matchAll(/\]\((docs\/media\/[^)]+)\)/g)].map(([, file = '']) => file)
	expect(pictures.length).toBeGreaterThan(0)
	for (const file of pictures) {
		expect(readFileSync(new URL(file, root), 'utf8'), file).toMatch(/^<svg [\s\S]*<\/svg>\n$/)
	}
})
