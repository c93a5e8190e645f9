/** `devices log`: the history of devices, replayed from its first entry. */
import { type LogEvent, readLogHistory } from '../../account/history.ts'
import { type ExitCode, exit } from '../../protocol/errors.ts'
import { jsonText } from '../../text/json-text.ts'
import { shortTime } from '../../text/time.ts'
import { textWidth } from '../../text/width.ts'
import type { Invocation } from '../command.ts'
import { openContext } from '../context.ts'
import { hanging, widthOf } from '../hanging.ts'
import { called } from './find-device.ts'
import { oneLine } from './one-line.ts'

export async function run({ flags, io }: Invocation): Promise<ExitCode> {
	await using context = await openContext(io)
	const all = await readLogHistory(context.account)
	const events = all.slice(-(flags.number('limit') ?? all.length))
	io.stdout.write(
		flags.has('json')
			? `${jsonText({ entries: events.map(eventJson) })}\n`
			: historyText(events, widthOf(io.stdout)),
	)
	context.account.log.assertTrusted()
	return exit.done
}

/** What `--json` prints of an entry; a shape that scripts depend on. */
function eventJson(event: LogEvent) {
	return {
		seq: event.seq,
		at: event.at,
		type: event.type,
		by: event.by,
		by_name: event.byName,
		device: event.device,
		device_name: event.deviceName,
		fingerprint: event.fingerprint,
		name: event.name,
		reason: event.reason,
		hash: event.hash,
	}
}

/** One entry a line, oldest first. */
export function historyText(events: readonly LogEvent[], width: number): string {
	const digits = String(events.at(-1)?.seq ?? 0).length
	const lines = events.flatMap((event) => {
		const prefix = `${String(event.seq).padStart(digits)}  ${shortTime(event.at)}  `
		return hanging(prefix, sentence(event), width, textWidth)
	})
	return lines.map((line) => `${line}\n`).join('')
}

/** Names as they were given, where the entry gives one. */
function sentence(event: LogEvent): string {
	const by = called(event.byName, event.by)
	const device = called(event.deviceName, event.device)
	const given = event.name === null ? device : oneLine(event.name)
	switch (event.type) {
		case 'genesis':
			return `${given} began this account (${event.fingerprint})`
		case 'add':
			return `${by} added ${given} (${event.fingerprint})`
		case 'rename': {
			if (event.proof) return `${by} signed the log, as proof for its words`
			const whom = event.by === event.device ? 'itself' : `device ${event.device.slice(0, 8)}`
			return `${by} named ${whom} ${given}`
		}
		case 'revoke':
			return `${by} revoked ${device}${event.reason === null ? '' : `: ${oneLine(event.reason)}`}`
	}
}
