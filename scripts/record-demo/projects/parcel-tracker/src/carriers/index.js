import { parseNorthpost } from './northpost.js'
import { parseSwift } from './swift.js'

export function parse(carrier, answer) {
	if (carrier === 'swift') return parseSwift(answer)
	if (carrier === 'northpost') return parseNorthpost(answer)
	throw new Error(`unknown carrier: ${carrier}`)
}
