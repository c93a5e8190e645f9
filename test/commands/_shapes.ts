/** The shapes that scripts depend on. Nothing may lack, and nothing may be added unseen. */
import * as v from 'valibot'
import { kinds } from '../../source/protocol/events.ts'

const uuid = v.pipe(v.string(), v.uuid())
const time = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/))
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const base64 = v.pipe(v.string(), v.base64())
const hex = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const fingerprint = v.pipe(
	v.string(),
	v.regex(/^([0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]{4}$/),
)
const text = v.pipe(v.string(), v.nonEmpty())

export const failure = v.strictObject({
	error: v.strictObject({ code: v.pipe(v.string(), v.regex(/^[a-z_]+$/)), message: text }),
})

export const status = v.strictObject({
	version: text,
	backend: v.strictObject({
		kind: v.picklist(['embedded', 'supabase']),
		url: v.nullable(v.pipe(v.string(), v.url())),
		reachable: v.boolean(),
	}),
	account: v.nullable(uuid),
	device: v.nullable(v.strictObject({ id: uuid, name: v.nullable(text), fingerprint })),
	vault: v.strictObject({ kind: v.picklist(['keychain', 'file']), detail: text }),
	outbox: v.strictObject({ pending: count }),
})

export const session = v.strictObject({
	id: uuid,
	agent: text,
	status: v.picklist(['starting', 'running', 'idle', 'stopped', 'error']),
	project: v.nullable(text),
	title: v.nullable(text),
	host: v.strictObject({ id: uuid, name: v.nullable(text) }),
	started_at: time,
	last_activity_at: time,
	ended_at: v.nullable(time),
	messages: count,
	pending: count,
	tokens: v.strictObject({ input: count, output: count, cache_read: count, cache_write: count }),
	cost_usd: v.pipe(v.number(), v.finite()),
	problem: v.nullable(text),
})
export const sessions = v.strictObject({ sessions: v.array(session) })

export const search = v.strictObject({
	query: text,
	total: count,
	hits: v.array(
		v.strictObject({
			session: uuid,
			seq: count,
			at: time,
			kind: v.picklist(kinds),
			agent: text,
			project: v.nullable(text),
			title: v.nullable(text),
			snippet: v.string(),
			matches: v.array(v.strictTuple([count, count])),
		}),
	),
	index: v.strictObject({ messages: count, problem: v.nullable(text) }),
})

export const message = v.strictObject({
	session: uuid,
	seq: v.pipe(count, v.minValue(1)),
	at: v.nullable(time),
	kind: v.nullable(v.picklist(kinds)),
	body: v.nullable(v.record(v.string(), v.unknown())),
	verified: v.boolean(),
	problem: v.nullable(text),
})

export const row = v.strictObject({
	session_id: uuid,
	seq: v.pipe(count, v.minValue(1)),
	epoch: count,
	nonce: v.pipe(base64, v.length(32)),
	ciphertext: base64,
	signature: v.pipe(base64, v.length(88)),
	created_at: v.pipe(v.string(), v.isoTimestamp()),
	input_tokens: count,
	output_tokens: count,
	cache_read_tokens: count,
	cache_write_tokens: count,
	cost_usd: v.number(),
})

const spent = {
	responses: count,
	tokens: v.strictObject({ input: count, output: count, cache_read: count, cache_write: count }),
	cost_usd: v.number(),
	unpriced: count,
}
const name = v.nullable(text)
export const cost = v.strictObject({
	since: v.nullable(time),
	timezone: text,
	by: v.array(v.picklist(['day', 'agent', 'project', 'model'])),
	groups: v.array(
		v.strictObject({
			day: v.optional(v.pipe(v.string(), v.isoDate())),
			agent: v.optional(text),
			project: v.optional(name),
			model: v.optional(name),
			...spent,
		}),
	),
	total: v.strictObject(spent),
	problems: count,
})

export const permission = v.strictObject({
	id: uuid,
	session: uuid,
	agent: text,
	status: v.picklist(['pending', 'approved', 'denied', 'expired', 'cancelled']),
	tool: v.nullable(text),
	summary: v.nullable(text),
	input: v.unknown(),
	cwd: v.nullable(text),
	risk: v.nullable(
		v.strictObject({ level: v.picklist(['low', 'medium', 'high']), reasons: v.array(text) }),
	),
	digest: v.nullable(hex),
	problem: v.nullable(text),
	created_at: time,
	expires_at: time,
	decided: v.nullable(
		v.strictObject({
			device: v.nullable(uuid),
			name: v.nullable(text),
			by: v.picklist(['device', 'agent', 'host', 'policy']),
			decision: v.picklist(['allow', 'deny']),
			scope: v.nullable(v.picklist(['once', 'session'])),
			reason: v.nullable(text),
			input: v.unknown(),
			at: time,
			verified: v.boolean(),
		}),
	),
})
export const permissions = v.strictObject({ permissions: v.array(permission) })

export const waiting = v.strictObject({
	waiting: v.number(),
	high: v.number(),
	connected: v.boolean(),
})

export const answer = v.strictObject({
	request: uuid,
	decision: v.picklist(['allow', 'deny']),
	accepted: v.boolean(),
	by_host_at: v.nullable(time),
	stage: v.picklist([
		'stored',
		'verified',
		'applied',
		'expired',
		'withdrawn',
		'lost',
		'refused',
		'failed',
	]),
	winner: v.nullable(v.strictObject({ id: uuid, name: v.nullable(text), result: text })),
	why: v.nullable(text),
})

export const imported = v.strictObject({
	file: text,
	agent: text,
	session: uuid,
	messages: count,
	skipped: count,
	problem: v.nullable(text),
	reason: v.nullable(v.picklist(['hosted_live', 'other_device'])),
})

export const checks = v.strictObject({
	checks: v.array(
		v.variant('state', [
			v.strictObject({ id: text, state: v.literal('ok'), detail: text, mend: v.null() }),
			v.strictObject({ id: text, state: v.picklist(['warn', 'fail']), detail: text, mend: text }),
		]),
	),
})

export const verdict = v.strictObject({
	verified: v.boolean(),
	wire: v.nullable(
		v.strictObject({
			sentence: text,
			session: uuid,
			seq: count,
			row,
			bytes: v.strictObject({ up: count, down: count }),
			searched: count,
			live: v.boolean(),
			looked_for: v.array(text),
			encodings: count,
			leaks: v.array(v.strictObject({ what: text, encoding: text })),
			row_seen: v.boolean(),
		}),
	),
	wire_problem: v.nullable(text),
	log: v.strictObject({
		entries: count,
		head: v.nullable(v.strictObject({ seq: count, hash: v.pipe(base64, v.length(44)) })),
		verified: v.boolean(),
		problem: v.nullable(text),
	}),
	intruders: v.array(v.strictObject({ id: uuid, public_key: base64 })),
	sessions: count,
	messages: count,
	problems: v.array(
		v.strictObject({
			session: v.nullable(uuid),
			seq: v.nullable(count),
			rows: count,
			code: text,
			problem: text,
		}),
	),
})

const head = v.strictObject({ seq: count, hash: v.pipe(base64, v.length(44)) })
const named = v.strictObject({ id: uuid, name: v.nullable(text), fingerprint })
const handedOver = { sessions: count, granted: count, unreadable: count }

export const devices = v.strictObject({
	devices: v.array(
		v.strictObject({
			id: uuid,
			name: v.nullable(text),
			kind: v.picklist(['device', 'recovery']),
			fingerprint,
			state: v.picklist(['active', 'revoked']),
			this: v.boolean(),
			added_by: uuid,
			added_at: time,
			revoked_at: v.nullable(time),
			last_seen_at: v.nullable(time),
			sessions: count,
		}),
	),
	log: v.strictObject({ entries: count, head, verified: v.boolean() }),
	intruders: v.array(v.strictObject({ id: uuid, public_key: base64 })),
})

export const devicesVerify = v.strictObject({
	verified: v.boolean(),
	log: v.strictObject({
		entries: count,
		head: v.nullable(head),
		verified: v.boolean(),
		problem: v.nullable(text),
	}),
	active: count,
	revoked: count,
	intruders: v.array(v.strictObject({ id: uuid, public_key: base64 })),
	faults: v.array(
		v.strictObject({
			id: uuid,
			public_key: v.nullable(base64),
			what: v.picklist([
				'unknown',
				'other_key',
				'missing',
				'not_revoked',
				'revoked',
				'other_times',
			]),
		}),
	),
})

export const devicesLog = v.strictObject({
	entries: v.array(
		v.strictObject({
			seq: count,
			at: time,
			type: v.picklist(['genesis', 'add', 'rename', 'revoke']),
			by: uuid,
			by_name: v.nullable(text),
			device: uuid,
			device_name: v.nullable(text),
			fingerprint,
			name: v.nullable(text),
			reason: v.nullable(text),
			hash: v.pipe(base64, v.length(44)),
		}),
	),
})

export const devicesAccess = v.strictObject({
	session: v.nullable(uuid),
	epoch: count,
	newest: v.pipe(v.number(), v.safeInteger(), v.minValue(-1)),
	device: uuid,
	device_name: v.nullable(text),
	by: uuid,
	by_name: v.nullable(text),
	at: time,
	opens: v.nullable(v.boolean()),
	known: v.boolean(),
})

export const devicesRename = v.strictObject({
	device: v.strictObject({ id: uuid, name: text, before: v.nullable(text) }),
})

export const devicesAddBegun = v.strictObject({
	code: v.pipe(text, v.regex(/^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{5}$/)),
	fingerprint,
	expires_at: time,
})
export const devicesAddDone = v.strictObject({ account: uuid, device: named })

export const devicesApprove = v.strictObject({
	device: named,
	outcome: v.picklist(['approved', 'already']),
	by: uuid,
	at: time,
	...handedOver,
})

export const devicesShare = v.strictObject({ device: named, ...handedOver })

const live = {
	session: uuid,
	host: v.nullable(v.strictObject({ id: uuid, name: v.nullable(text) })),
	own: v.boolean(),
}
const plan = v.nullable(v.strictObject({ readable: count, live: v.array(v.strictObject(live)) }))
export const devicesRevokePlan = v.strictObject({ device: named, dry_run: v.literal(true), plan })
export const devicesRevoke = v.strictObject({
	device: named,
	dry_run: v.literal(false),
	plan,
	entry: count,
	by: uuid,
	by_name: v.nullable(text),
	at: time,
	reason: v.nullable(text),
	account_epoch: count,
	sessions: v.array(v.strictObject({ ...live, epoch: count, rekeyed: v.boolean() })),
	grants_after: count,
	complete: v.boolean(),
})

export const devicesRecovery = v.strictObject({
	device: v.strictObject({ id: uuid, fingerprint }),
	words: v.nullable(v.pipe(v.array(text), v.length(24))),
	replaced: v.array(uuid),
	...handedOver,
})
export const devicesRecoveryCheck = v.strictObject({
	in_force: v.boolean(),
	device: v.strictObject({ id: uuid, fingerprint }),
	added_at: v.nullable(time),
	revoked_at: v.nullable(time),
})
export const devicesRecover = v.strictObject({ account: uuid, device: named, ...handedOver })

const backendInUse = v.strictObject({
	kind: v.picklist(['embedded', 'supabase']),
	url: v.nullable(v.pipe(v.string(), v.url())),
})

export const login = v.strictObject({
	backend: backendInUse,
	account: v.nullable(uuid),
	email: v.nullable(text),
	signed_in: v.picklist(['new', 'before']),
	device: v.picklist(['here', 'first', 'missing']),
})

export const logout = v.strictObject({
	backend: backendInUse,
	account: uuid,
	ended: v.boolean(),
})

const ruleRef = v.strictObject({ line: count, text })
const strings = v.nullable(v.array(text))

export const policy = v.strictObject({
	file: text,
	state: v.picklist(['none', 'in_force', 'refused']),
	digest: v.nullable(v.pipe(text, v.regex(/^[0-9a-f]{64}$/))),
	rules: v.array(
		v.strictObject({
			...ruleRef.entries,
			answer: v.picklist(['allow', 'ask', 'deny']),
			agent: strings,
			tool: strings,
			command: strings,
			path: strings,
			access: v.nullable(v.picklist(['read', 'write'])),
			folder: strings,
			even: v.nullable(v.literal('high')),
			reason: v.nullable(text),
		}),
	),
	problem: v.nullable(text),
	problems: v.array(v.strictObject({ line: count, problem: text })),
})
export const policyTest = v.strictObject({
	answer: v.picklist(['allow', 'ask', 'deny']),
	agent: text,
	tool: text,
	folder: text,
	rules: v.array(ruleRef),
	parts: v.array(v.strictObject({ text, rule: v.nullable(ruleRef) })),
	obstacles: v.array(text),
	risk: v.picklist(['low', 'medium', 'high']),
	reason: v.nullable(text),
})
export const policyCheck = v.strictObject({
	file: text,
	ok: v.boolean(),
	there: v.boolean(),
	rules: count,
	problem: v.nullable(text),
	problems: v.array(v.strictObject({ line: count, problem: text })),
})

export const sent = v.strictObject({
	session: uuid,
	kind: v.picklist(['prompt', 'interrupt', 'mode']),
	accepted: v.boolean(),
	by_host_at: v.nullable(time),
	stage: v.picklist(['sent', 'stored', 'obeyed', 'refused', 'failed']),
	why: v.nullable(text),
})

export const modes = v.strictObject({
	session: uuid,
	mode: v.nullable(text),
	asks: v.nullable(v.boolean()),
	modes: v.array(text),
})
