/** The Agent Client Protocol, as far as Gemini CLI speaks it: lenient in what is shown, strict in what is asked. */
import * as v from 'valibot'
import { tooDeep } from '../foreign.ts'
import { list, maybe, maybeText } from '../lenient.ts'

const textContentSchema = v.object({ type: v.literal('text'), text: v.string() })
const contentItemSchema = v.variant('type', [
	v.object({ type: v.literal('content'), content: textContentSchema }),
	v.object({
		type: v.literal('diff'),
		path: v.string(),
		oldText: v.optional(v.nullable(v.string()), null),
		newText: v.string(),
	}),
])
export type ContentItem = v.InferOutput<typeof contentItemSchema>

const contentSchema = v.optional(
	v.pipe(
		v.unknown(),
		v.transform((value): ContentItem[] =>
			Array.isArray(value)
				? value.flatMap((item: unknown) => {
						const parsed = v.safeParse(contentItemSchema, item)
						return parsed.success ? [parsed.output] : []
					})
				: [],
		),
	),
	[],
)
const locationsSchema = list(v.object({ path: v.string() }))

const toolSchema = v.object({
	toolCallId: v.pipe(v.string(), v.nonEmpty()),
	title: maybeText,
	kind: maybeText,
	status: maybeText,
	content: contentSchema,
	locations: locationsSchema,
})
export type RawTool = v.InferOutput<typeof toolSchema>

/** `params` of `session/update`: what is known of it besides its type. */
export const updateSchema = v.object({
	sessionId: v.string(),
	update: v.looseObject({ sessionUpdate: v.string() }),
})
export const chunkSchema = v.object({ content: textContentSchema })
export const toolUpdateSchema = toolSchema
export const commandsSchema = v.object({
	availableCommands: v.array(v.object({ name: v.string() })),
})
export const modeSchema = v.object({ currentModeId: v.string() })

/** `params` of `session/request_permission`. Strict: what is not understood is never asked. */
export const permissionSchema = v.pipe(
	v.object({
		sessionId: v.string(),
		options: v.pipe(
			v.array(v.object({ optionId: v.string(), name: v.string(), kind: v.string() })),
			v.minLength(1),
		),
		toolCall: v.object({
			...toolSchema.entries,
			title: v.pipe(v.string(), v.nonEmpty()),
			content: v.optional(v.array(contentItemSchema), []),
		}),
	}),
	v.check((value) => !tooDeep(value)),
)
export type AskedPermission = v.InferOutput<typeof permissionSchema>

export const initializedSchema = v.object({
	agentInfo: maybe(v.object({ version: v.string() })),
})
export const sessionSchema = v.object({
	sessionId: v.optional(v.pipe(v.string(), v.nonEmpty())),
	modes: maybe(v.object({ currentModeId: v.string() })),
})
export const promptResultSchema = v.object({ stopReason: v.string() })
