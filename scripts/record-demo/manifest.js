/** The table of contents of the recordings, with the answers that are given when nobody is there. */

const child = (way, decision) => (way === '' ? decision : `${way}-${decision}`)

/** The request at the end of each way, and the answer to it. */
function requestsOf(story, lines) {
	const asked = lines.filter(({ line }) => line.type === 'control_request')
	return asked.map(({ way, line }, index) => {
		const answer = story.answers
			? story.answers[index]
			: (story.unattended[way] ?? { decision: 'allow', scope: 'once' })
		return {
			way,
			tool: line.request.tool_name,
			decision: answer.decision,
			scope: answer.scope ?? 'once',
			reason: answer.reason ?? null,
			waited_ms: answer.waitedMs ?? 1200,
		}
	})
}

/** Milliseconds from the start to the end of one way through the recording. */
function durationOf(lines, requests) {
	let way = ''
	let total = 0
	for (;;) {
		const segment = lines.filter((line) => line.way === way)
		total += segment.at(-1).t
		const request = requests.find((each) => each.way === way)
		if (!request) return total
		total += request.waited_ms
		way = child(way, request.decision)
	}
}

export function manifestOf(stories, recordings) {
	const sessions = stories.map((story) => {
		const lines = recordings.get(story.name)
		const requests = requestsOf(story, lines)
		return {
			name: story.name,
			recording: `recordings/${story.name}.jsonl`,
			title: story.title,
			agent: 'claude',
			project: story.project,
			branch: story.branch,
			cwd: `/home/dev/${story.project}`,
			live: !story.answers,
			started_minutes_ago: story.startedMinutesAgo,
			duration_ms: durationOf(lines, requests),
			requests,
		}
	})
	const init = [...recordings.values()].flat().find(({ line }) => line.subtype === 'init')
	return { version: 1, agent_version: init.line.claude_code_version, sessions }
}
