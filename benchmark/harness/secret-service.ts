/** A real, throw-away Secret Service, where its parts are installed. */
import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../../test/tools/with-secret-service.sh', import.meta.url))

export const hasSecretService = (): boolean =>
	process.platform === 'linux' &&
	['dbus-run-session', 'gnome-keyring-daemon'].every(
		(tool) => spawnSync('which', [tool], { stdio: 'ignore' }).status === 0,
	)

export interface SecretService extends AsyncDisposable {
	/** To be added to the environment of programs that use it. */
	env: NodeJS.ProcessEnv
}

export async function startSecretService(): Promise<SecretService> {
	const say = 'echo "$DBUS_SESSION_BUS_ADDRESS"; echo "$XDG_RUNTIME_DIR"; read -r _'
	const child = spawn(script, ['sh', '-c', say], { stdio: ['pipe', 'pipe', 'inherit'] })
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
	const next = async () => {
		const { value, done } = await lines.next()
		if (done === true) throw new Error('the Secret Service did not start')
		return String(value)
	}
	const env = { DBUS_SESSION_BUS_ADDRESS: await next(), XDG_RUNTIME_DIR: await next() }
	return {
		env,
		async [Symbol.asyncDispose]() {
			const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
			child.stdin.end('\n')
			await ended
		},
	}
}
