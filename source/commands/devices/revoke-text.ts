/** What a revocation will do, and what it did. */
import type { Account } from '../../account/account.ts'
import type { DeviceInfo } from '../../account/devices.ts'
import type { LiveSession, RevocationPlan, RevocationReport } from '../../account/revoking.ts'
import { shortTime } from '../../text/time.ts'
import { textWidth } from '../../text/width.ts'
import { hanging } from '../hanging.ts'
import { called } from './find-device.ts'
import { oneLine } from './one-line.ts'

type Subject = Pick<DeviceInfo, 'id' | 'name' | 'fingerprint' | 'own'>

/** What is typed to confirm: the name, where it can be typed as it is shown; else the fingerprint's first group. */
export function wordToType({ name, fingerprint }: Subject): string {
	const plain = name !== null && /^[\x21-\x7e]{1,40}$/.test(name)
	return plain ? name : fingerprint.slice(0, 4)
}

function lines(width: number) {
	const all: string[] = []
	return {
		say: (prefix: string, text: string) => all.push(...hanging(prefix, text, width, textWidth)),
		text: () => all.map((line) => `${line}\n`).join(''),
	}
}

const sessions = (count: number) => `${count} ${count === 1 ? 'session' : 'sessions'}`

export function planText(
	account: Account,
	device: Subject,
	plan: RevocationPlan,
	width: number,
): string {
	const { say, text } = lines(width)
	const name = called(device.name, device.id)
	say('', `Revoking ${name}${device.own ? ', which is THIS DEVICE' : ''} (${device.fingerprint}):`)
	say('  - ', `from then on no key is given to it; its sign-in ends; the account gets a new key`)
	say(
		'  - ',
		`by what the server says it was given the keys of ${sessions(plan.readable)}: what it could read until now it may have kept`,
	)
	const live = plan.live.filter(({ own }) => !own)
	if (live.length === 0) say('  - ', 'no session goes on that would need a new key')
	else say('  - ', `${sessions(live.length)} that go on get a new key:`)
	for (const session of live)
		say('      ', `${session.session.slice(0, 8)}  on ${hostOf(account, session)}`)
	for (const { session } of plan.live.filter(({ own }) => own)) {
		say(
			'  - ',
			`${session.slice(0, 8)} runs on the device itself: what comes of it is refused everywhere`,
		)
	}
	return text()
}

const hostOf = (account: Account, { host }: LiveSession) =>
	host === null ? 'an unknown host' : called(account.deviceName(host), host)

export function reportText(
	account: Account,
	device: Subject,
	report: RevocationReport,
	{ width, email }: { width: number; email: string | null },
): string {
	const { say, text } = lines(width)
	const name = called(device.name, device.id)
	const by = called(account.deviceName(report.by), report.by)
	const why = report.reason === null ? '' : `: ${oneLine(report.reason)}`
	const who = report.own ? '' : ` It was ${by} that revoked it.`
	say(
		'✓ ',
		`${name} is revoked: entry ${report.entry} of the device log, ${shortTime(report.at)} UTC${why}.${who}`,
	)
	const remind = () => {
		if (email === null) return
		const what = `a revocation takes the keys, not the password: change that of ${oneLine(email)} where somebody else may know it`
		say('! ', what)
	}
	if (device.own) {
		say('… ', 'The other devices make new keys as soon as they learn of it.')
		remind()
		return text()
	}
	say('✓ ', `the account has a new key (${report.accountEpoch}), which it was not given`)
	for (const session of report.sessions) {
		const where = `${session.session.slice(0, 8)} on ${hostOf(account, session)}`
		if (session.own) say('– ', `${where}: what comes of it is refused everywhere`)
		else if (session.rekeyed) say('✓ ', `${where} has a new key (${session.epoch})`)
		else say('… ', `${where} has not followed yet: its key is still ${session.epoch}`)
	}
	const given = report.grantsAfter
	if (given > 0) say('✗ ', `it was given ${given} of these keys AFTER ALL`)
	else if (report.complete) say('✓ ', 'none of the keys in use was given to it')
	remind()
	return text()
}

/** What `--json` prints of a plan; a shape that scripts depend on. */
export function planJson(account: Account, plan: RevocationPlan) {
	return {
		readable: plan.readable,
		live: plan.live.map((session) => liveJson(account, session)),
	}
}

function liveJson(account: Account, { session, host, own }: LiveSession) {
	return {
		session,
		host: host === null ? null : { id: host, name: account.deviceName(host) },
		own,
	}
}

/** What `--json` prints of what was done; a shape that scripts depend on. */
export function reportJson(account: Account, report: RevocationReport) {
	return {
		entry: report.entry,
		by: report.by,
		by_name: account.deviceName(report.by),
		at: report.at,
		reason: report.reason,
		account_epoch: report.accountEpoch,
		sessions: report.sessions.map((session) => ({
			...liveJson(account, session),
			epoch: session.epoch,
			rekeyed: session.rekeyed,
		})),
		grants_after: report.grantsAfter,
		complete: report.complete,
	}
}
