import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { readState, writeState } from '../../source/config/state.ts'
import { temporaryHome } from './temporary-home.ts'

const schema = v.object({ seq: v.number(), hash: v.nullable(v.string()) })

describe('state files', () => {
	it('come back as they were written', async () => {
		await using at = await temporaryHome()
		const file = join(at.home.data, 'pin.json')
		expect(await readState(file, schema)).toBeNull()
		await writeState(file, schema, { seq: 3, hash: 'x' })
		await writeState(file, schema, { seq: 4, hash: null })
		expect(await readState(file, schema)).toEqual({ seq: 4, hash: null })
	})

	it.each(['', '{', '{"seq":"3","hash":null}', 'null', '\ufffe\uffff', '{"seq":3}'])(
		'are never taken for absent when damaged: %j',
		async (content) => {
			await using at = await temporaryHome()
			const file = join(at.home.data, 'pin.json')
			await mkdir(at.home.data, { mode: 0o700 })
			await writeFile(file, content)
			await expect(readState(file, schema)).rejects.toMatchObject({ code: 'state_corrupt' })
		},
	)

	it('do not quote what they hold in an error', async () => {
		await using at = await temporaryHome()
		const file = join(at.home.data, 'pin.json')
		await mkdir(at.home.data, { mode: 0o700 })
		await writeFile(file, '{"seq":"hidden-value","hash":null}')
		const error = await readState(file, schema).catch((cause: unknown) => cause)
		expect(`${error} ${error instanceof Error ? error.cause : ''}`).not.toContain('hidden-value')
	})

	it('are left alone by a value that does not fit', async () => {
		await using at = await temporaryHome()
		const file = join(at.home.data, 'pin.json')
		await writeState(file, schema, { seq: 1, hash: null })
		const before = await readFile(file, 'utf8')
		await expect(writeState(file, v.object({ a: v.string() }), { a: 'b' })).resolves.toBeUndefined()
		await writeState(file, schema, { seq: 1, hash: null })
		await expect(
			writeState(file, v.object({ seq: v.pipe(v.number(), v.maxValue(1)) }), { seq: 2 }),
		).rejects.toThrow()
		expect(await readFile(file, 'utf8')).toBe(before)
	})
})
