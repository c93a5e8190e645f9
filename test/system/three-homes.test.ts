/**
 * Several machines, one account: each has its home and a pane of a real tmux. They are paired by a code that
 * is copied from one pane to the other; one of them is lost; at last all are, and the words bring it all back.
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findExecutable } from '../../source/agents/executable.ts'
import { WireTap } from '../../source/backend/wire-tap.ts'
import { type Context, openContext } from '../../source/commands/context.ts'
import { processIo } from '../../source/commands/io.ts'
import { Hosted, linesOf, Program } from '../commands/_program.ts'
import * as shapes from '../commands/_shapes.ts'
import { launcher, until } from '../tools/lab.ts'
import { type Pane, Tmux } from '../tools/tmux.ts'

const tmuxProgram = await findExecutable('tmux', process.env)
const approveLine = /^ *(styrby-tui devices approve \S+)$/m
const fingerprint = /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){4}/

/** Ends with the test, in the order opposite to that in which they came. */
function during<T extends AsyncDisposable>(part: T): T {
	onTestFinished(() => part[Symbol.asyncDispose]())
	return part
}

/** A folder whose `styrby-tui` is the one that was built here. */
async function commandFolder(folder: string): Promise<string> {
	const bin = join(folder, 'bin')
	await mkdir(bin)
	const script = `#!/bin/sh\nexec '${process.execPath}' '${launcher}' "$@"\n`
	await writeFile(join(bin, 'styrby-tui'), script)
	await chmod(join(bin, 'styrby-tui'), 0o755)
	return bin
}

async function freePort(): Promise<number> {
	const probe = createServer()
	await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
	const { port } = probe.address() as AddressInfo
	await new Promise((resolve) => probe.close(resolve))
	return port
}

/** The machine of the server, which is none of those that read. */
async function startServer(folder: string): Promise<() => Promise<string>> {
	const server = during(await Program.make())
	const data = join(folder, 'server-data')
	const address = `127.0.0.1:${await freePort()}`
	const serving = during(server.start(['serve', '--data', data, '--listen', address]))
	await until(() => serving.stdout.includes('until Ctrl-C') || serving.result, serving)
	return async () => {
		const ran = await server.run(['serve', '--data', data, '--join-token'])
		if (ran.code !== 0) throw new Error(ran.stderr)
		return ran.stdout.trim()
	}
}

interface Machine {
	home: Program
	pane: Pane
}

interface Setting {
	tmux: Tmux
	bin: string
	token(): Promise<string>
}

async function machine({ tmux, bin, token }: Setting): Promise<Machine> {
	const home = during(await Program.make())
	const { STYRBY_HOME = '', STYRBY_VAULT = '', STYRBY_PASSPHRASE_FILE = '' } = home.env
	const env = { STYRBY_HOME, STYRBY_VAULT, STYRBY_PASSPHRASE_FILE }
	const pane = await tmux.pane({ cwd: home.cwd, env })
	await pane.line(`PATH='${bin}':$PATH`)
	await pane.line(`styrby-tui login --join ${await token()}`)
	await pane.until(/Signed in to https:/)
	await pane.clear()
	return { home, pane }
}

const io = ({ home }: Machine) => ({ ...processIo(), env: home.env, cwd: home.cwd })

/** A machine's account in this process, with all that it is sent and told in our hands. */
async function tappedContext(who: Machine): Promise<{ context: Context; tap: WireTap }> {
	const taps: WireTap[] = []
	const context = await openContext(io(who), {
		async route(endpoint) {
			const tap = during(await WireTap.open(endpoint))
			taps.push(tap)
			return tap.endpoint
		},
	})
	const [tap] = taps
	if (!tap) throw new Error('the context was opened by another way')
	return { context: during(context), tap }
}

/** `devices add` in one pane; the line that it shows is copied into the other, and confirmed there. */
async function pair(fresh: Machine, name: string, registered: Machine): Promise<void> {
	await fresh.pane.line(`styrby-tui devices add --name ${name}`)
	const [, command = ''] = await fresh.pane.until(approveLine)
	const [shown] = await fresh.pane.until(fingerprint)
	await registered.pane.clear()
	await registered.pane.paste(command)
	await registered.pane.press('Enter')
	await registered.pane.until(/Let this device in\? \[y\/N\]/)
	const asked = await registered.pane.screen()
	expect(asked).toMatch(new RegExp(`name +${name}\n`))
	expect(asked).toContain(`fingerprint  ${shown}`)
	await registered.pane.line('y')
	await registered.pane.until(new RegExp(`${name} is a device of this account now\\.`))
	await fresh.pane.until(/This is a device of the account now/)
}

const show = async ({ home }: Machine, session: string, ...more: string[]) => {
	const ran = await home.run(['show', session, '--json', ...more])
	if (ran.code !== 0) throw new Error(ran.stderr)
	return ran.stdout
}

