import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { withKeyTable } from '../../scripts/readme/keys.ts'

const root = new URL('../../', import.meta.url)
const readme = readFileSync(new URL('readme.md', root), 'utf8')

test('the table of keys in the readme is the one that the keys follow', () => {
	const bare = (text: string) => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---')
	expect(bare(withKeyTable(readme)), 'run: node scripts/readme/keys.ts').toBe(bare(readme))
})

test('every picture that the readme names is there', () => {
	const pictures = [...readme.matchAll(/\]\((docs\/media\/[^)]+)\)/g)].map(([, file = '']) => file)
	expect(pictures.length).toBeGreaterThan(0)
	for (const file of pictures) {
		expect(readFileSync(new URL(file, root), 'utf8'), file).toMatch(/^<svg [\s\S]*<\/svg>\n$/)
	}
})
