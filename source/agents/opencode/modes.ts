/** In which of OpenCode's agents (build, plan…) a person is asked. */
import * as v from 'valibot'

const ruleSchema = v.object({ permission: v.string(), pattern: v.string(), action: v.string() })
export const agentsSchema = v.array(
	v.object({
		name: v.string(),
		permission: v.optional(v.fallback(v.array(ruleSchema), []), []),
	}),
)

/** What changes something: where all of it is allowed for good, nobody is asked. */
const telling = ['edit', 'bash']

/** By name, whether requests reach a person. The last rule that fits is the one that counts. */
export function askingAgents(
	agents: v.InferOutput<typeof agentsSchema>,
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
