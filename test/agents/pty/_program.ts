/**
 * A program for a pseudo-terminal: it says what it reads, in hexadecimal, and its size when that changes.
 * The keys `say HEX;` make it write those bytes, `end;` end, `die;` die of a signal.
 */
process.stdin.setRawMode(true)
const { stdin, stdout } = process
stdout.on('resize', () => stdout.write(`size ${stdout.columns}x${stdout.rows}\n`))
let last = ''
stdin.on('data', (bytes: Buffer) => {
	last = (last + bytes.toString('latin1')).slice(-4000)
	const told = /(say|end|die) ?([0-9a-f]*);$/.exec(last)
	if (told === null) stdout.write(`<${bytes.toString('hex')}>\n`)
	else last = ''
	if (told?.[1] === 'say') stdout.write(Buffer.from(told[2] ?? '', 'hex'))
	if (told?.[1] === 'end') process.exit(7)
	if (told?.[1] === 'die') process.kill(process.pid, 'SIGTERM')
})
stdout.write(`ready ${stdout.columns}x${stdout.rows}\n`)
