import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify<string, Uint8Array, number, object, Buffer>(scrypt)
const cost = { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 }
const hashBytes = 32

/** scrypt with a salt of its own: `scrypt$<salt>$<hash>`, base64. */
export async function hashPassword(password: string): Promise<string> {
	const salt = randomBytes(16)
	const hash = await derive(password, salt, hashBytes, cost)
	return `scrypt$${salt.toString('base64')}$${hash.toString('base64')}`
}

/** Takes as long for an account that does not exist (`stored` null) as for a wrong password. */
export async function checkPassword(password: string, stored: string | null): Promise<boolean> {
	const [, salt = '', hash = ''] = stored?.split('$') ?? []
	const expected = Buffer.from(hash, 'base64')
	const actual = await derive(password, Buffer.from(salt, 'base64'), hashBytes, cost)
	return expected.length === hashBytes && timingSafeEqual(actual, expected)
}