test.skipIf(tmuxProgram === null)(
	'three homes on one backend: paired, one revoked while a session runs, all lost, recovered by words',
	{ timeout: 600_000 },
	async () => {
		const folder = await mkdtemp(join(tmpdir(), 'styrby-three-'))
		onTestFinished(() => rm(folder, { recursive: true, force: true }))
		const tmux = during(new Tmux(tmuxProgram ?? ''))
		const setting = { tmux, bin: await commandFolder(folder), token: await startServer(folder) }

		// The first machine is a device as soon as it does anything; an agent runs there.
		const box = await machine(setting)
		await box.pane.line('styrby-tui devices')
		await box.pane.until(/Only one device can read this account/)
		const { devices } = await box.home.json(shapes.devices, ['devices'])
		await box.home.run(['devices', 'rename', devices[0]?.id ?? '', 'build-box'])
		const context = await openContext(io(box))
		const hosted = await Hosted.start(context, 'list the reeds')
		hosted.agent.say({ type: 'status', status: 'running' })
		hosted.agent.text('There are twelve reeds.')
		const stored = async (seq: number) =>
			until(async () => ((await context.gateway.readSession(hosted.id))?.last_seq ?? 0) >= seq)
		await stored(2)

		// The second is let in by the first, the third by the second.
		const laptop = await machine(setting)
		await pair(laptop, 'laptop', box)
		const phone = await machine(setting)
		await pair(phone, 'phone', laptop)
		const first = await show(box, hosted.id)
		expect(first).toContain('There are twelve reeds.')
		expect(await show(laptop, hosted.id)).toBe(first)
		expect(await show(phone, hosted.id)).toBe(first)

		// The second follows the session, with all that it receives in our hands; so does the third, on its screen.
		const { context: tapped, tap } = await tappedContext(laptop)
		const viewer = during(tapped.viewer())
		await viewer.ready
		during(viewer.open(hosted.id))
		await phone.pane.clear()
		await phone.pane.line(`styrby-tui show ${hosted.id} --follow`)
		hosted.agent.text('The boat is blue.')
		await phone.pane.until(/The boat is blue\./)
		const rowsOf = async (who: Machine) => {
			const { stdout } = await who.home.run(['show', hosted.id, '--raw'])
			return linesOf(shapes.row, stdout)
		}
		const before = await rowsOf(box)
		const received = () =>
			Buffer.concat(
				tap.pieces.flatMap(({ direction, bytes }) => (direction === 'down' ? [bytes] : [])),
			)
		await until(() => received().includes(before.at(-1)?.ciphertext ?? '?'))

		// It is lost. Its owner sees what revoking it will do, types its name, and is shown the proof.
		await box.pane.clear()
		await box.pane.line('styrby-tui devices revoke laptop --reason "left in a train"')
		await box.pane.until(/Type laptop to revoke it:/)
		expect(await box.pane.screen()).toMatch(/the keys of 1 session/)
		await box.pane.line('laptop')
		await box.pane.until(/laptop is revoked: entry \d+ of the device log.*left in a train/)
		await box.pane.until(/none of the keys in use was given to it/)
		for (let index = 1; index <= 20; index++) hosted.agent.text(`A sentence after it: ${index}.`)
		await phone.pane.until(/A sentence after it: 20\./)
		hosted.agent.text('The last of it.')
		await phone.pane.until(/The last of it\./)
		await phone.pane.press('C-c')
		const whole = await show(phone, hosted.id)
		expect(whole).toBe(await show(box, hosted.id))
		for (let index = 1; index <= 20; index++)
			expect(whole).toContain(`A sentence after it: ${index}.`)
		expect(whole).not.toContain('"verified":false')
		const newer = (await rowsOf(phone)).filter(({ epoch }) => epoch > 0)
		expect(newer.length).toBeGreaterThanOrEqual(21)
		const bytes = received()
		for (const { nonce, ciphertext } of newer) {
			expect(bytes.includes(nonce)).toBe(false)
			expect(bytes.includes(ciphertext)).toBe(false)
		}
		await laptop.pane.clear()
		await laptop.pane.line(`styrby-tui show ${hosted.id}; echo "ended with $?"`)
		await laptop.pane.until(/ended with 3/)
		expect(await laptop.pane.screen()).not.toContain('sentence')

		// The recovery key: shown once, two of its words typed.
		await phone.pane.clear()
		await phone.pane.line('styrby-tui devices recovery')
		await phone.pane.until(/24\. \w+.*Press return when they are written down/s)
		const words = [...(await phone.pane.screen()).matchAll(/\b(\d+)\. ([a-z]+)/g)]
			.sort((a, b) => Number(a[1]) - Number(b[1]))
			.map((match) => match[2] ?? '')
		expect(words).toHaveLength(24)
		await phone.pane.press('Enter')
		for (const _ of ['one', 'another']) {
			const [, number] = await phone.pane.until(/Word (\d+): *\n*$/)
			await phone.pane.line(words[Number(number) - 1] ?? '')
			await phone.pane.until(/Word \d+: \w+/)
		}
		await phone.pane.until(/The recovery key is registered/)
		expect(await phone.pane.history()).not.toContain(words.slice(0, 3).join(' '))
		await hosted.finish()
		const all = await show(phone, hosted.id)

		// Every home is gone, but for the data of the server.
		await context[Symbol.asyncDispose]()
		for (const { home } of [box, laptop, phone])
			await rm(home.env.STYRBY_HOME ?? '', { recursive: true })
		const fourth = await machine(setting)
		await fourth.pane.line('styrby-tui devices recover --name new-box')
		await fourth.pane.until(/The 24 words of the recovery key/)
		await fourth.pane.paste(words.join(' '))
		await fourth.pane.press('Enter')
		await fourth.pane.until(/This is a device of the account now: new-box/)
		expect(await fourth.pane.history()).not.toContain(words[3])
		expect(await show(fourth, hosted.id)).toBe(all)
		await fourth.pane.clear()
		await fourth.pane.line('styrby-tui devices verify && styrby-tui devices')
		await fourth.pane.until(/Device log: \d+ entries, verified\./)
		const list = await fourth.home.json(shapes.devices, ['devices'])
		expect(list.devices.map(({ name, state, this: own }) => [name, state, own])).toEqual([
			['build-box', 'active', false],
			['laptop', 'revoked', false],
			['phone', 'active', false],
			['recovery key', 'active', false],
			['new-box', 'active', true],
		])
	},
)
