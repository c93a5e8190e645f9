/** The last line of defence of the log: what looks like a key or a token never gets through. */

const mark = '[redacted]'

const patterns = [
	// Tokens (JWT, JWE), also cut short.
	/eyJ[\w-]*\.[\w-]+(?:\.[\w-]*)*/g,
	// 43 characters of base64, base64url or hex: 32 bytes or more. Long paths go with them, and may.
	/[A-Za-z0-9+/_-]{43,}={0,2}/g,
	// Base64 broken into lines.
	/(?:[A-Za-z0-9+/]{16,}\s+){2,}[A-Za-z0-9+/]+={0,2}/g,
]

/** The text without anything that could be a secret key (32 bytes or more) or a token. */
export function redact(text: string): string {
	return patterns.reduce((rest, pattern) => rest.replace(pattern, mark), text)
}
