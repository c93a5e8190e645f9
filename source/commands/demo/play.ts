/** Plays the recorded sessions through a real host, as if their agents ran here. */
import {
	loadManifest,
	loadRecording,
	type RecordedSession,
} from '../../agents/recorded/manifest.ts'
import { recordedAgent } from '../../agents/recorded/recorded-agent.ts'
import { SessionHost, type SessionHostOptions } from '../../host/session-host.ts'
import type { DemoProfile } from './profile.ts'

const minute = 60_000
/** Of a request in the demo, ms. */
const requestTimeout = 60 * minute

/** The machine that the sessions were recorded on: rules allowed for a session are judged as on it. */
const recordedMachine: NonNullable<SessionHostOptions['policy']> = {
	file: { read: () => ({ kind: 'none', file: '' }) },
	around: { userHome: '/home/dev', own: [], shell: '/bin/bash', platform: 'linux' },
}

export interface PlayedSession {
	/** Id of the published session. */
	id: string
	recorded: RecordedSession
	/** Resolves when the session has ended and everything of it is stored. */
	ended: Promise<void>
}

export interface Playing extends AsyncDisposable {
	past: readonly PlayedSession[]
	live: readonly PlayedSession[]
}

/**
 * Starts all sessions: those of the past at once, with the times they had; the live ones at `speed`,
 * stopping at each request until it is answered.
 */
export async function playAll(
	profile: Pick<DemoProfile, 'host' | 'dataFolder'>,
	options: { speed: number; now(): Date },
): Promise<Playing> {
	const manifest = await loadManifest()
	const stop = new AbortController()
	const play = async (recorded: RecordedSession): Promise<PlayedSession> => {
		const recording = await loadRecording(manifest, recorded)
		const ago = recorded.started_minutes_ago * minute
		const agent = recordedAgent(recording, {
			now: options.now,
			signal: stop.signal,
			...(recorded.live
				? { speed: options.speed }
				: {
						speed: Number.POSITIVE_INFINITY,
						shiftTo: new Date(options.now().getTime() - ago),
						answers: recorded.requests,
					}),
		})
		const host = await SessionHost.open({
			account: profile.host,
			gateway: profile.host.gateway,
			dataFolder: profile.dataFolder,
			agent: recorded.agent,
			cwd: recorded.cwd,
			project: 'plain',
			timeoutMs: requestTimeout,
			policy: recordedMachine,
			now: () => agent.clock(),
		})
		const ended = host.run(agent).then(() => undefined)
		// A failure is told by whoever waits for the end; until then it must not end the process.
		ended.catch(() => undefined)
		return { id: host.session, recorded, ended }
	}
	const sessions = await Promise.all(manifest.sessions.map(play))
	return {
		past: sessions.filter(({ recorded }) => !recorded.live),
		live: sessions.filter(({ recorded }) => recorded.live),
		async [Symbol.asyncDispose]() {
			stop.abort()
			await Promise.allSettled(sessions.map(({ ended }) => ended))
		},
	}
}
