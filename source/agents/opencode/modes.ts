/** In which of OpenCode's agents (build, plan…) a person is asked. */
import * as v from 'valibot'
import { flag, list, maybeText } from '../lenient.ts'

const ruleSchema = v.object({ permission: v.string(), pattern: v.string(), action: v.string() })
export const agentsSchema = v.array(
	v.object({
		name: v.string(),
		/** Whether a person can work with it: `subagent` is for other agents only. */
		mode: maybeText,
		hidden: flag,
		permission: list(ruleSchema),
	}),
)
type OpencodeAgent = v.InferOutput<typeof agentsSchema>[number]

/** What changes something: where all of it is allowed for good, nobody is asked. */
const telling = ['edit', 'bash']

/** Those that a session can be put in from elsewhere: a person works with them, and is asked. */
export function offeredAgents(
	agents: readonly Omit<OpencodeAgent, 'permission'>[],
	asking: ReadonlyMap<string, boolean>,
): string[] {
	return agents
		.filter(({ mode, hidden }) => (mode === 'primary' || mode === 'all') && !hidden)
		.map(({ name }) => name)
		.filter((name) => asking.get(name) === true)
}

/** By name, whether requests reach a person. The last rule that fits is the one that counts. */
export function askingAgents(
	agents: readonly Pick<OpencodeAgent, 'name' | 'permission'>[],
): ReadonlyMap<string, boolean> {
	return new Map(
		agents.map(({ name, permission: rules }) => {
			const general = (tool: string) =>
				rules.findLast(
					({ permission, pattern }) =>
						(permission === tool || permission === '*') && pattern === '*',
				)
			return [name, telling.some((tool) => general(tool)?.action !== 'allow')]
		}),
	)
}
