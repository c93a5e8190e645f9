/** What went wrong on the way to the backend or in it, as one of our errors. */
import * as v from 'valibot'
import { exit, refused, StyrbyError } from '../protocol/errors.ts'

/** What the client library says of a call that failed. `status` 0: there was no answer. */
export interface Failure {
	status: number
	code: string
	message: string
	details: string
}

/** Errors that the SQL functions raise, and what they mean to a person. */
const sentences: Readonly<Record<string, string>> = {
	log_conflict: 'Another device changed the device log at the same time: read it again and repeat.',
	malformed_entry: 'The backend refuses an entry of the device log as malformed.',
	append_gap: 'The backend lacks messages before these: send the session from where it stands.',
	append_conflict:
		'The backend has other messages at this place: the session goes on in another place, or the backend was restored from a copy.',
	malformed_row: 'The backend refuses a message as malformed.',
	too_many_rows: 'The backend takes no more than 500 messages at once.',
	no_such_session: 'The backend knows no such session of this account.',
	malformed_session: 'The backend refuses a session as malformed.',
	epoch_conflict: 'The backend has another key at this place: read the keys again.',
	no_such_epoch: 'The backend knows no such key to grant: store its record first.',
	malformed_epoch: 'The backend refuses the record of a key as malformed.',
	malformed_grant: 'The backend refuses the grant of a key as malformed.',
	malformed_mail: 'The backend refuses a command as malformed.',
	malformed_argument: 'The backend refuses what it was asked as malformed.',
	pairing_conflict: 'The backend has another request under this code: begin again.',
	pairing_answered: 'Another device has answered this request already.',
	no_such_pairing: 'The backend has no request for this code, or no longer: begin again.',
	too_many_pairings: 'Twenty devices wait to be added already: try again in ten minutes.',
	malformed_pairing: 'The backend refuses a request to add a device as malformed.',
	mailbox_full: 'A thousand commands wait for this host already: start it, or try again later.',
}

export function unreachable(cause?: unknown): StyrbyError {
	return new StyrbyError(
		'backend_unreachable',
		'The backend is out of reach: check the network, or see `styrby-tui status`.',
		{ exitCode: exit.unreachable, cause },
	)
}

/** Name of the error of a server that is not the right one; the client library passes on its name only. */
export const wrongCertificateName = 'WrongCertificate'

export function wrongCertificate(): StyrbyError {
	return refused(
		'wrong_certificate',
		'Another server answers at this address than the one that was joined (its certificate is not the pinned one): nothing was sent to it; if the server was set up anew, join it with a new join token.',
	)
}

const certificateFault = /^(?:DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_|ERR_TLS_CERT_)/

/** Why there was no answer, as far as `fetch` says. */
export function noAnswer(error: unknown): StyrbyError {
	const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
	if (cause instanceof StyrbyError) return cause
	const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
	if (!certificateFault.test(code)) return unreachable(error)
	return refused(
		'certificate_not_trusted',
		'The backend shows a certificate that this machine has no reason to trust: sign in with the join token of a server of your own, or name the file of its authority in NODE_EXTRA_CA_CERTS.',
		error,
	)
}

export function notSignedIn(cause?: unknown): StyrbyError {
	return new StyrbyError(
		'not_signed_in',
		'The backend does not know this sign-in any more: see `styrby-tui doctor` for what to do.',
		{ exitCode: exit.notSignedIn, cause },
	)
}

/** What the backend says; the device log says who did it, and is what counts. */
export function signInRevoked(): StyrbyError {
	return new StyrbyError(
		'device_revoked',
		'The backend has ended the sign-in of this device, as of one that was revoked.',
		{ exitCode: exit.notSignedIn },
	)
}

/** What to do where nothing better is known. */
const migrate = 'apply the migrations in supabase/migrations to it'

/** `help`: what to do about it, the end of a sentence. */
export function tooOld(help: string | undefined, cause?: unknown): StyrbyError {
	return new StyrbyError(
		'backend_too_old',
		`The backend is older than this program: ${help ?? migrate}.`,
		{ cause },
	)
}

export function lacksMigrations(help: string | undefined, cause?: unknown): StyrbyError {
	return new StyrbyError(
		'backend_lacks_migrations',
		`The backend lacks the tables and functions of styrby-tui: ${help ?? migrate}.`,
		{ cause },
	)
}

/** The server answered something that it never should: nothing of it is used. */
export function malformedAnswer(what: string, cause?: unknown): StyrbyError {
	return new StyrbyError(
		'backend_malformed',
		`The backend's answer to ${what} has an unknown form: it is not used.`,
		{ exitCode: exit.refused, cause },
	)
}

const detailsSchema = v.pipe(
	v.string(),
	v.maxLength(2000),
	v.parseJson(),
	v.record(v.string(), v.union([v.number(), v.pipe(v.string(), v.maxLength(200))])),
)

/** Names a failure; what the server calls it is kept as the cause, never shown as text of ours. */
export function failureOf(failure: Failure): StyrbyError {
	const { status, code } = failure
	if (status === 0) return unreachable(new Error(failure.message.slice(0, 500)))
	if (code === 'P0001') return raised(failure)
	const cause = new Error(`${status} ${code} ${failure.message}`.slice(0, 500))
	if (code === 'PGRST202' || code === '42883') return tooOld(undefined, cause)
	if (status === 401 || code.startsWith('PGRST3') || code === '42501') return notSignedIn(cause)
	if (code === '53100') {
		return new StyrbyError(
			'backend_full',
			'The disk of the backend is full: make room there, nothing was lost.',
			{ cause },
		)
	}
	const away = [408, 429, 502, 503, 504].includes(status)
	if (away || /^(08|53|57|40|PGRST00)/.test(code)) return unreachable(cause)
	if (status === 413)
		return new StyrbyError('too_many_rows', sentences.too_many_rows ?? '', { cause })
	const name = /^[A-Z0-9]{1,10}$/.test(code) ? code : String(status)
	return new StyrbyError('backend_failed', `The backend failed (${name}): see its log.`, { cause })
}

function raised(failure: Failure): StyrbyError {
	if (failure.message === 'not_signed_in') return notSignedIn()
	if (failure.message === 'sign_in_revoked') return signInRevoked()
	const sentence = Object.hasOwn(sentences, failure.message)
		? sentences[failure.message]
		: undefined
	if (sentence === undefined) {
		const cause = new Error(failure.message.slice(0, 500))
		return new StyrbyError('backend_failed', 'The backend refuses: see its log.', { cause })
	}
	const details = v.safeParse(detailsSchema, failure.details)
	return new StyrbyError(failure.message, sentence, {
		cause: details.success ? details.output : undefined,
	})
}
