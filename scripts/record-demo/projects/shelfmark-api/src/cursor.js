/** A cursor names the last loan of a page. */
export function encodeCursor(loan) {
	return Buffer.from(loan.borrowedAt).toString('base64url')
}

export function decodeCursor(cursor) {
	return { borrowedAt: Buffer.from(cursor, 'base64url').toString() }
}
