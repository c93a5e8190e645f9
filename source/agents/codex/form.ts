/** Forms of MCP servers (elicitation), as questions: only fields that can be filled in without doubt. */
import * as v from 'valibot'

export interface FormField {
	key: string
	type: 'string' | 'number' | 'integer' | 'boolean' | 'list'
	question: string
	header: string | null
	/** What may be chosen; empty: anything may be written. */
	options: string[]
	multiple: boolean
	required: boolean
}

const text = v.optional(v.nullable(v.string()), null)
const choices = v.array(v.string())
const fieldSchema = v.object({
	type: v.picklist(['string', 'number', 'integer', 'boolean', 'array']),
	title: text,
	description: text,
	enum: v.optional(choices),
	oneOf: v.optional(v.array(v.object({ const: v.string() }))),
	items: v.optional(
		v.object({
			enum: v.optional(choices),
			anyOf: v.optional(v.array(v.object({ const: v.string() }))),
		}),
	),
})
const formSchema = v.object({
	type: v.literal('object'),
	properties: v.record(v.string(), fieldSchema),
	required: v.optional(v.array(v.string()), []),
})

/** The fields of a form, or `null` for one that can't be asked as questions. */
export function formFields(schema: unknown): FormField[] | null {
	const parsed = v.safeParse(formSchema, schema)
	if (!parsed.success) return null
	const { properties, required } = parsed.output
	const fields = Object.entries(properties).map(([key, field]): FormField => {
		const list = field.type === 'array'
		const constants = list ? field.items?.anyOf : field.oneOf
		const named = constants?.map((option) => option.const)
		const options = (list ? field.items?.enum : field.enum) ?? named ?? []
		return {
			key,
			type: field.type === 'array' ? 'list' : field.type,
			question: field.description ?? field.title ?? key,
			header: field.title ?? key,
			options: field.type === 'boolean' ? ['true', 'false'] : options,
			multiple: list,
			required: required.includes(key),
		}
	})
	// Answers are given by question; a list without choices has no bounds that could be kept.
	if (new Set(fields.map(({ question }) => question)).size < fields.length) return null
	if (fields.some(({ type, options }) => type === 'list' && options.length === 0)) return null
	return fields
}

/** The content of a filled-in form, or `null` when an answer is missing or not one of the choices. */
export function formContent(
	fields: readonly FormField[],
	answers: Record<string, string | string[]>,
): Record<string, unknown> | null {
	const content: [string, unknown][] = []
	for (const field of fields) {
		const given = Object.hasOwn(answers, field.question) ? answers[field.question] : undefined
		const words = given === undefined ? [] : Array.isArray(given) ? given : [given]
		if (words.length === 0 || (words.length === 1 && words[0] === '')) {
			if (field.required) return null
			continue
		}
		if (field.options.length > 0 && words.some((word) => !field.options.includes(word))) return null
		const value = fieldValue(field, words)
		if (value === undefined) return null
		content.push([field.key, value])
	}
	return Object.fromEntries(content)
}

function fieldValue({ type }: FormField, words: string[]): unknown {
	if (type === 'list') return words
	const [word = '', more] = words
	if (more !== undefined) return undefined
	if (type === 'boolean') return word === 'true'
	if (type === 'string') return word
	const number = Number(word)
	const whole = type === 'number' || Number.isInteger(number)
	return Number.isFinite(number) && whole ? number : undefined
}
