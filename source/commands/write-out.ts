import { once } from 'node:events'

/** Writes, and waits while the reader is slower than we are. */
export async function writeOut(stdout: NodeJS.WriteStream, text: string): Promise<void> {
	if (!stdout.write(text)) await once(stdout, 'drain')
}
