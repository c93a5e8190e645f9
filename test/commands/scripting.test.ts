/** The document for scripts, held against the shapes that the tests hold the program to. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { exit } from '../../source/protocol/errors.ts'
import * as shapes from './_shapes.ts'

const text = await readFile(new URL('../../docs/scripting.md', import.meta.url), 'utf8')

/** All names of values in a schema, however deep. */
function keysOf(schema: unknown, found = new Set<string>()): Set<string> {
	if (typeof schema !== 'object' || schema === null) return found
	for (const [name, inner] of Object.entries(schema)) {
		if (name === 'entries' && typeof inner === 'object' && inner !== null) {
			for (const [key, value] of Object.entries(inner)) {
				found.add(key)
				keysOf(value, found)
			}
		} else if (['item', 'wrapped'].includes(name)) keysOf(inner, found)
		else if (['options', 'pipe'].includes(name) && Array.isArray(inner)) {
			for (const one of inner) keysOf(one, found)
		}
	}
	return found
}

test.each(Object.entries(shapes))('every key of %s is described', (_, schema) => {
	const keys = [...keysOf(schema)]
	expect(keys.length).toBeGreaterThan(1)
	expect(keys.filter((key) => !text.includes(`"${key}"`) && !text.includes(`\`${key}\``))).toEqual(
		[],
	)
})

test('every exit code is described', () => {
	for (const code of Object.values(exit)) expect(text).toMatch(new RegExp(`^\\| ${code} +\\|`, 'm'))
})

test('its examples are JSON', () => {
	const blocks = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map(([, block]) => block ?? '')
	expect(blocks.length).toBeGreaterThan(8)
	for (const block of blocks) JSON.parse(block)
})
