/** Adds documents to the index in the folder that is its argument until it is killed; a line a commit. */
import { IndexFolder } from '../../source/search/index-folder.ts'
import { MessageIndex } from '../../source/search/message-index.ts'
import { document } from './_documents.ts'

const folder = await IndexFolder.open(process.argv[2] ?? '', new Uint8Array(32).fill(7), 'account')
const index = new MessageIndex()
const opened = await folder.load()
for (const segment of opened?.segments ?? []) index.addSegment(segment)
for (;;) {
	index.add(document({ seq: index.size + 1, text: `number ${index.size}` }))
	const replaced = await index.settle((data, blocks) => folder.add(data, blocks))
	await folder.commit(index.segments, index.size, replaced)
	process.stdout.write(`${index.size}\n`)
}
