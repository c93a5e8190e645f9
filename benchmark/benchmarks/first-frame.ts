import { atMost, type Benchmark, type Goal, type Row } from '../harness/benchmark.ts'
import { sizes, smallLibrary } from '../harness/library.ts'
import type { Profile } from '../harness/profile.ts'
import { emptyNode, timeNode } from '../harness/program.ts'
import { takeTurns } from '../harness/sample.ts'
import { Screen } from '../harness/screen.ts'
import { hasSecretService, startSecretService } from '../harness/secret-service.ts'
import { median, spread } from '../harness/statistics.ts'

/** What a passphrase costs in bare Node, with the parameters of a new key file. */
const scrypt =
	"require('node:crypto').scryptSync('a passphrase', Buffer.alloc(16), 32, { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 })"

/** From the start of the process until the list of sessions is on the screen. */
export const firstFrame: Benchmark = {
	name: 'first-frame',
	summary: 'first full frame of the viewer with its list of sessions, backend warm',
	async run({ note }) {
		const rows: Row[] = []
		if (hasSecretService()) {
			await using service = await startSecretService()
			await using profile = await smallLibrary('keychain', service.env)
			rows.push(
				...(await measure(profile, {
					what: 'first full frame with the list, keys in the keychain',
					floor: '`node -e 0`',
					base: emptyNode,
					goal: (ratio) => atMost(ratio, 6, '6 ×'),
				})),
			)
		} else note('no Secret Service here: the first frame is measured with the key file only')
		await using profile = await smallLibrary('file')
		rows.push(
			...(await measure(profile, {
				what: 'the same, keys in the key file',
				floor: '`node -e` with its scrypt',
				base: () => timeNode(['-e', scrypt]),
				goal: (ratio) => atMost(ratio, 1.5, '1.5 ×'),
			})),
		)
		return rows
	},
}

interface Case {
	what: string
	floor: string
	base: () => number
	goal(ratio: number): Goal
}

async function measure(profile: Profile, { what, floor, base, goal }: Case): Promise<Row[]> {
	const samples = await takeTurns(
		{
			frame: () => frame(profile),
			current: () => frame(profile, '● connected'),
			floor: base,
		},
		{ least: 9, most: 30, limitMs: 15_000 },
	)
	const row = (of: 'frame' | 'current', name: string): Row => {
		const taken = samples.of(of)
		const ratio = samples.ratio(of, 'floor')
		return {
			what: name,
			value: median(taken),
			unit: 'ms',
			floor: { what: floor, value: median(samples.of('floor')), ratio },
			goal: of === 'frame' ? goal(ratio) : null,
			samples: taken.length,
			spread: spread(taken),
		}
	}
	return [row('frame', what), row('current', `${what}: until it is current`)]
}

/** The list is there when its newest entry is, and the count of all of them in the header. */
async function frame(profile: Profile, also = ''): Promise<number> {
	await using screen = new Screen({ env: profile.env })
	const count = new RegExp(`Sessions ${sizes.smallSessions}\\b`)
	const at = await screen.until(
		(text) => count.test(text) && text.includes('project-0') && text.includes(also),
	)
	return at - screen.startedAt
}
