/**
 * JSON as it is printed, in one line: what a terminal would act on or be turned round by is escaped, which reads
 * the same.
 */
export function jsonText(value: unknown): string {
	return (JSON.stringify(value) ?? 'null').replace(
		/[\u007F-\u009F\u2028\u2029]|\p{Bidi_Control}/gu,
		(character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
	)
}
