/** Editing of one line the way prompt_toolkit does it: the terminal reads key by key, rows are placed by hand. */

/** ctrl-c on a line, and ctrl-d on an empty one. */
export class Interrupted extends Error {}
export class EndOfInput extends Error {}

const esc = '\u001B'
const pasteForm = new RegExp(`^${esc}\\[200~([^]*?)${esc}\\[201~`)
const reportForm = new RegExp(`^${esc}\\[[\\d;?]*[A-Za-z~]`)
const { stdin, stdout } = process

/** Asks for one line. Several come in by a marked paste, or by Alt-Enter. */
export function readLine(prompt: string): Promise<string> {
	const { promise, resolve, reject } = Promise.withResolvers<string>()
	const above = prompt.split('\n')
	const label = above.pop() ?? ''
	for (const line of above) stdout.write(`${line}\n`)
	let text = ''
	let pending = ''
	let rowsUp = 0
	const draw = () => {
		const { columns } = stdout
		const rows = (label + text).split('\n').flatMap((line) => {
			const parts = line.match(new RegExp(`.{1,${columns}}`, 'gu')) ?? ['']
			return (parts.at(-1) ?? '').length === columns ? [...parts, ''] : parts
		})
		const up = rowsUp === 0 ? '' : `${esc}[${rowsUp}A`
		rowsUp = rows.length - 1
		stdout.write(`${esc}[?25l${esc}[?7l\r${up}${esc}[J${rows.join('\r\n')}${esc}[?7h${esc}[?25h`)
	}
	const done = (end: () => void) => {
		stdin.off('data', onData)
		stdout.off('resize', draw)
		stdin.pause()
		stdout.write(`\r\n${esc}[?2004l`)
		stdin.setRawMode(false)
		end()
	}
	const onData = (data: Buffer) => {
		pending += data.toString('utf8')
		while (pending !== '') {
			const paste = pasteForm.exec(pending)
			const report = reportForm.exec(pending)
			if (paste !== null) {
				text += (paste[1] ?? '').replace(/\r\n?/g, '\n')
				pending = pending.slice(paste[0].length)
			} else if (pending.startsWith(`${esc}[200~`)) return
			else if (report !== null) pending = pending.slice(report[0].length)
			else if (pending.startsWith(`${esc}\r`)) {
				text += '\n'
				pending = pending.slice(2)
			} else {
				const [key = ''] = pending
				pending = pending.slice(key.length)
				if (key === '\r' || key === '\n') {
					draw()
					// What follows was typed ahead, for whatever is asked next.
					if (pending !== '') stdin.unshift(Buffer.from(pending))
					return done(() => resolve(text))
				}
				if (key === '\u0003') return done(() => reject(new Interrupted()))
				if (key === '\u0004' && text === '') return done(() => reject(new EndOfInput()))
				if (key === '\u007F') text = text.slice(0, -1)
				else if (key >= ' ') text += key
			}
			draw()
		}
	}
	stdin.setRawMode(true)
	stdout.write(`${esc}[?1l${esc}[6n${esc}[?2004h`)
	draw()
	stdout.on('resize', draw)
	stdin.on('data', onData)
	stdin.resume()
	return promise
}
