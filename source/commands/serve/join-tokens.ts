/** Shows a join token to whoever sits at the terminal of `serve`, and the next one when it is spent. */
import type { Backend } from '../../server/backend.ts'
import { joinMinutes } from '../../server/join-secrets.ts'
import type { Io } from '../io.ts'

/** Only where a person reads along: a token does not belong in the log of a service. */
export function showJoinTokens(backend: Backend, { stdout }: Io): Disposable {
	if (!stdout.isTTY) {
		stdout.write('styrby-tui: for a join token run "styrby-tui serve --join-token"\n')
		return { [Symbol.dispose]() {} }
	}
	let timer: NodeJS.Timeout | undefined
	const show = (why: string) => {
		clearTimeout(timer)
		const offer = backend.http.joinToken()
		if (offer === null) return
		stdout.write(
			`\n${why}On another machine, once and within ${joinMinutes} minutes:\n\nstyrby-tui login --join ${offer.token}\n`,
		)
		timer = setTimeout(() => show('That token has expired. '), joinMinutes * 60_000)
	}
	backend.joins.onUsed = () => show('A machine has joined. ')
	show('')
	return {
		[Symbol.dispose]() {
			clearTimeout(timer)
		},
	}
}
