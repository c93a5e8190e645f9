/**
 * The viewer for a screen reader: what there is on the screen is written line by line, and from then on only what
 * changes, each change once. Nothing that was written is ever moved, erased or written over.
 */
import type { Spoken, SpokenLine } from './spoken-frame.ts'

export class Narrator {
	readonly #write: (text: string) => void
	#before: Spoken | null = null
	/** The line being typed, as it stands on the terminal. */
	#typed: string | null = null

	constructor(write: (text: string) => void) {
		this.#write = write
	}

	/** Says what is new since the frame before. */
	tell(now: Spoken): void {
		const before = this.#before
		this.#before = now
		const lines = before?.place === now.place ? changes(before, now) : entry(before, now)
		if (lines.length > 0) {
			this.#endLine()
			this.#write(`${lines.join('\n')}\n`)
		}
		this.#type(now.typed)
	}

	/** The next frame is said whole. */
	again(): void {
		this.#endLine()
		this.#before = null
	}

	/** After what was said last. */
	end(): void {
		this.#endLine()
	}

	/** A line being typed grows and shrinks at its end; any other change of it is a new line. */
	#type(typed: Spoken['typed']): void {
		if (typed === null) {
			this.#endLine()
			return
		}
		const before = this.#typed
		const { text } = typed
		if (before === text) return
		this.#typed = text
		if (before === null) this.#write(`> ${text}`)
		else if (text.startsWith(before)) this.#write(text.slice(before.length))
		else if (before.startsWith(text)) this.#write(`\n> ${text}`)
		else this.#write(`\n> ${text}`)
	}

	#endLine(): void {
		if (this.#typed === null) return
		this.#typed = null
		this.#write('\n')
	}
}

/** A screen that is new: what it is, how things stand, what is on it, and its keys. */
function entry(before: Spoken | null, now: Spoken): string[] {
	return [
		...(before?.header === now.header ? [] : [now.header]),
		...(before ? fresh(before.notices, now.notices) : now.notices),
		`Screen: ${now.title}`,
		...now.about,
		...selection(now),
		...read(now.content?.preview ? [] : (now.content?.lines ?? [])),
		...asked(now),
		...(now.keys === '' ? [] : [`Keys: ${now.keys}`]),
		...(now.remark === null ? [] : [now.remark]),
	]
}

function changes(before: Spoken, now: Spoken): string[] {
	const sameQuestion = before.question?.label === now.question?.label
	return [
		...(standing(before.header) === standing(now.header) ? [] : [now.header]),
		...fresh(before.notices, now.notices),
		...(sameSelection(before, now) ? [] : selection(now)),
		...read(come(before, now)),
		...(sameQuestion ? chosen(before, now) : asked(now)),
		...(now.question !== null && !sameQuestion ? [`Keys: ${now.keys}`] : []),
		...(before.answerKeys === now.answerKeys || now.answerKeys === '' || now.question !== null
			? []
			: [`Keys for it: ${now.answerKeys}`]),
		...(now.remark === null || before.remark === now.remark ? [] : [now.remark]),
	]
}

/** What there is to read now that was not there before. */
function come(before: Spoken, { content, selected }: Spoken): readonly SpokenLine[] {
	if (!content) return []
	const same = before.content?.key === content.key
	if (!same && !content.preview) return content.lines
	// From a request to where its answer is seen.
	const answered = before.content?.preview === false && before.selected?.id === selected?.id
	if (!same && !answered) return []
	return added(before.content?.lines ?? [], content.lines, same)
}

/** What runs by itself, ages and times left, is no change; the last minutes count, one by one. */
function counts(text: string): string {
	return text
		.replace(/\b\d\d:\d\d:\d\d\b/g, '#')
		.replace(/\b(\d+):\d\d\b/g, '$1 minutes')
		.replace(/\b\d+ ?(?:s|m|min|h|d)\b|\bnow\b|\$\d+\.\d+/g, '#')
}

/** Of the header: how many requests wait, and whether what is told is current. */
function standing(header: string): string {
	return header.match(/\d+ waiting|connect\w*(?: lost)?/g)?.join() ?? ''
}

function sameSelection(before: Spoken, now: Spoken): boolean {
	if (before.selected?.id !== now.selected?.id) return false
	return counts(before.selected?.text ?? '') === counts(now.selected?.text ?? '')
}

function selection({ selected }: Spoken): string[] {
	return selected ? [`${selected.text}, ${selected.place}`] : []
}

function asked({ question }: Spoken): string[] {
	if (!question) return []
	const { label, choices, highlighted } = question
	return [label, ...choices, ...(highlighted === null ? [] : [`Now: ${highlighted}`])]
}

function chosen(before: Spoken, { question }: Spoken): string[] {
	const { highlighted = null } = question ?? {}
	return highlighted === null || highlighted === before.question?.highlighted ? [] : [highlighted]
}

function fresh(before: readonly string[], now: readonly string[]): string[] {
	return now.filter((line) => !before.includes(line))
}

/** Lines of `now` that are not among those of `before`, in order: by the longest sequence that both have.
 * `placed`: lines are the same only at the same place of the same thing. */
function added(
	before: readonly SpokenLine[],
	now: readonly SpokenLine[],
	placed: boolean,
): SpokenLine[] {
	const known = ({ at, quoted, text }: SpokenLine) =>
		`${placed ? at : ''} ${quoted} ${counts(text)}`
	const old = before.map(known)
	const fresh = now.map(known)
	// lengths[i][j]: of the longest common sequence of old from i on and new from j on.
	const lengths = Array.from({ length: old.length + 1 }, () =>
		new Array<number>(fresh.length + 1).fill(0),
	)
	const at = (i: number, j: number) => lengths[i]?.[j] ?? 0
	for (let i = old.length - 1; i >= 0; i--) {
		const row = lengths[i] ?? []
		for (let j = fresh.length - 1; j >= 0; j--) {
			row[j] = old[i] === fresh[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
		}
	}
	const said: SpokenLine[] = []
	let i = 0
	for (let j = 0; j < fresh.length; ) {
		if (i < old.length && old[i] === fresh[j]) {
			i++
			j++
		} else if (i < old.length && at(i + 1, j) >= at(i, j + 1)) i++
		else said.push(...now.slice(j, ++j))
	}
	return said
}

/** What an agent asks stands between words of ours: nothing in it can pass for them. */
function read(lines: readonly SpokenLine[]): string[] {
	const said: string[] = []
	let quoted = false
	for (const line of [...lines, { at: '', text: '', quoted: false }]) {
		if (line.quoted !== quoted) said.push(line.quoted ? 'Word for word:' : 'End of that.')
		quoted = line.quoted
		if (line.text !== '') said.push(quoted ? `| ${line.text}` : line.text)
	}
	return said
}
