/** What the commands print of texts from agents, servers and other devices: nothing acts, no line is forged. */
import { expect, test } from 'vitest'
import type { DeviceList } from '../../source/account/devices.ts'
import { costReport } from '../../source/commands/cost/print.ts'
import { deviceListText } from '../../source/commands/devices/list-text.ts'
import { historyText } from '../../source/commands/devices/log.ts'
import { requestLines } from '../../source/commands/request-lines.ts'
import { hitLines } from '../../source/commands/search-lines.ts'
import { sessionTable } from '../../source/commands/session-table.ts'
import { StyrbyError } from '../../source/protocol/errors.ts'
import { textWidth } from '../../source/text/width.ts'
import { costCsv } from '../../source/viewer/cost-csv.ts'
import { grouped, total } from '../../source/viewer/cost-table.ts'
import { hostileTexts } from '../text/hostile-text.ts'
import { spentOn } from '../ui/_cost.ts'
import { logEvent } from '../ui/_devices.ts'
import { hit } from '../ui/_search.ts'
import { at, now, request, requestBody, summary, uuid } from '../ui/_viewer.ts'

const width = 80
const time = new Date(now)
const acting =
	/[^\P{Cc}\n]|[\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\u00ad\u{e0000}-\u{e0fff}]/u

const sessions = (text: string) => {
	const about = { project: text, title: text, agent: text, status: text }
	const all = [summary(about), summary({ ...about, problem: text })]
	return sessionTable(all, { now: time, width, filtered: false })
}

const search = (text: string) =>
	hitLines(
		hit({ session: text, agent: text, project: text, title: text, snippet: text, matches: [] }),
		width,
		time,
	)

function cost(text: string): string {
	const spent = [spentOn('2026-03-04', { agent: text, project: text, model: text })]
	const by = ['agent', 'project', 'model'] as const
	const groups = grouped(spent, [...by])
	const report = { since: null, timezone: 'UTC', by, groups, total: total(spent), problems: 0 }
	return costReport(report, { width, now: time })
}

const table = (text: string) => {
	const groups = grouped([spentOn('2026-03-04', { project: text })], ['project'])
	return costCsv(['project'], groups).replaceAll('\r\n', '\n')
}

function devices(text: string): string {
	const fault = { device: text, publicKey: text, what: 'unknown' } as const
	const list: DeviceList = {
		devices: [
			{
				id: uuid(1),
				name: text,
				kind: 'device',
				fingerprint: 'aaaa bbbb',
				state: 'revoked',
				own: false,
				addedBy: uuid(2),
				addedByName: text,
				addedAt: at(9),
				revoked: { by: uuid(2), byName: text, at: at(3), reason: text },
				lastSeenAt: at(5),
				sessions: 1,
			},
		],
		log: { entries: 1, head: { seq: 0, hash: '' }, problem: new StyrbyError('bad_log', text) },
		intruders: [fault],
		faults: [{ ...fault, what: 'revoked' }],
		single: true,
	}
	return deviceListText(list, { now: time, width })
}

const history = (text: string) =>
	historyText(
		(['genesis', 'add', 'rename', 'revoke'] as const).map((type, index) => ({
			...logEvent(index, { type, byName: text, deviceName: text, hash: '' }),
			fingerprint: 'aaaa bbbb',
			name: text,
			reason: text,
			proof: false,
		})),
		width,
	)

function permissions(text: string): string {
	const body = requestBody(uuid(11), {
		tool: text,
		input: { command: text },
		description: text,
		cwd: text,
		reason: text,
		session_rules: [{ tool: text, rule: text }],
	})
	const about = { project: text, agent: text, risk: { level: 'high', reasons: [text] } } as const
	const decided = {
		...({ by: 'device', device: text, name: text, result: 'denied', scope: null } as const),
		...{ reason: text, input: null, at: at(3), verified: false },
	}
	return [
		request(uuid(12), { ...about, body, status: 'denied', decided }),
		request(uuid(14), { ...about, body: null, digest: null, problem: text }),
	]
		.map((each) => requestLines(each, time, width))
		.join('')
}

const printed = { sessions, search, cost, table, devices, history, permissions }
/** One text takes one line in these, however long; in the others it is broken, behind a margin. */
const tables = new Set(['sessions', 'search', 'cost'])

test.each(Object.entries(printed))('%s', (name, print) => {
	const lines = (text: string) => print(text).split('\n')
	const harmless = lines('needle')
	expect(harmless.join('\n')).toContain('needle')
	for (const { id, text } of hostileTexts) {
		const shown = lines(text)
		expect(acting.exec(shown.join('\n')), id).toBeNull()
		if (tables.has(name)) expect(shown.length, id).toBe(harmless.length)
		if (tables.has(name))
			for (const line of shown) expect(textWidth(line), id).toBeLessThanOrEqual(width)
	}
	// What would pass for a line of ours stands behind a margin that those have not; a cell of CSV is quoted.
	const forged = 'approved by laptop (signature verified)'
	const posing = lines(`x\n${forged}\n  ${forged}`).filter((line) => /^ {0,3}approved/.test(line))
	if (name !== 'table') expect(posing).toEqual([])
})
