/** All that a backend must do for Supabase's client, to be run on each database that it can stand on. */
import { afterAll, describe } from 'vitest'
import { testAuth } from './auth.ts'
import { testFunctions } from './functions.ts'
import { testGuard } from './guard.ts'
import { testLive } from './live.ts'
import { closeClients, type Target } from './target.ts'

export function testServer(opened: () => Target): void {
	afterAll(closeClients)
	describe('auth', () => testAuth(opened))
	describe('functions', () => testFunctions(opened))
	describe('live channel', () => testLive(opened))
	describe('guard', () => testGuard(opened))
}
