/**
 * A device is revoked by a second one while the real Claude Code writes on a third: it gets nothing newer,
 * whatever it holds and hears, and the one that is left misses nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { MessageRow, SessionHint } from '../../source/backend/gateway.ts'
import { sealedMessage } from '../../source/backend/sealed-row.ts'
import type { Context } from '../../source/commands/context.ts'
import { open } from '../../source/protocol/box.ts'
import { fromBase64 } from '../../source/protocol/bytes.ts'
import { StyrbyError } from '../../source/protocol/errors.ts'
import { openMessage } from '../../source/protocol/message.ts'
import { sessionScope } from '../../source/protocol/scope.ts'
import type { Program } from '../commands/_program.ts'
import * as shapes from '../commands/_shapes.ts'
import { ask, Homes } from '../commands/devices/_homes.ts'
import { bash, Lab, until } from '../tools/lab.ts'

const prose = (name: string, words: number) =>
	Array.from({ length: words }, (_, n) => `${name} word ${n}`).join(', ')

let homes: Homes
let lab: Lab
let laptop: Program
let tablet: Program

beforeAll(async () => {
	lab = await Lab.make({
		rules: [
			{
				match: '^WRITE',
				turns: [
					{
						chunkDelayMs: 30,
						blocks: [{ text: prose('early', 400) }, bash('touch allowed.txt')],
					},
					{ chunkDelayMs: 10, blocks: [{ text: prose('late', 300) }] },
				],
			},
		],
	})
	homes = await Homes.make()
	const { args, password } = homes.login
	const login = lab.start(args)
	login.child.stdin?.end(`${password}\n`)
	expect(await login.done).toMatchObject({ code: 0 })
	await lab.done(['devices'])
	laptop = await paired('laptop')
	tablet = await paired('tablet')
}, 300_000)

afterAll(async () => {
	await lab?.[Symbol.asyncDispose]()
	await homes?.[Symbol.asyncDispose]()
})

/** A new home, let in by the one that hosts. */
async function paired(name: string): Promise<Program> {
	const home = await homes.signedIn()
	await using asking = await ask(home, ['--name', name])
	await lab.done(['devices', 'approve', asking.code, '--yes'])
	expect(await asking.started.done).toMatchObject({ code: 0 })
	return home
}

interface Ear extends AsyncDisposable {
	frames: Extract<SessionHint, { type: 'frame' }>[]
	/** Numbers of the rows that it was told of. */
	rows: number[]
	joined: boolean
}

/** Hears all that the server lets a home hear of a session. */
function listen({ gateway }: Context, session: string): Ear {
	const ear: Ear = {
		frames: [],
		rows: [],
		joined: false,
		[Symbol.asyncDispose]: () => channel[Symbol.asyncDispose](),
	}
	const channel = gateway.followSession(session, (hint) => {
		if (hint.type === 'joined') ear.joined = true
		if (hint.type === 'frame') ear.frames.push(hint)
		if (hint.type === 'messages') ear.rows.push(hint.to)
	})
	return ear
}

async function allRows({ gateway }: Context, session: string): Promise<MessageRow[]> {
	const rows: MessageRow[] = []
	for (;;) {
		const page = await gateway.readMessages(session, { after: rows.length, limit: 500 })
		rows.push(...page)
		if (page.length < 500) return rows
	}
}

function opens(row: MessageRow, keys: readonly Uint8Array[]): boolean {
	return keys.some((key) => {
		try {
			openMessage(sealedMessage(row), key)
			return true
		} catch (error) {
			if (error instanceof StyrbyError) return false
			throw error
		}
	})
}

it('gets nothing newer, and who is left misses nothing', async ({ annotate }) => {
	await using old = await laptop.context()
	await using left = await tablet.context()
	const { host, id } = await lab.headless('WRITE')
	const scope = sessionScope(id)
	let key: unknown
	await until(async () => {
		key = (await old.account.keys.load(scope, { again: true })).keyOf(0)
		return key instanceof Uint8Array
	}, host)
	if (!(key instanceof Uint8Array)) throw new Error('no key')
	const keys = [key]
	await using lost = listen(old, id)
	await using kept = listen(left, id)
	// The agent is in the middle of a long answer.
	await until(() => lost.frames.length > 2 && kept.frames.length > 2, host)

	const revoked = old.account.device.record.id
	const report = await tablet.json(shapes.devicesRevoke, ['devices', 'revoke', revoked, '--yes'])
	expect(report).toMatchObject({ complete: true, grants_after: 0 })
	const told = { lost: lost.frames.length, kept: kept.frames.length }
	const rowsThen = (await allRows(left, id)).length
	expect(host.result).toBeNull()
	await until(() => kept.frames.length > told.kept, host)

	// It goes on: asks, is answered by the one that is left, writes on, and ends.
	const requests = () => host.printed().filter(({ kind }) => kind === 'permission_request')
	await until(() => requests().length > 0 || host.result, host)
	const request = v.parse(v.object({ request: v.string() }), requests()[0]?.body).request
	expect(await tablet.run(['approve', request, '--yes', '--wait', '60'])).toMatchObject({ code: 0 })
	expect(await host.done).toMatchObject({ code: 0 })

	const rows = await allRows(left, id)
	const newer = rows.slice(rowsThen)
	expect(newer.length).toBeGreaterThan(3)
	expect(newer.filter((row) => row.epoch === 0 || opens(row, keys))).toEqual([])
	expect(rows.slice(0, rowsThen).filter((row) => opens(row, keys)).length).toBeGreaterThan(0)
	const later = kept.frames.slice(told.kept)
	expect(later.length).toBeGreaterThan(0)
	const sealed = ({ ciphertext, nonce }: (typeof later)[number]) =>
		[fromBase64(ciphertext), fromBase64(nonce)] as const
	expect(later.filter((frame) => open(...sealed(frame), key as Uint8Array) !== null)).toEqual([])
	expect(
		kept.frames.filter((frame) => open(...sealed(frame), key as Uint8Array)).length,
	).toBeGreaterThan(0)
	// The server has let it go as well.
	await sleep(200)
	expect(lost.frames).toHaveLength(told.lost)
	expect(lost.rows.filter((seq) => seq > rowsThen)).toEqual([])
	await expect(old.gateway.readMessages(id, { after: 0, limit: 1 })).rejects.toMatchObject({
		code: 'device_revoked',
	})
	const given = await homes.query(
		`select epoch, created_at from public.key_grants where scope = $1 and to_device = $2::uuid`,
		[scope, revoked],
	)
	expect(given.map((grant) => Number(grant.epoch))).toEqual([0])
	expect(await laptop.run(['show', id])).toMatchObject({ code: 3 })

	const shown = await tablet.lines(shapes.message, ['show', id])
	expect(shown.filter(({ verified, problem }) => !verified || problem !== null)).toEqual([])
	const said = host.printed().filter((line) => 'seq' in line)
	expect(shown.map(({ seq, kind, body }) => ({ seq, kind, body }))).toEqual(
		said.map(({ seq, kind, body }) => ({ seq, kind, body })),
	)
	const opened = await homes.query(
		`select min(created_at) as at from public.key_grants where scope = $1 and epoch = 1`,
		[scope],
	)
	const took = Date.parse(String(opened[0]?.at)) - Date.parse(report.at)
	await annotate(
		`new key ${took} ms after the entry; rows ${rowsThen} before, ${newer.length} after; frames ${told.kept} before, ${later.length} after`,
	)
})
