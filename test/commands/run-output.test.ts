import * as v from 'valibot'
import { expect, test } from 'vitest'
import { jsonOutput, plainOutput } from '../../source/commands/run-output.ts'
import type { Entry, SealedEntry } from '../../source/host/seal-event.ts'
import type { SessionEvent } from '../../source/protocol/events.ts'
import { linesOf } from './_program.ts'
import * as shapes from './_shapes.ts'

const session = '3f2a91c0-0000-4000-8000-000000000000'

function published(event: SessionEvent, seq: number): [Entry, SealedEntry] {
	const at = '2026-01-31T09:00:00.000Z'
	const row = {
		session_id: session,
		seq,
		epoch: 0,
		nonce: '',
		ciphertext: '',
		signature: '',
		created_at: at,
		input_tokens: 0,
		output_tokens: 0,
		cache_read_tokens: 0,
		cache_write_tokens: 0,
		cost_usd: 0,
	}
	const chain = { seq, chain: new Uint8Array(32), signature: null }
	const sealed = { rows: [{ row, chain: chain.chain }], chain, seq, digest: '', at }
	return [{ at, event }, sealed]
}

const says = (text: string): SessionEvent => ({
	kind: 'agent_response',
	body: { text, block: null, model: null, parent: null },
})

test('as JSON: the session first, a line for each message, how it ended last', () => {
	let text = ''
	const output = jsonOutput((more) => {
		text += more
	})
	output.published(...published(says('before the session was announced'), 1))
	output.started(session)
	output.published(...published(says('after it'), 2))
	output.ended({ status: 'stopped' }, 0)

	const lines = text.split('\n')
	expect(linesOf(v.strictObject({ session: v.string() }), `${lines[0]}\n`)).toEqual([{ session }])
	const messages = linesOf(shapes.message, `${lines.slice(1, 3).join('\n')}\n`)
	expect(messages.map(({ seq, body }) => [seq, body?.text])).toEqual([
		[1, 'before the session was announced'],
		[2, 'after it'],
	])
	expect(lines.slice(3)).toEqual(['{"ended":"stopped","exit_code":0}', ''])
})

test('as text: what was said and decided, by name, without the turns in between', () => {
	let text = ''
	const output = plainOutput(
		(more) => {
			text += more
		},
		() => 60,
		(id) => (id === session ? 'laptop' : null),
	)
	output.started(session)
	output.published(
		...published({ kind: 'status', body: { status: 'running', detail: null, applied: null } }, 1),
	)
	output.published(...published(says('hello \u001b[31mthere'), 2))
	output.published(
		...published(
			{
				kind: 'permission_response',
				body: {
					request: session,
					result: 'denied',
					by: 'device',
					device: session,
					scope: 'once',
					reason: 'not now',
					command: null,
				},
			},
			3,
		),
	)
	output.ended({ status: 'stopped' }, 0)
	expect(text).not.toContain('running')
	expect(text).not.toContain('\u001b')
	expect(text).toMatch(/^hello .*there\n\n✗ denied by laptop: not now\n\n$/)
})
